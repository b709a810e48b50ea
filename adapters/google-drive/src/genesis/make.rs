//! A new storage.

use std::collections::BTreeSet;

use bytes::Bytes;

use super::search::Found;
use super::{AHEAD, Content, FORMAT, Genesis, NAME, Place};
use crate::drive::{Drive, Made, New};
use crate::error::Failure;
use crate::ids::Ids;

/// Makes the folders of the path that are missing, and a genesis.
pub(super) async fn make(
    drive: &Drive,
    ids: &Ids,
    place: &Place,
    found: &Found,
) -> Result<Genesis, Failure> {
    let (mut folder, depth) = found.last.clone();
    for name in place.segments.iter().skip(depth) {
        let id = ids.take(drive).await?;
        let new = New { id: &id, name, parent: &folder, races: false };
        expect(drive.create_folder(new).await?)?;
        folder = id;
    }
    let mut reserved = ids.take_many(drive, 8 + AHEAD as usize).await?;
    if reserved.iter().collect::<BTreeSet<_>>().len() as u64 != 8 + AHEAD {
        return Err(Failure::not_drive("an id was reserved twice"));
    }
    let mut next = || reserved.pop().unwrap_or_default();
    let id = next();
    let content = Content {
        format: FORMAT,
        about: "the storage of an application that uses db-to-cloud; do not change or move what \
                is in this folder"
            .to_owned(),
        folder: found.folder.clone().unwrap_or(folder.clone()),
        changes: next(),
        docs: next(),
        snapshot: next(),
        probe: next(),
        locks: next(),
        meta: next(),
        lock: next(),
        slots: reserved,
    };
    let bytes = serde_json::to_vec_pretty(&content);
    let bytes = Bytes::from(bytes.map_err(|_| Failure::not_drive("a genesis cannot be written"))?);
    let new = New { id: &id, name: NAME, parent: &folder, races: false };
    expect(drive.create(new, &bytes).await?)?;
    tracing::info!("set up a storage in Google Drive");
    Ok(Genesis { id, content })
}

/// Ids that were just reserved are not in use, and the folder was just seen or made.
fn expect(made: Made) -> Result<(), Failure> {
    match made {
        Made::New => Ok(()),
        _ => Err(Failure::not_drive("a new file was refused").after_sending()),
    }
}
