//! What was seen and read since the last listing.
//!
//! The stored cache holds only stamps that were settled when the file was read, so that a later
//! listing may trust it. In here are the others too: an edit in the same tick of the file system's
//! clock leaves such a stamp as it was. They answer [`revisions`](db_to_cloud::Database::revisions)
//! and nothing else. Two things make that safe: each listing forgets them and has such files read
//! again, and a write compares contents.

use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::attributes::Bits;
use crate::cache::Cache;
use crate::content::Hash;
use crate::stamp::Stamp;

/// More files than this are not remembered; they cost one more look each.
const MOST: usize = 200_000;
/// Hashes are saved so many at a time.
const SAVE: usize = 500;
/// So long the time of the file system's clock is used. Less than a day, from which on a time is
/// taken for that of a wrong clock.
const CLOCK: Duration = Duration::from_secs(60);

/// So many files are read before they are asked for: to wake a thread for each costs more than to
/// read a small file.
const AHEAD: usize = 32;
/// No larger ones.
const SMALL: u64 = 64 * 1024;
/// So many bytes are kept for the time being.
const AHEAD_BYTES: u64 = 1024 * 1024;

#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    files: BTreeMap<String, Seen>,
    /// Contents that were read before they were asked for.
    ahead: HashMap<String, Kept>,
    ahead_bytes: u64,
    /// Settled, and not in the stored cache yet.
    unsaved: Vec<(String, Stamp, Hash)>,
    /// When the clock of each file system was read, and what it said.
    clocks: HashMap<String, (Instant, i64)>,
    /// What is known of the file systems mounted inside.
    bits: HashMap<String, Bits>,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    stamp: Stamp,
    /// `None` until it is read.
    hash: Option<Hash>,
}

/// A content that was read before it was asked for.
#[derive(Debug)]
pub(crate) struct Kept {
    /// The stamp of its file before it was read.
    pub(crate) stamp: Stamp,
    pub(crate) bytes: Bytes,
    /// A time before it was read.
    pub(crate) now: Option<i64>,
}

impl Memory {
    /// Forgets all, as a listing begins.
    pub(crate) fn clear(&self) {
        let mut inner = self.lock();
        inner.files.clear();
        inner.ahead.clear();
        inner.ahead_bytes = 0;
        inner.clocks.clear();
        inner.bits.clear();
    }

    /// A file that was listed and not read.
    pub(crate) fn listed(&self, path: &str, stamp: Stamp) {
        let mut inner = self.lock();
        if inner.files.len() < MOST {
            inner.files.insert(path.to_owned(), Seen { stamp, hash: None });
        }
    }

    /// The stamp that a file had when it was seen last, and whether it was not read since.
    pub(crate) fn seen(&self, path: &str) -> Option<(Stamp, bool)> {
        self.lock().files.get(path).map(|seen| (seen.stamp, seen.hash.is_none()))
    }

    /// Small files that will be asked for next if all that were listed are, in the order of their
    /// paths: those after this one that were not read yet.
    pub(crate) fn next(&self, path: &str) -> Vec<(String, Stamp)> {
        let inner = self.lock();
        let after = (Bound::Excluded(path), Bound::Unbounded);
        let mut room = AHEAD_BYTES.saturating_sub(inner.ahead_bytes);
        let mut next = Vec::new();
        for (path, seen) in inner.files.range::<str, _>(after).take(AHEAD) {
            if seen.hash.is_some() || inner.ahead.contains_key(path) {
                continue;
            }
            if seen.stamp.size > SMALL.min(room) {
                break;
            }
            room -= seen.stamp.size;
            next.push((path.clone(), seen.stamp));
        }
        next
    }

    /// Keeps a content until it is asked for.
    pub(crate) fn keep(&self, path: String, kept: Kept) {
        let mut inner = self.lock();
        inner.ahead_bytes += kept.stamp.size;
        inner.ahead.insert(path, kept);
    }

    /// A content that was kept.
    pub(crate) fn take(&self, path: &str) -> Option<Kept> {
        let mut inner = self.lock();
        let kept = inner.ahead.remove(path);
        let size = kept.as_ref().map_or(0, |kept| kept.stamp.size);
        inner.ahead_bytes = inner.ahead_bytes.saturating_sub(size);
        kept
    }

    /// The hash of a file that was read when it had this stamp.
    pub(crate) fn find(&self, path: &str, stamp: &Stamp) -> Option<Hash> {
        self.lock().files.get(path).filter(|seen| seen.stamp == *stamp)?.hash
    }

    /// A time by the clock of the file system mounted on this folder that is not later than now.
    pub(crate) fn now(&self, mount: &str, clock: impl FnOnce() -> Option<i64>) -> Option<i64> {
        if let Some((read, now)) = self.lock().clocks.get(mount)
            && read.elapsed() < CLOCK
        {
            return Some(*now);
        }
        let now = clock()?;
        self.lock().clocks.insert(mount.to_owned(), (Instant::now(), now));
        Some(now)
    }

    /// Whether the file system mounted on this folder keeps permission bits.
    pub(crate) fn bits(&self, mount: &str, find: impl FnOnce() -> Bits) -> Bits {
        if let Some(bits) = self.lock().bits.get(mount) {
            return *bits;
        }
        let bits = find();
        self.lock().bits.insert(mount.to_owned(), bits);
        bits
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
        self.keep_hash(cache, path, stamp, hash, now.is_some_and(|now| stamp.is_settled(now)));
    }

    /// A file that a sync wrote. Its time is one that no later edit has, so that it may be trusted at once.
    pub(crate) fn wrote(&self, cache: &Cache, path: &str, stamp: Stamp, hash: Hash) {
        self.keep_hash(cache, path, stamp, hash, true);
    }

    fn keep_hash(&self, cache: &Cache, path: &str, stamp: Stamp, hash: Hash, is_trusted: bool) {
        let mut inner = self.lock();
        if inner.files.len() < MOST || inner.files.contains_key(path) {
            inner.files.insert(path.to_owned(), Seen { stamp, hash: Some(hash) });
        }
        if is_trusted {
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
