//! The server operations of the specification, above an [`Adapter`]: Lock and Unlock, Get and Put,
//! MetadataRead and MetadataWrite, ChangesRead and ChangesWrite.
//!
//! Here, and only here, requests are counted, given a time limit and repeated (`retry`).

mod adapter;
mod changes;
mod documents;
mod lock;
mod metadata;
mod meter;
mod own_lock;
mod probe;
mod retry;
mod usable;

use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;

pub use adapter::{Adapter, Atomicity, Capabilities, Copied, Created, Page, Wait};
pub(crate) use changes::Sent;
pub use lock::LockPolicy;
pub(crate) use lock::{HeldLock, LockClaim, TTL, Taken, WEAK_TTL};
use meter::Meter;
pub(crate) use retry::LONGEST_PAUSE;
pub(crate) use usable::{SlotRead, UsableSnapshot};

use crate::environment::Environment;
use crate::model::{CommitId, Error, ErrorKind, Folder, Key, Requests};
use crate::planted::{Rule, holds};

/// How long requests may take and how often they are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One request may take this long, and longer for large objects: by 1 second for each 16 KiB.
    /// More than a day counts as a day. A write that must end while a lock is held, such as a commit
    /// on weak storage, may take no more than 75 seconds, on strong storage 30.
    pub request: Duration,
    /// A whole sync may take this long; `None` is for ever.
    pub sync: Option<Duration>,
    /// How often a request that failed for now is repeated, with growing pauses between. Commits
    /// whose answer was lost and lost races have numbers of their own.
    pub retries: usize,
}

impl Default for Limits {
    /// 30 seconds a request, 5 repetitions, no limit for a sync.
    fn default() -> Self {
        Self { request: Duration::from_secs(30), sync: None, retries: 5 }
    }
}

/// The longest time limit of a request. Sums of it with other times do not overflow.
const LONGEST_REQUEST: Duration = Duration::from_secs(24 * 3600);

/// The storage as the sync sees it.
#[derive(Debug)]
pub(crate) struct Storage {
    adapter: Arc<dyn Adapter>,
    environment: Arc<dyn Environment>,
    limits: Limits,
    /// Whether create is atomic, by the adapter's word or by the probe (rule S3).
    atomic: AtomicBool,
    meter: Meter,
    /// The lock of somebody else, and when it was first seen by our monotonic clock (rule L1).
    lock_seen: Mutex<Option<(CommitId, Duration)>>,
    own_lock: own_lock::OwnLock,
}

impl Storage {
    pub(crate) fn new(
        adapter: Arc<dyn Adapter>,
        environment: Arc<dyn Environment>,
        limits: Limits,
    ) -> Self {
        let atomic = AtomicBool::new(adapter.capabilities().create == Atomicity::Atomic);
        let (meter, lock_seen) = (Meter::default(), Mutex::default());
        let limits = Limits { request: limits.request.min(LONGEST_REQUEST), ..limits };
        let own_lock = own_lock::OwnLock::default();
        Self { adapter, environment, limits, atomic, meter, lock_seen, own_lock }
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.adapter.capabilities()
    }

    /// What the probe found, or is known from an earlier one.
    pub(crate) fn set_atomic(&self, atomic: bool) {
        self.atomic.store(atomic, Relaxed);
    }

    /// Whether create is known to be atomic.
    pub(crate) fn is_atomic(&self) -> bool {
        self.atomic.load(Relaxed)
    }

    /// Waits for another client's commit, if the storage can. An answer that is overdue by as long as
    /// a request may take does not come any more.
    pub(crate) async fn wait_for_change(&self, timeout: Duration) -> Result<Wait, Error> {
        let wait = self.adapter.wait_for_change(timeout);
        let limit = timeout.saturating_add(self.limits.request);
        self.timed_within(limit, "wait for change", None, wait).await?
    }

    /// Requests, bytes sent and bytes received since the server was made.
    pub(crate) fn metered(&self) -> (Requests, u64, u64) {
        self.meter.read()
    }

    /// Reads an object of about `expected` bytes.
    pub(crate) async fn read(&self, key: &Key, expected: u64) -> Result<Option<Bytes>, Error> {
        self.retry(|| async move {
            self.meter.get(1);
            let bytes = self.timed("get", Some(key), expected, self.adapter.get(key)).await??;
            self.meter.down(bytes.as_ref().map_or(0, Bytes::len));
            Ok(bytes)
        })
        .await
        .or_else(failed)
    }

    /// Reads the first bytes of an object, and whether they are all of it.
    pub(crate) async fn read_start(
        &self,
        key: &Key,
        at_most: usize,
    ) -> Result<Option<(Bytes, bool)>, Error> {
        let start = self
            .retry(|| async move {
                self.meter.get(1);
                let start = self.adapter.get_start(key, at_most);
                let start = self.timed("get", Some(key), at_most as u64, start).await??;
                self.meter.down(start.as_ref().map_or(0, Bytes::len));
                Ok(start)
            })
            .await
            .or_else(failed)?;
        Ok(start.map(|bytes| {
            let whole = bytes.len() < at_most;
            (bytes, whole)
        }))
    }

    /// The names of what lies in the storage or in one of its folders, whoever made it (rule S11).
    pub(crate) async fn names(
        &self,
        folder: Option<Folder>,
        at_most: usize,
    ) -> Result<Vec<String>, Error> {
        self.retry(|| async move {
            self.meter.list(1);
            self.timed("list", None, 0, self.adapter.names(folder, at_most)).await?
        })
        .await
    }

    /// Writes an object over what is there.
    pub(crate) async fn write(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.retry(|| self.write_once(key, bytes.clone())).await
    }

    async fn write_once(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        let limit = self.time_limit(bytes.len() as u64);
        self.write_within(limit, key, bytes).await
    }

    async fn write_within(&self, limit: Duration, key: &Key, bytes: Bytes) -> Result<(), Error> {
        let length = bytes.len() as u64;
        self.meter.put(1);
        self.timed_within(limit, "put", Some(key), self.adapter.put(key, bytes)).await??;
        self.meter.up(length);
        Ok(())
    }

    /// Writes an object that is not there yet. Not repeated here: who asks must read back.
    pub(crate) async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        let length = bytes.len() as u64;
        self.meter.create(1);
        let create = self.adapter.create(key, bytes);
        let created = self.timed("create", Some(key), length, create).await??;
        self.meter.up(length);
        Ok(created)
    }

    pub(crate) async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.retry(|| async move {
            self.meter.delete(1);
            self.timed("delete", Some(key), 0, self.adapter.delete(key)).await?
        })
        .await
    }

    pub(crate) async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        self.retry(|| async move {
            self.meter.list(1);
            self.timed("list", None, 0, self.adapter.list(folder, page)).await?
        })
        .await
    }

    /// Lists a whole folder: anew if the storage does not know its place in the list any more.
    pub(crate) async fn list_all(&self, folder: Folder) -> Result<Vec<Key>, Error> {
        let mut times = 0;
        loop {
            match self.list_pages(folder).await {
                Err((true, e))
                    if e.kind() == ErrorKind::InvalidInput && times < self.limits.retries =>
                {
                    times += 1;
                    tracing::debug!(folder = folder.name(), "listing anew");
                }
                listed => return listed.map_err(|(_, error)| error),
            }
        }
    }

    /// All pages; with an error, whether it is that of a later one.
    async fn list_pages(&self, folder: Folder) -> Result<Vec<Key>, (bool, Error)> {
        let (mut keys, mut page) = (Vec::new(), None);
        loop {
            let listed = self.list(folder, page.as_deref()).await;
            let listed = listed.map_err(|error| (page.is_some(), error))?;
            keys.extend(listed.keys);
            page = listed.next;
            if page.is_none() {
                return Ok(keys);
            }
        }
    }

    /// Reads many objects of about `expected` bytes together.
    pub(crate) async fn read_many(
        &self,
        keys: &[Key],
        expected: u64,
    ) -> Vec<Result<Option<Bytes>, Error>> {
        let answers = self.many("get", keys, expected, |keys: Vec<Key>| async move {
            self.meter.get(keys.len());
            self.adapter.get_many(&keys).await
        });
        let answers = answers.await;
        let down = answers.iter().flatten().flatten().map(Bytes::len).sum();
        self.meter.down(down);
        answers.into_iter().map(|answer| answer.or_else(failed)).collect()
    }

    /// Writes many objects.
    pub(crate) async fn write_many(&self, items: &[(Key, Bytes)]) -> Vec<Result<(), Error>> {
        let total = items.iter().map(|(_, bytes)| bytes.len() as u64).sum();
        self.many("put", items, total, |items: Vec<(Key, Bytes)>| async move {
            self.meter.put(items.len());
            self.meter.up(items.iter().map(|(_, bytes)| bytes.len() as u64).sum());
            self.adapter.put_many(items).await
        })
        .await
    }

    /// Has the storage copy many objects, of about `total` bytes together; one answer for each pair
    /// of `from` and `to`. Each request counts as a put, without bytes sent.
    pub(crate) async fn copy_many(
        &self,
        pairs: &[(Key, Key)],
        total: u64,
    ) -> Vec<Result<Copied, Error>> {
        self.many("copy", pairs, total, |pairs: Vec<(Key, Key)>| async move {
            self.meter.put(pairs.len());
            let answers = self.adapter.copy_many(pairs).await;
            // An adapter that cannot copy makes no request, but for the one that showed it.
            let unsupported = answers.iter().filter(|a| matches!(a, Ok(Copied::Unsupported)));
            self.meter.no_put(unsupported.count());
            answers
        })
        .await
    }

    /// Deletes many objects.
    pub(crate) async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        self.many("delete", keys, 0, |keys: Vec<Key>| async move {
            self.meter.delete(keys.len());
            self.adapter.delete_many(&keys).await
        })
        .await
    }
}

/// An error is never taken for absence (rule S9).
fn failed(error: Error) -> Result<Option<Bytes>, Error> {
    if holds(Rule::S9) { Err(error) } else { Ok(None) }
}

#[cfg(all(test, feature = "system"))]
mod tests;
