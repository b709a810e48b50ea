//! Many writes at a time.

use std::collections::{BTreeMap, BTreeSet};

use db_to_cloud::{Applied, Document, Write};
use rustix::fs::AtFlags;

use crate::content::{hash_of, revision};
use crate::database::Shared;
use crate::error::FolderError;
use crate::install::Job;
use crate::path::{DocumentPath, parent};
use crate::root::Parent;
use crate::survey::{in_parallel, look};

/// Bringing files to the disk is waiting: more threads than cores share the waits.
const THREADS: usize = 8;

/// What became of one write, and which folders must be brought to the disk for it.
struct Outcome {
    result: Result<Applied, FolderError>,
    touched: Vec<String>,
}

/// Makes these writes, and brings each folder to the disk once. It blocks.
pub(crate) fn apply(shared: &Shared, writes: &[Write]) -> Vec<Result<Applied, FolderError>> {
    let distinct = writes.iter().map(|write| &write.id).collect::<BTreeSet<_>>();
    let mut emptied = BTreeSet::new();
    let mut outcomes = if distinct.len() == writes.len() {
        deletes_then_puts(shared, writes, &mut emptied)
    } else {
        // Several writes of one document are made in their order.
        writes.iter().map(|write| apply_one(shared, write)).enumerate().collect()
    };
    bring_to_disk(shared, &mut outcomes, emptied);
    outcomes.into_values().map(|outcome| outcome.result).collect()
}

/// Deletes first, as a folder may become a file or a file a folder.
fn deletes_then_puts(
    shared: &Shared,
    writes: &[Write],
    emptied: &mut BTreeSet<String>,
) -> BTreeMap<usize, Outcome> {
    let is_delete = |i: &usize| writes[*i].document.is_none();
    let (deletes, puts): (Vec<_>, Vec<_>) = (0..writes.len()).partition(is_delete);
    let one = |i: &usize| apply_one(shared, &writes[*i]);
    let mut outcomes: BTreeMap<_, _> = deletes.iter().map(|i| (*i, one(i))).collect();
    let path = |i: &usize| writes[*i].id.as_str().unwrap_or_default();
    let needed: BTreeSet<_> = puts.iter().flat_map(|i| folders(path(i))).collect();
    for i in deletes.iter().filter(|i| matches!(outcomes[i].result, Ok(Applied::Done))) {
        prune(shared, parent(path(i)), &needed, emptied);
    }
    let put = in_parallel(THREADS.min(puts.len()), &puts, one);
    outcomes.extend(puts.into_iter().zip(put));
    outcomes
}

/// The folders that a path leads through.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(parent(path)), |path| Some(parent(path)))
        .take_while(|path| !path.is_empty())
}

fn apply_one(shared: &Shared, write: &Write) -> Outcome {
    let path = match DocumentPath::parse(&write.id) {
        Ok(path) => path,
        Err(error) => return Outcome { result: Err(error), touched: Vec::new() },
    };
    let mut job = Job { shared, path: &path, touched: Vec::new() };
    let result = match (&write.document, &write.expected) {
        (Some(document), expected) => put(&mut job, document, expected.as_ref()),
        (None, Some(expected)) => job.delete(expected),
        (None, None) => look(shared, "delete", &path).map(|found| match found {
            Some(_) => Applied::Changed,
            None => Applied::Done,
        }),
    };
    Outcome { result, touched: job.touched }
}

fn put(
    job: &mut Job<'_>,
    document: &Document,
    expected: Option<&db_to_cloud::Revision>,
) -> Result<Applied, FolderError> {
    let hash = hash_of(&document.bytes);
    if revision(&hash) != document.revision {
        let path = job.shared.root.full(job.path.as_str());
        return Err(FolderError::ForeignRevision { path });
    }
    match expected {
        Some(expected) => job.replace(&document.bytes, &hash, expected),
        None => job.create(&document.bytes),
    }
}

/// Removes a folder and those above it, as far as they are empty and not needed. The root stays.
fn prune(shared: &Shared, mut path: &str, needed: &BTreeSet<&str>, touched: &mut BTreeSet<String>) {
    while !path.is_empty() && !needed.contains(path) {
        let above = parent(path);
        let Ok(Parent::Found(folder)) = shared.root.folder("remove", above) else { return };
        let name = path.rsplit('/').next().unwrap_or(path);
        // It fails if the folder is not empty; that is the question and the answer in one.
        if rustix::fs::unlinkat(&folder, name, AtFlags::REMOVEDIR).is_err() {
            return;
        }
        touched.insert(above.to_owned());
        path = above;
    }
}

/// Brings the changed entries of folders to the disk; a write of which one fails has failed.
fn bring_to_disk(
    shared: &Shared,
    outcomes: &mut BTreeMap<usize, Outcome>,
    emptied: BTreeSet<String>,
) {
    let mut folders = emptied;
    folders.extend(outcomes.values().flat_map(|outcome| outcome.touched.iter().cloned()));
    let mut failures = BTreeMap::new();
    for folder in folders {
        let result = match shared.root.folder("write", &folder) {
            Ok(Parent::Found(handle)) => rustix::fs::fsync(&handle).map_err(std::io::Error::from),
            // It was removed, which is on the disk with the folder above.
            _ => Ok(()),
        };
        if let Err(error) = result {
            failures.insert(folder, error.kind());
        }
    }
    for outcome in outcomes.values_mut() {
        let failed =
            outcome.touched.iter().find_map(|folder| Some((folder, failures.get(folder)?)));
        if let Some((folder, kind)) = failed {
            let path = shared.root.full(folder);
            outcome.result = Err(FolderError::io("write", path)(std::io::Error::from(*kind)));
        }
    }
}
