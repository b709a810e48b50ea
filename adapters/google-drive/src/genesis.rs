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

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::ErrorKind;
use serde::{Deserialize, Serialize};

use crate::drive::{Drive, FOLDER, File, Made, New};
use crate::error::Failure;
use crate::ids::Ids;

/// A slot carries the id of the slot so many after it.
pub(crate) const AHEAD: u64 = 64;
/// The name of the file.
const NAME: &str = "db-to-cloud.json";
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

/// What a look found.
struct Found {
    /// Oldest first.
    genesis: Vec<(String, File)>,
    /// The oldest folder at the end of the path, if it is there.
    folder: Option<String>,
    /// The last folder that is there, and which of the path are missing.
    last: (String, usize),
    date: u64,
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

async fn look(drive: &Drive, place: &Place) -> Result<Found, Failure> {
    let mut level = vec![drive.space.top().to_owned()];
    // The earliest of these lists is the one whose time counts.
    let mut date: Option<u64> = None;
    let mut note = |of: Option<u64>| date = Some(of.unwrap_or(0).min(date.unwrap_or(u64::MAX)));
    let mut last = (drive.space.top().to_owned(), 0);
    for (depth, name) in place.segments.iter().enumerate() {
        let mut twins = Vec::new();
        for parent in &level {
            let only = format!(" and mimeType = '{FOLDER}'");
            let listed = drive.list_all(parent, &only).await?;
            note(listed.date);
            twins.extend(listed.files.into_iter().filter(|file| file.name == *name));
        }
        sort(&mut twins, |file| file);
        level = twins.into_iter().map(|file| file.id).collect();
        match level.first() {
            Some(oldest) => last = (oldest.clone(), depth + 1),
            None => break,
        }
    }
    let folder = (last.1 == place.segments.len()).then(|| last.0.clone());
    let mut genesis = Vec::new();
    for parent in &level {
        let listed = drive.list_all(parent, &format!(" and mimeType != '{FOLDER}'")).await?;
        note(listed.date);
        let named = listed.files.into_iter().filter(|file| file.name == NAME);
        genesis.extend(named.map(|file| (parent.clone(), file)));
    }
    sort(&mut genesis, |(_, file)| file);
    Ok(Found { genesis, folder, last, date: date.unwrap_or_default() })
}

/// Oldest first. Times of RFC 3339 in UTC with the same precision are in the order of their text.
fn sort<T>(files: &mut [T], file: impl Fn(&T) -> &File) {
    files.sort_by(|a, b| {
        let (a, b) = (file(a), file(b));
        (&a.created_time, &a.id).cmp(&(&b.created_time, &b.id))
    });
}

/// What this device knows by id is there, whatever the list shows.
async fn add_known(
    drive: &Drive,
    found: &mut Found,
    known: Option<&Genesis>,
) -> Result<(), Failure> {
    let Some(known) = known else { return Ok(()) };
    if found.genesis.iter().any(|(_, file)| file.id == known.id) {
        return Ok(());
    }
    if let Some(file) = drive.metadata(&known.id).await? {
        found.genesis.push((known.content.folder.clone(), file));
        sort(&mut found.genesis, |(_, file)| file);
    }
    Ok(())
}

fn age(file: &File, now: u64) -> Result<Duration, Failure> {
    let created = humantime::parse_rfc3339_weak(&file.created_time).ok();
    let created = created.and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    let created = created.filter(|_| now > 0);
    let created =
        created.ok_or_else(|| Failure::not_drive("a file or an answer without a time"))?;
    Ok(Duration::from_millis(now).saturating_sub(created))
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

/// Makes the folders of the path that are missing, and a genesis.
async fn make(drive: &Drive, ids: &Ids, place: &Place, found: &Found) -> Result<Genesis, Failure> {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn file(id: &str, created: &str) -> File {
        let (name, size, md5_checksum) = Default::default();
        let (id, created_time) = (id.to_owned(), created.to_owned());
        File { id, name, created_time, trashed: false, size, md5_checksum }
    }

    #[test]
    fn the_oldest_is_first_and_of_twins_the_smaller_id() {
        let (early, late) = ("2026-01-01T00:00:00.999Z", "2026-01-01T00:00:01.000Z");
        let mut files = [file("c", late), file("b", early), file("a", late), file("a", early)];
        sort(&mut files, |file| file);
        let order: Vec<_> = files.iter().map(|f| (&*f.id, &*f.created_time)).collect();
        assert_eq!(order, [("a", early), ("b", early), ("a", late), ("c", late)]);
    }

    #[test]
    fn the_age_is_by_googles_clock_alone() {
        let made = file("a", "1970-01-01T00:00:10.500Z");
        assert_eq!(age(&made, 12_000).unwrap(), Duration::from_millis(1500));
        assert_eq!(age(&made, 10_000).unwrap(), Duration::ZERO, "the date has whole seconds");
        assert!(age(&made, 0).is_err() && age(&file("a", ""), 12_000).is_err());
    }
}
