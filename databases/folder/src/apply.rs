//! Many writes at a time, in the order that makes room.
//!
//! 1. Everything is compared with what is expected of it ([`crate::batch`]).
//! 2. All new contents are written into the limbo and brought to the disk.
//! 3. What needs the place of a put that failed so far is not deleted.
//! 4. The others are deleted: taken into the limbo. A file that was renamed on the other device is
//!    taken there too, and is then the new content of its other name: it takes no room on the disk.
//! 5. The new contents are put in their places.
//!
//! A process that is stopped in between leaves documents that are not there yet. Their bytes are in
//! the storage, and the next sync finds the batch as one that was begun.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;

use db_to_cloud::{Outcome, Write};

use crate::attributes::Bits;
use crate::batch::{Item, Step, full, hold_back, plan};
use crate::error::FolderError;
use crate::folders::Folders;
use crate::install::{Applied, Staged};
use crate::limbo::Permissions;
use crate::obstacle::{Obstacle, remove_empty};
use crate::path::parent;
use crate::shared::Shared;
use crate::stamp::{Look, Stamp};
use crate::survey::in_parallel;
use crate::{arrivals, respell, sweep};

/// Reading and writing is partly waiting, too.
const THREADS: usize = 8;
/// Bringing files to the disk is all waiting. Those that wait at the same time share a commit of the
/// file system's journal; more threads than this gain nothing.
const WAITING: usize = 32;

/// Makes these writes, and brings each folder to the disk once. It blocks.
pub(crate) fn apply(shared: &Shared, writes: &[Write]) -> Vec<Outcome> {
    let folders = Folders::new(&shared.root);
    let check = |write| Item::new(shared, &folders, write);
    let mut items = in_parallel(THREADS, writes.iter().collect(), check);
    plan(shared, &mut items);
    arrivals::remember(shared, &mut items);
    stage(shared, &mut items);
    hold_back(&mut items);
    let mut touched = BTreeSet::new();
    make_room(shared, &folders, &mut items, &mut touched);
    install(&mut items);
    bring_to_disk(shared, &mut items, touched);
    remember(shared, &items);
    shared.limbos.close();
    items.into_iter().map(outcome).collect()
}

fn outcome(item: Item<'_>) -> Outcome {
    match item.step {
        Step::Over(Ok(Applied::Done)) => Outcome::Done,
        Step::Over(Ok(Applied::Changed)) => Outcome::Changed,
        Step::Over(Err(error)) if error.is_final() => Outcome::Refused(error.into()),
        Step::Over(Err(error)) => Outcome::Blocked(error.into()),
        Step::Delete(_) | Step::Put(_) => Outcome::Blocked("the write was not made".into()),
    }
}

/// Writes all contents into the limbo and brings them to the disk, before the first is put in its
/// place: a rename in between would have the next file wait for one more commit of the file system's
/// journal, which is more than twice as slow.
fn stage(shared: &Shared, items: &mut [Item<'_>]) {
    write_all(items);
    let lacks_space =
        |item: &Item<'_>| matches!(&item.step, Step::Over(Err(error)) if error.is_no_space());
    if !items.iter().any(lacks_space) {
        return;
    }
    // What was replaced and deleted before takes room that is needed now.
    sweep::make_room(shared);
    for item in items.iter_mut().filter(|item| lacks_space(item)) {
        if let Some(job) = item.job.take() {
            let needs = std::mem::take(&mut item.needs);
            *item = Item::new(job.shared, job.folders, item.write);
            item.needs = needs;
        }
    }
    write_all(items);
}

fn write_all(items: &mut [Item<'_>]) {
    let puts = |items: &mut [Item<'_>]| -> usize {
        items.iter_mut().filter_map(Item::put).filter(|put| put.source.is_none()).count()
    };
    if puts(items) == 0 {
        return;
    }
    in_parallel(THREADS, items.iter_mut().collect(), |item: &mut Item<'_>| {
        let (wanted, bytes) =
            (item.wanted(), item.write.document.as_ref().map(|d| d.bytes.clone()));
        let Some((job, put)) = item.job_and_put() else { return };
        let (None, None, Some(bytes)) = (put.source, &put.staged, bytes) else { return };
        match job.stage(&bytes, put.over.as_ref(), wanted) {
            Ok(staged) => put.staged = Some(staged),
            Err(error) => item.end(Err(error)),
        }
    });
    in_parallel(WAITING, items.iter_mut().collect(), sync);
}

fn sync(item: &mut Item<'_>) {
    let Some((job, put)) = item.job_and_put() else { return };
    let result = put.staged.as_ref().map_or(Ok(()), |staged| job.sync(staged));
    if let Err(error) = result {
        item.end(Err(error));
    }
}

/// Deletes, takes the files that get another name, and clears the places of new documents.
fn make_room(
    shared: &Shared,
    folders: &Folders<'_>,
    items: &mut [Item<'_>],
    touched: &mut BTreeSet<String>,
) {
    let taken = in_parallel(THREADS, items.iter_mut().enumerate().collect(), take);
    let mut taken: BTreeMap<usize, String> = taken.into_iter().flatten().collect();
    let mut puts = items.iter_mut().filter_map(Item::put);
    if taken.is_empty() && puts.all(|put| put.obstacles.is_empty() && put.source.is_none()) {
        return;
    }
    let deleted: Vec<String> = taken.keys().map(|i| items[*i].path().to_owned()).collect();
    for item in items.iter_mut() {
        let permissions = Permissions::Own(item.wanted());
        let Some(put) = item.put() else { continue };
        let Some(source) = put.source else { continue };
        // If the file could not be taken, it is made of the bytes.
        put.source = Some(source).filter(|source| taken.contains_key(source));
        put.staged = taken.remove(&source).map(|name| Staged {
            name: Some(name),
            permissions,
            written: None,
        });
    }
    write_all(items);
    folders.forget();
    let mut obstacles: Vec<_> = items
        .iter_mut()
        .filter_map(Item::put)
        .flat_map(|put| std::mem::take(&mut put.obstacles))
        .collect();
    obstacles.sort_by_key(|obstacle| obstacle.at().len());
    for obstacle in &obstacles {
        if let Obstacle::Spelling { wanted, .. } = obstacle {
            respell::respell(shared, wanted, touched);
        }
    }
    let needed: BTreeSet<String> = items
        .iter()
        .filter(|item| matches!(item.step, Step::Put(_)))
        .flat_map(|item| above(item.path()).map(str::to_owned))
        .collect();
    for path in &deleted {
        prune(folders, parent(path), &needed, touched);
    }
    folders.forget();
    for obstacle in &obstacles {
        if let Obstacle::Folder { at } = obstacle {
            clear(folders, at, touched);
        }
    }
    folders.forget();
}

/// Takes a document that is to be deleted into the limbo; its name there.
fn take((i, item): (usize, &mut Item<'_>)) -> Option<(usize, String)> {
    let Step::Delete(hash) = item.step else { return None };
    match item.job.as_mut()?.take(&hash) {
        Ok(Some(name)) => {
            item.step = Step::Over(Ok(Applied::Done));
            Some((i, name))
        }
        Ok(None) => {
            item.step = Step::Over(Ok(Applied::Changed));
            None
        }
        Err(error) => {
            item.step = Step::Over(Err(error));
            None
        }
    }
}

/// The folders that a path leads through.
fn above(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(parent(path)), |path| Some(parent(path)))
        .take_while(|path| !path.is_empty())
}

/// Removes a folder and those above it, as far as they are empty and not needed. The root stays.
fn prune(
    folders: &Folders<'_>,
    mut path: &str,
    needed: &BTreeSet<String>,
    touched: &mut BTreeSet<String>,
) {
    while !path.is_empty() && !needed.contains(path) {
        let above = parent(path);
        let Ok(Some(folder)) = folders.get("remove", above) else { return };
        let name = path.rsplit('/').next().unwrap_or(path);
        if !folders.root.is_exact(&folder, name).unwrap_or(false) {
            return;
        }
        // It fails if the folder is not empty; that is the question and the answer in one.
        if folder.remove_folder(name).is_err() {
            return;
        }
        touched.insert(above.to_owned());
        path = above;
        // On Windows no folder is removed as long as it is open.
        folders.forget();
    }
}

/// Removes a folder without files from the place of a document. If it has some by now, the document
/// will not be written.
fn clear(folders: &Folders<'_>, at: &str, touched: &mut BTreeSet<String>) {
    let Ok(Some(folder)) = folders.get("remove", parent(at)) else { return };
    let name = at.rsplit('/').next().unwrap_or(at);
    if remove_empty(&folder, OsStr::new(name)).is_ok() {
        touched.insert(parent(at).to_owned());
    }
}

/// Puts all staged contents in their places. A file that cannot get its new name gets back its old
/// one.
fn install(items: &mut [Item<'_>]) {
    // Two names may be one file where names are folded. Without the system's help there is a moment
    // between the look at a free place and the rename into it, in which the other would be lost.
    let folds =
        items.iter().filter_map(|item| item.job.as_ref()).any(|job| job.shared.root.folds());
    let threads = if folds { 1 } else { THREADS };
    let back = in_parallel(threads, items.iter_mut().collect(), install_one);
    for (source, name, place) in back.into_iter().flatten() {
        let is_back = items[source].job.as_mut().is_some_and(|job| job.bring_back(&name));
        if is_back {
            let path = full(&items[source]);
            items[source].step = Step::Over(Err(FolderError::HeldBack { path, place }));
        }
    }
}

/// The file that is to be brought back: its delete, its name in the limbo, and what failed.
fn install_one(item: &mut Item<'_>) -> Option<(usize, String, String)> {
    let place = item.path().to_owned();
    let is_wanted = item.wanted().is_executable();
    let (job, put) = item.job_and_put()?;
    let mut staged = put.staged.take()?;
    // A file that was moved may have been written by its owner a moment ago.
    let synced = if put.source.is_some() { job.sync(&staged) } else { Ok(()) };
    let result = synced.and_then(|()| job.install(&mut staged, put.over.as_ref()));
    if matches!(result, Ok(Applied::Done)) {
        job.written = staged.written.map(|stamp| (stamp, put.hash));
        // A renamed file may have been so before.
        let was_executable = put.over.as_ref().is_some_and(|over| over.mode & 0o100 != 0);
        job.made_executable = is_wanted && !was_executable && put.source.is_none();
    }
    let back = match (put.source, staged.name.take()) {
        (Some(source), Some(name)) => Some((source, name, place)),
        (None, name) => {
            put.staged = Some(Staged { name, ..staged });
            None
        }
        (Some(_), None) => None,
    };
    item.end(result);
    back
}

/// Remembers the hashes of what was written, so that it is not read again to find out that nobody edited it.
fn remember(shared: &Shared, items: &[Item<'_>]) {
    let folders = Folders::new(&shared.root);
    for job in items.iter().filter_map(|item| item.job.as_ref()) {
        if job.made_executable && job.limbo.bits == Bits::Kept {
            shared.note_executable(job.path.as_str());
        }
        let Some((written, hash)) = job.written else { continue };
        let path = job.path.as_str();
        let Ok(Some(folder)) = folders.get("write", job.path.parent()) else { continue };
        if let Ok(Some(Look::File { stamp, .. })) = folder.look(job.path.name())
            && stamp == (Stamp { ctime: stamp.ctime, ..written })
        {
            shared.memory.wrote(&shared.cache, path, stamp, hash);
        }
    }
}

/// Brings the changed entries of folders to the disk; a write of which one fails has failed.
fn bring_to_disk(shared: &Shared, items: &mut [Item<'_>], mut touched: BTreeSet<String>) {
    let jobs = || items.iter().filter_map(|item| item.job.as_ref());
    touched.extend(jobs().flat_map(|job| job.touched.iter().cloned()));
    let folders = Folders::new(&shared.root);
    let mut failures = BTreeMap::new();
    for folder in touched {
        let result = match folders.get("write", &folder) {
            Ok(Some(handle)) => handle.sync(),
            // It was removed, which is on the disk with the folder above.
            _ => Ok(()),
        };
        if let Err(error) = result {
            failures.insert(folder, error.kind());
        }
    }
    for item in items {
        let Some(job) = &item.job else { continue };
        let failed = job.touched.iter().find_map(|folder| Some((folder, failures.get(folder)?)));
        if let Some((folder, kind)) = failed {
            let path = shared.root.full(folder);
            let error = FolderError::io("write", path)(std::io::Error::from(*kind));
            item.step = Step::Over(Err(error));
        }
    }
}
