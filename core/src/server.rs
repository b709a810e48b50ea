//! The server operations of the specification, above an [`Adapter`]: Lock and Unlock, Get and Put,
//! MetadataRead and MetadataWrite, ChangesRead and ChangesWrite.
//!
//! Here, and only here, requests are counted, given a time limit and repeated.

mod changes;
mod documents;
mod lock;
mod metadata;
mod meter;
mod probe;

use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use backon::{BackoffBuilder, ExponentialBuilder};
use bytes::Bytes;
use futures::future::{Either, select};

pub use lock::LockPolicy;
pub(crate) use lock::{HeldLock, LockClaim, TTL, Taken, WEAK_TTL};
use meter::Meter;

use crate::{
    Adapter, Atomicity, Capabilities, CommitId, Created, Environment, Error, ErrorKind, Folder,
    Key, Page, Requests, Wait,
};

/// How long requests may take and how often they are repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// One request may take this long, and longer for large objects: by 1 second for each 16 KiB.
    pub request: Duration,
    /// A whole sync may take this long; `None` is for ever.
    pub sync: Option<Duration>,
    /// How often a request that failed for now is repeated, with growing pauses between.
    pub retries: usize,
}

impl Default for Limits {
    /// 30 seconds a request, 5 repetitions, no limit for a sync.
    fn default() -> Self {
        Self { request: Duration::from_secs(30), sync: None, retries: 5 }
    }
}

/// The slowest line that a request's time limit allows for, in bytes a second.
const SLOWEST_LINE: u64 = 16 * 1024;

/// A storage that asks for a longer pause is left alone: the sync ends, and its error says how long.
pub(crate) const LONGEST_PAUSE: Duration = Duration::from_secs(300);

/// The storage as the sync sees it.
#[derive(Debug)]
pub(crate) struct Server {
    adapter: Arc<dyn Adapter>,
    environment: Arc<dyn Environment>,
    limits: Limits,
    /// Whether create is atomic, by the adapter's word or by the probe (rule S3).
    atomic: AtomicBool,
    meter: Meter,
    /// The lock of somebody else, and when it was first seen by our monotonic clock (rule L1).
    lock_seen: Mutex<Option<(CommitId, Duration)>>,
}

impl Server {
    pub(crate) fn new(
        adapter: Arc<dyn Adapter>,
        environment: Arc<dyn Environment>,
        limits: Limits,
    ) -> Self {
        let atomic = AtomicBool::new(adapter.capabilities().create == Atomicity::Atomic);
        let (meter, lock_seen) = (Meter::default(), Mutex::default());
        Self { adapter, environment, limits, atomic, meter, lock_seen }
    }

    pub(crate) fn capabilities(&self) -> Capabilities {
        self.adapter.capabilities()
    }

    /// What the probe found, or is known from an earlier one.
    pub(crate) fn set_atomic(&self, atomic: bool) {
        self.atomic.store(atomic, Relaxed);
    }

    fn is_atomic(&self) -> bool {
        self.atomic.load(Relaxed)
    }

    /// Waits for another client's commit, if the storage can.
    pub(crate) async fn wait_for_change(&self, timeout: Duration) -> Result<Wait, Error> {
        self.adapter.wait_for_change(timeout).await
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
    }

    /// Writes an object over what is there.
    pub(crate) async fn write(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.retry(|| self.write_once(key, bytes.clone())).await
    }

    /// The same, not repeated: for writes that are allowed for a time only.
    pub(crate) async fn write_once(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        let length = bytes.len() as u64;
        self.meter.put(1);
        self.timed("put", Some(key), length, self.adapter.put(key, bytes)).await??;
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

    /// Lists a whole folder.
    pub(crate) async fn list_all(&self, folder: Folder) -> Result<Vec<Key>, Error> {
        let (mut keys, mut page) = (Vec::new(), None);
        loop {
            let listed = self.list(folder, page.as_deref()).await?;
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
        answers
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

    /// Deletes many objects.
    pub(crate) async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        self.many("delete", keys, 0, |keys: Vec<Key>| async move {
            self.meter.delete(keys.len());
            self.adapter.delete_many(&keys).await
        })
        .await
    }

    /// One call for many items; the items that failed for now are tried again together.
    async fn many<I, T, F, Fut>(
        &self,
        operation: &'static str,
        items: &[I],
        bytes: u64,
        call: F,
    ) -> Vec<Result<T, Error>>
    where
        I: Clone + Send,
        T: Send,
        F: Fn(Vec<I>) -> Fut + Send,
        Fut: Future<Output = Vec<Result<T, Error>>> + Send,
    {
        let rounds = items.len().div_ceil(self.capabilities().concurrency.max(1)) as u64;
        let slack = bytes + rounds * SLOWEST_LINE * self.limits.request.as_secs();
        let missing = || Err(Error::new(ErrorKind::Unavailable, operation));
        let mut answers: Vec<Result<T, Error>> = items.iter().map(|_| missing()).collect();
        let mut open: Vec<usize> = (0..items.len()).collect();
        let mut pauses = self.pauses();
        while !open.is_empty() {
            let batch = open.iter().filter_map(|i| items.get(*i).cloned()).collect();
            match self.timed(operation, None, slack, call(batch)).await {
                Ok(results) => {
                    for (i, result) in open.iter().zip(results) {
                        answers[*i] = result;
                    }
                }
                Err(_) => open.iter().for_each(|i| {
                    answers[*i] = Err(Error::new(ErrorKind::TimedOut, operation));
                }),
            }
            open.retain(|i| answers[*i].as_ref().is_err_and(Error::is_transient));
            let errors = open.iter().filter_map(|i| answers[*i].as_ref().err());
            let Some(worst) = errors.max_by_key(|e| e.retry_after()) else { break };
            if !self.pause(&mut pauses, worst).await {
                break;
            }
        }
        answers
    }

    /// Repeats a request that failed for now.
    async fn retry<T, F, Fut>(&self, mut request: F) -> Result<T, Error>
    where
        F: FnMut() -> Fut + Send,
        Fut: Future<Output = Result<T, Error>> + Send,
    {
        let mut pauses = self.pauses();
        loop {
            let error = match request().await {
                Err(error) if error.is_transient() => error,
                answer => return answer,
            };
            if !self.pause(&mut pauses, &error).await {
                return Err(error);
            }
        }
    }

    /// Waits before a request is repeated: as long as the storage asks for, and growing. False if it
    /// is not to be repeated: too often already, or asked to wait longer than a sync should last.
    async fn pause(
        &self,
        pauses: &mut (impl Iterator<Item = Duration> + Send),
        error: &Error,
    ) -> bool {
        let asked = error.retry_after().unwrap_or_default();
        let Some(pause) = pauses.next().filter(|_| asked <= LONGEST_PAUSE) else { return false };
        let pause = pause.max(asked);
        tracing::debug!(%error, ?pause, "repeating a request");
        self.environment.sleep(pause).await;
        true
    }

    /// Growing pauses with jitter, as many as there are retries.
    pub(crate) fn pauses(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(200))
            .with_max_delay(Duration::from_secs(20))
            .with_max_times(self.limits.retries)
            .with_jitter()
            .with_jitter_seed(self.environment.random() as u64)
            .build()
    }

    /// Gives a request a time limit that grows with the bytes it moves.
    async fn timed<T>(
        &self,
        operation: &'static str,
        key: Option<&Key>,
        bytes: u64,
        request: impl Future<Output = T> + Send,
    ) -> Result<T, Error> {
        self.timed_within(self.time_limit(bytes), operation, key, request).await
    }

    /// How long a request that moves so many bytes may take.
    fn time_limit(&self, bytes: u64) -> Duration {
        self.limits.request + Duration::from_secs(bytes / SLOWEST_LINE)
    }

    async fn timed_within<T>(
        &self,
        limit: Duration,
        operation: &'static str,
        key: Option<&Key>,
        request: impl Future<Output = T> + Send,
    ) -> Result<T, Error> {
        futures::pin_mut!(request);
        match select(request, self.environment.sleep(limit)).await {
            Either::Left((answer, _)) => Ok(answer),
            Either::Right(_) => {
                let error = Error::new(ErrorKind::TimedOut, operation);
                let error = error.with_message(format!("no answer within {} s", limit.as_secs()));
                Err(key.into_iter().fold(error, |error, key| error.with_key(key)))
            }
        }
    }
}
