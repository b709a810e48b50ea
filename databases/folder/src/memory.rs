//! What was seen and read since the last listing.
//!
//! The stored cache holds only stamps that were settled when the file was read, so that a later
//! listing may trust it. In here are the others too: an edit in the same tick of the file system's
//! clock leaves such a stamp as it was. They answer [`revisions`](db_to_cloud::Database::revisions)
//! and nothing else. Two things make that safe: each listing forgets them and has such files read
//! again, and a write compares contents.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::cache::Cache;
use crate::content::Hash;
use crate::limbo::Limbo;
use crate::stamp::Stamp;

/// More files than this are not remembered; they cost one more look each.
const MOST: usize = 200_000;
/// Hashes are saved so many at a time.
const SAVE: usize = 500;
/// So long the time of the file system's clock is used. Less than a day, from which on a time is
/// taken for that of a wrong clock.
const CLOCK: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: HashMap<String, Seen>,
    /// Settled, and not in the stored cache yet.
    unsaved: Vec<(String, Stamp, Hash)>,
    /// When the clock of the file system was read, and what it said.
    clock: Option<(Instant, i64)>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    stamp: Stamp,
    /// `None` until it is read.
    hash: Option<Hash>,
}

impl Memory {
    /// Forgets all, as a listing begins.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.files.clear();
        inner.clock = None;
    }

    /// A file that was listed and not read.
    pub(crate) fn listed(&self, path: &str, stamp: Stamp) {
        let mut inner = self.lock();
        if inner.files.len() < MOST {
            inner.files.insert(path.to_owned(), Seen { stamp, hash: None });
        }
    }

    /// The stamp that a file had when it was seen last.
    pub(crate) fn stamp(&self, path: &str) -> Option<Stamp> {
        self.lock().files.get(path).map(|seen| seen.stamp)
    }

    /// The hash of a file that was read when it had this stamp.
    pub(crate) fn find(&self, path: &str, stamp: &Stamp) -> Option<Hash> {
        self.lock().files.get(path).filter(|seen| seen.stamp == *stamp)?.hash
    }

    /// A time by the clock of the file system that is not later than now.
    pub(crate) fn now(&self, limbo: &Limbo) -> Option<i64> {
        let mut inner = self.lock();
        if let Some((read, now)) = inner.clock
            && read.elapsed() < CLOCK
        {
            return Some(now);
        }
        let now = limbo.clock()?;
        inner.clock = Some((Instant::now(), now));
        Some(now)
    }

    /// A file that was read after `now`.
    pub(crate) fn read(
        &self,
        cache: &Cache,
        path: &str,
        stamp: Stamp,
        hash: Hash,
        now: Option<i64>,
    ) {
        let mut inner = self.lock();
        if inner.files.len() < MOST || inner.files.contains_key(path) {
            inner.files.insert(path.to_owned(), Seen { stamp, hash: Some(hash) });
        }
        if now.is_some_and(|now| stamp.is_settled(now)) {
            inner.unsaved.push((path.to_owned(), stamp, hash));
        }
        let is_full = inner.unsaved.len() >= SAVE;
        drop(inner);
        if is_full {
            self.save(cache);
        }
    }

    /// Brings what may be trusted later into the stored cache.
    pub(crate) fn save(&self, cache: &Cache) {
        let unsaved = std::mem::take(&mut self.lock().unsaved);
        let rows: Vec<_> = unsaved.iter().map(|(path, s, h)| (path.as_str(), *s, *h)).collect();
        cache.save(&rows);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
