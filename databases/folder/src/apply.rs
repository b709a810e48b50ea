//! Many writes at a time.

use std::collections::{BTreeMap, BTreeSet};

use db_to_cloud::Write;
use rustix::fs::AtFlags;

use crate::content::{hash_of, revision};
use crate::database::Shared;
use crate::error::FolderError;
use crate::install::{Applied, Job, Stage, Staged};
use crate::path::{DocumentPath, parent};
use crate::root::Parent;
use crate::survey::{in_parallel, look};

/// Reading and writing is partly waiting, too.
const THREADS: usize = 8;
/// Bringing files to the disk is all waiting. Those that wait at the same time share a commit of the
/// file system's journal; more threads than this gain nothing.
const WAITING: usize = 32;

/// A put on its way.
enum Put<'a> {
    Staged(Job<'a>, Staged<'a>),
    Over(Outcome),
}

/// What became of a write, in the words of the core.
pub(crate) fn outcome(result: Result<Applied, FolderError>) -> db_to_cloud::Outcome {
    match result {
        Ok(Applied::Done) => db_to_cloud::Outcome::Done,
        Ok(Applied::Changed) => db_to_cloud::Outcome::Changed,
        Err(error) => db_to_cloud::Outcome::Refused(error.into()),
    }
}

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
    let put = put_all(shared, puts.iter().map(|i| &writes[*i]).collect());
    outcomes.extend(puts.into_iter().zip(put));
    outcomes
}

/// Makes these puts. All contents are brought to the disk before the first is put in its place: a
/// rename in between would have the next file wait for one more commit of the file system's journal,
/// which is more than twice as slow.
fn put_all(shared: &Shared, writes: Vec<&Write>) -> Vec<Outcome> {
    let (threads, waiting) = (THREADS.min(writes.len()), WAITING.min(writes.len()));
    let staged = in_parallel(threads, writes, |write| stage(shared, write));
    let on_disk = in_parallel(waiting, staged, sync);
    in_parallel(threads, on_disk, install)
}

/// The folders that a path leads through.
fn folders(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(parent(path)), |path| Some(parent(path)))
        .take_while(|path| !path.is_empty())
}

fn apply_one(shared: &Shared, write: &Write) -> Outcome {
    match (&write.document, &write.expected) {
        (Some(_), _) => install(sync(stage(shared, write))),
        (None, Some(expected)) => match job(shared, write) {
            Ok(mut job) => {
                let result = job.delete(expected);
                Outcome { result, touched: job.touched }
            }
            Err(error) => Outcome::failed(error),
        },
        (None, None) => {
            let found = job(shared, write).and_then(|job| look(shared, "delete", &job.path));
            let result = found.map(|found| match found {
                Some(_) => Applied::Changed,
                None => Applied::Done,
            });
            Outcome { result, touched: Vec::new() }
        }
    }
}

fn job<'a>(shared: &'a Shared, write: &Write) -> Result<Job<'a>, FolderError> {
    Ok(Job { shared, path: DocumentPath::parse(&write.id)?, touched: Vec::new() })
}

fn stage<'a>(shared: &'a Shared, write: &'a Write) -> Put<'a> {
    let mut job = match job(shared, write) {
        Ok(job) => job,
        Err(error) => return Put::Over(Outcome::failed(error)),
    };
    let result = match stage_job(&mut job, write) {
        Ok(Stage::Staged(staged)) => return Put::Staged(job, staged),
        Ok(Stage::Over(applied)) => Ok(applied),
        Err(error) => Err(error),
    };
    Put::Over(Outcome { result, touched: job.touched })
}

fn stage_job<'a>(job: &mut Job<'a>, write: &'a Write) -> Result<Stage<'a>, FolderError> {
    // A delete is not staged.
    let Some(document) = &write.document else { return Ok(Stage::Over(Applied::Changed)) };
    let hash = hash_of(&document.bytes);
    if revision(&hash) != document.revision {
        let path = job.shared.root.full(job.path.as_str());
        return Err(FolderError::ForeignRevision { path });
    }
    match &write.expected {
        Some(expected) => job.stage_over(&document.bytes, hash, expected),
        None => job.stage_new(&document.bytes),
    }
}

fn sync(put: Put<'_>) -> Put<'_> {
    let Put::Staged(job, staged) = put else { return put };
    match job.sync(&staged) {
        Ok(()) => Put::Staged(job, staged),
        Err(error) => Put::Over(Outcome { result: Err(error), touched: job.touched }),
    }
}

fn install(put: Put<'_>) -> Outcome {
    match put {
        Put::Staged(mut job, staged) => {
            let result = job.install(staged);
            Outcome { result, touched: job.touched }
        }
        Put::Over(outcome) => outcome,
    }
}

impl Outcome {
    fn failed(error: FolderError) -> Self {
        Self { result: Err(error), touched: Vec::new() }
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
