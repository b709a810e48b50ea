//! The genesis: the one file that is found by looking, and from which all others are reached by id.
//!
//! # Why all devices agree on one
//! Names are not unique in Drive, so two devices that set up the same storage at once both make a genesis,
//! and perhaps both a folder for it. The oldest one counts (`createdTime`, given by Google; of two of one
//! millisecond the one with the smaller id). Nobody writes by a genesis before it is `settle` old by Google's
//! clock and a list that was made after that shows no older one; its maker keeps this rule, too. So a device
//! builds on a genesis that is not the oldest only if a list lags by more than `settle` (measured between
//! twins: 41 to 148 ms). Lists are made by folder: those by name are known to lag.
//!
//! Should that happen all the same, the loser is found out at the next start, before anything is written:
//! every process looks once more before its first write. If it has read commits by the younger genesis, it
//! stops there (`Diverged`), for the core's place in the log is not one in the older log. From its next start
//! on it goes by the older genesis, whose log has other entries; the core takes that for another storage
//! (`Diverged`), deletes nothing and asks the application. Nothing that was written by the younger genesis
//! is deleted.
//!
//! A genesis that lost before it was settled is deleted by its maker: by the same rule nobody built on it.

mod make;
mod search;

use std::time::Duration;

use db_to_cloud::ErrorKind;
use serde::{Deserialize, Serialize};

use self::make::make;
use self::search::{add_known, age, look};
use crate::drive::{Drive, File};
use crate::error::Failure;
use crate::ids::Ids;

/// A slot carries the id of the slot so many after it.
pub(crate) const AHEAD: u64 = 64;
/// The name of the file.
pub(crate) const NAME: &str = "db-to-cloud.json";
const FORMAT: u32 = 1;

/// A storage: reserved ids of all that has a fixed place in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Genesis {
    #[serde(default)]
    pub(crate) id: String,
    pub(crate) content: Content,
}

/// The content of the file, in JSON.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Content {
    #[serde(rename = "db-to-cloud-google-drive")]
    format: u32,
    /// For people.
    about: String,
    /// The folder around it.
    pub(crate) folder: String,
    /// The folders in it.
    pub(crate) changes: String,
    pub(crate) docs: String,
    pub(crate) snapshot: String,
    pub(crate) probe: String,
    pub(crate) locks: String,
    /// `meta.json`, and the first of the locks.
    pub(crate) meta: String,
    pub(crate) lock: String,
    /// The slots from 1 on.
    pub(crate) slots: Vec<String>,
}

/// Where a storage is looked for.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    pub(crate) segments: Vec<String>,
    pub(crate) settle: Duration,
}

/// The genesis that a reader goes by: the oldest there is. `None` if there is none to be seen: then
/// nothing was written, as far as lists tell. Nothing is decided by it but to look again before writing.
pub(crate) async fn find(drive: &Drive, place: &Place) -> Result<Option<Genesis>, Failure> {
    let found = look(drive, place).await?;
    match found.genesis.first() {
        None => Ok(None),
        Some((folder, oldest)) => read(drive, oldest, folder).await,
    }
}

/// The folder that a storage would be made in; `None` if it is not there.
pub(crate) async fn folder(drive: &Drive, place: &Place) -> Result<Option<String>, Failure> {
    Ok(look(drive, place).await?.folder)
}

/// The genesis that a writer goes by: settled, and made if there is none. `known` is the one that this
/// device went by until now.
pub(crate) async fn settle(
    drive: &Drive,
    ids: &Ids,
    place: &Place,
    known: Option<&Genesis>,
) -> Result<Genesis, Failure> {
    let mut own: Option<Genesis> = None;
    loop {
        let mut found = look(drive, place).await?;
        add_known(drive, &mut found, known).await?;
        add_known(drive, &mut found, own.as_ref()).await?;
        let Some((folder, oldest)) = found.genesis.first() else {
            if own.is_none() {
                own = Some(make(drive, ids, place, &found).await?);
            }
            continue;
        };
        let age = age(oldest, found.date)?;
        own = give_up(drive, own, oldest, (place, found.date)).await;
        // The date of an answer has whole seconds only.
        if let Some(rest) = place.settle.checked_sub(age).filter(|rest| !rest.is_zero()) {
            // Looks in between: who lost should know before it is settled.
            let pause = rest.min(place.settle / 4).max(Duration::from_millis(100));
            tokio::time::sleep(pause).await;
            continue;
        }
        let Some(genesis) = read(drive, oldest, folder).await? else { continue };
        for (_, twin) in found.genesis.iter().skip(1) {
            tracing::warn!(
                id = twin.id,
                created = twin.created_time,
                "a second storage at the same place: two devices set it up at once. The older one \
                 is used; what a device wrote into this one is merged when it syncs again"
            );
        }
        return Ok(genesis);
    }
}

/// Deletes the own one if there is an older one and nobody can have gone by the own one yet, as it is not
/// settled. If that fails it stays, and is told of.
async fn give_up(
    drive: &Drive,
    own: Option<Genesis>,
    oldest: &File,
    (place, now): (&Place, u64),
) -> Option<Genesis> {
    let genesis = match own {
        Some(own) if own.id != oldest.id => own,
        winner => return winner,
    };
    let file = drive.metadata(&genesis.id).await.ok().flatten()?;
    // What is left of the last second is not in the date.
    let is_young = age(&file, now).is_ok_and(|age| age + Duration::from_secs(1) < place.settle);
    if is_young && drive.delete(&genesis.id).await.is_err() {
        tracing::debug!("a genesis that lost could not be deleted");
    }
    None
}

/// `None` if it was deleted meanwhile.
async fn read(drive: &Drive, file: &File, folder: &str) -> Result<Option<Genesis>, Failure> {
    if file.trashed {
        let why = "the storage is in the bin of Drive: restore it, or delete it for good";
        return Err(Failure::storage(ErrorKind::InvalidInput, why));
    }
    let Some(bytes) = drive.media(&file.id).await? else { return Ok(None) };
    parse(&bytes, &file.id, folder).map(Some)
}

fn parse(bytes: &[u8], id: &str, folder: &str) -> Result<Genesis, Failure> {
    #[derive(Deserialize)]
    struct Any {
        #[serde(rename = "db-to-cloud-google-drive")]
        format: u32,
    }
    let damaged = || {
        let why = "db-to-cloud.json in the folder of the storage is damaged: restore an earlier \
                   version of it in Drive";
        Failure::storage(ErrorKind::Corrupt, why)
    };
    let any: Any = serde_json::from_slice(bytes).map_err(|_| damaged())?;
    if any.format > FORMAT {
        let why = "the storage is of a newer version of db-to-cloud-google-drive: update this one";
        return Err(Failure::storage(ErrorKind::NewerFormat, why));
    }
    let mut content: Content = serde_json::from_slice(bytes).map_err(|_| damaged())?;
    if content.slots.len() as u64 != AHEAD {
        return Err(damaged());
    }
    // It may have been moved.
    folder.clone_into(&mut content.folder);
    Ok(Genesis { id: id.to_owned(), content })
}
