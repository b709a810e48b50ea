//! The hashes of many files: from the cache, else by reading them, several at a time.

use std::sync::{Mutex, PoisonError};
use std::thread;

use crate::content::{self, Hash};
use crate::error::FolderError;
use crate::folders::Folders;
use crate::path::DocumentPath;
use crate::shared::Shared;
use crate::stamp::{Look, Stamp};

/// So much is hashed by one thread, as starting more would take longer.
const LITTLE: u64 = 1024 * 1024;
/// More would only compete for the disk.
const MOST_THREADS: usize = 4;

/// A file that was seen.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(crate) path: DocumentPath,
    pub(crate) stamp: Stamp,
}

pub(crate) type Surveyed = Result<Option<Hash>, FolderError>;

/// A document's file as it is seen without reading it, with its permission bits; `None` if there
/// is no such file.
pub(crate) fn look(
    folders: &Folders<'_>,
    operation: &'static str,
    path: &DocumentPath,
) -> Result<Option<(Stamp, u32)>, FolderError> {
    let full = || folders.root.full(path.as_str());
    let Some(folder) = folders.get(operation, path.parent())? else { return Ok(None) };
    let look = folder.look(path.name()).map_err(FolderError::io(operation, full()))?;
    match look {
        None | Some(Look::Folder) => Ok(None),
        Some(Look::Link) => Err(FolderError::Link { operation, path: full() }),
        Some(Look::Special) => Err(FolderError::Special { operation, path: full() }),
        Some(Look::File { stamp, mode }) => {
            let exact = folders.root.is_exact(&folder, path.name());
            let exact = exact.map_err(FolderError::io(operation, full()))?;
            Ok(exact.then_some((stamp, mode)))
        }
    }
}

/// The hashes of these files, in their order; `None` for one that is gone.
pub(crate) fn survey(shared: &Shared, candidates: &[Candidate]) -> Vec<Surveyed> {
    if candidates.is_empty() {
        return Vec::new();
    }
    // Before the first file is read: what is settled now stays so.
    let now: Vec<_> = candidates.iter().map(|c| shared.now(c.path.as_str())).collect();
    let known: Vec<_> = candidates.iter().map(|c| (c.path.as_str(), c.stamp)).collect();
    let known = shared.cache.find(&known);
    let is_unknown = |i: &usize| known[*i].is_none();
    let (unknown, now): (Vec<_>, Vec<_>) =
        (0..candidates.len()).filter(is_unknown).map(|i| (&candidates[i], now[i])).unzip();
    let read = read_all(shared, &unknown);
    let settled = unknown.iter().zip(&read).zip(now);
    let settled = settled.filter_map(|((candidate, result), now)| match result {
        Ok(Some((stamp, hash))) if now.is_some_and(|now| stamp.is_settled(now)) => {
            Some((candidate.path.as_str(), *stamp, *hash))
        }
        _ => None,
    });
    shared.cache.save(&settled.collect::<Vec<_>>());
    let mut read = read.into_iter();
    let mut next = || match read.next() {
        Some(result) => result.map(|found| found.map(|(_, hash)| hash)),
        None => Ok(None),
    };
    known.into_iter().map(|hash| hash.map_or_else(&mut next, |hash| Ok(Some(hash)))).collect()
}

type Read = Result<Option<(Stamp, Hash)>, FolderError>;

fn read_all(shared: &Shared, files: &[&Candidate]) -> Vec<Read> {
    let read = |file: &&Candidate| content::hash(&shared.root, &file.path);
    let bytes = files.iter().map(|file| file.stamp.size).fold(0, u64::saturating_add);
    let cores = thread::available_parallelism().map_or(1, usize::from);
    let threads = cores.min(MOST_THREADS).min(files.len());
    if threads < 2 || (bytes < LITTLE && files.len() < 64) {
        return files.iter().map(read).collect();
    }
    in_parallel(threads, files.iter().collect(), read)
}

/// Does the work on all items, a thread taking the next one whenever it is done with one.
pub(crate) fn in_parallel<T: Send, R: Send>(
    threads: usize,
    items: Vec<T>,
    work: impl Fn(T) -> R + Sync,
) -> Vec<R> {
    let threads = threads.min(items.len());
    if threads < 2 {
        return items.into_iter().map(work).collect();
    }
    let items = Mutex::new(items.into_iter().enumerate());
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let worker = || {
        let mut done = Vec::new();
        while let Some((i, item)) = next() {
            done.push((i, work(item)));
        }
        done
    };
    let mut results = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(worker)).collect();
        // A panic goes on: an answer that is missing must not look like a missing file.
        let join = |worker: thread::ScopedJoinHandle<'_, Vec<(usize, R)>>| {
            worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        workers.into_iter().flat_map(join).collect::<Vec<_>>()
    });
    results.sort_unstable_by_key(|(i, _)| *i);
    results.into_iter().map(|(_, result)| result).collect()
}
