//! The storage a client syncs through: the trait that every adapter implements.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt;

use crate::model::{Error, Folder, Key};

/// A place that holds objects under keys: a bucket, a WebDAV collection, a folder.
///
/// An adapter is a thin translation. It has no notion of documents, locks or logs; it does not
/// retry (the core does, by [`Error::is_transient`]) and it does not interpret the bytes.
/// `docs/writing-an-adapter.md` is the guide, the `db-to-cloud-conformance` crate the test.
///
/// # Guarantees every adapter gives
/// - A `get` that begins after a `put`, `create` or `delete` of the same key has returned sees its
///   effect, whichever client wrote (rule S1).
/// - [`Ok(None)`](Adapter::get) and only that means "there is no such object". Every failure, of
///   whatever status, is an error (rule S9).
/// - Bytes come back as they were stored, all of them. A truncated body is an error.
/// - Every method may be called many times at once, and its future may be dropped at any await: a
///   write then has an unknown effect, and nothing else is harmed.
///
/// # Not guaranteed
/// - Order between two writes that are under way at the same time.
/// - That [`list`](Adapter::list) sees the newest writes: the core decides nothing by absence from
///   a list.
/// - That a write which failed with [`Effect::Unknown`](crate::Effect::Unknown) did not happen, or
///   does not happen later.
#[async_trait]
pub trait Adapter: Send + Sync + Debug {
    /// What the core needs to know about this storage. Must not change during a sync.
    fn capabilities(&self) -> Capabilities;

    /// Whether [`create`](Adapter::create) is atomic, for an adapter that says [`Atomicity::Probe`] and finds
    /// it out by itself: it races its own requests, once, and keeps the outcome in the storage for all
    /// devices. The default answers `None`: the core races (rule S3). Asked before the first commit of a
    /// device; the answer is kept in the state of the device. May take as long as 64 requests.
    ///
    /// # Errors
    /// Any kind; then nothing is known. The core asks again if it is transient.
    async fn measured_create(&self) -> Result<Option<bool>, Error> {
        Ok(None)
    }

    /// Reads a whole object; `None` if there is none.
    ///
    /// # Guarantees
    /// - All bytes of one finished write, for objects made by [`create`](Adapter::create).
    ///
    /// # Not guaranteed
    /// - For an object that a `put` is replacing right now: which of the two contents is read, or
    ///   that it is not torn (document contents are checked by hash).
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error>;

    /// Reads the beginning of an object: its first `at_most` bytes, or all of it if it is shorter; `None` if
    /// there is none. The default reads the whole object; override it where the storage answers a part
    /// at less cost.
    ///
    /// # Guarantees
    /// - As [`get`](Adapter::get), of the part.
    /// - Fewer than `at_most` bytes are the whole object.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        let bytes = self.get(key).await?;
        Ok(bytes.map(|bytes| bytes.slice(..bytes.len().min(at_most))))
    }

    /// The names of what lies directly in the storage, or in one of its folders, whoever made it, in any
    /// order and at most `at_most` of them. The name of a folder ends with a slash. Names are as the storage
    /// has them, also those that are no legal [`Key`]; an object of ours has the name of its key, however
    /// the adapter stores it. What is not there holds nothing: no name.
    ///
    /// Left out is what the adapter itself put there for its own use, such as temporary files. Each adapter
    /// lists it at this method.
    ///
    /// The core asks before it begins a new storage, so that it does not write among the objects of another
    /// program (rule S11).
    ///
    /// # Not guaranteed
    /// - That an object or a folder that was made just now is among them.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error>;

    /// Writes an object, replacing one that is there. Missing folders are made.
    ///
    /// # Guarantees
    /// - After `Ok` the object is durable and every `get` sees it.
    ///
    /// # Errors
    /// [`Error::effect`] says whether nothing was written or it is unknown. The core repeats the
    /// same `put` with the same bytes.
    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error>;

    /// Writes an object that is not there yet.
    ///
    /// # Guarantees (rule S2)
    /// - Of any number of callers at once, on any number of machines, at most one gets
    ///   [`Created::New`], and the bytes stored are that caller's.
    /// - Readers see nothing or all bytes, never a part.
    /// - An adapter that cannot guarantee this says [`Atomicity::Weak`], and one that depends on the
    ///   server says [`Atomicity::Probe`].
    ///
    /// # Not guaranteed
    /// - That [`Created::Occupied`] means another client: it may be the caller's own earlier attempt
    ///   whose answer was lost. The core reads back and compares a random id inside the bytes.
    ///
    /// # Errors
    /// [`Error::effect`] says whether nothing was written or it is unknown; the core reads back.
    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error>;

    /// Deletes an object. One that is not there is already deleted: `Ok`.
    ///
    /// # Errors
    /// [`Error::effect`] says whether it is still there or it is unknown. The core repeats it.
    async fn delete(&self, key: &Key) -> Result<(), Error>;

    /// Lists one page of a folder, in any order. `page` is `None` at first, then
    /// [`Page::next`] of the page before. A folder that does not exist is empty.
    ///
    /// # Guarantees
    /// - Every object that was there before the first page and is never deleted comes exactly once,
    ///   if the server lists what it holds.
    /// - Names that are no legal [`Key`] are left out.
    ///
    /// # Errors
    /// Any kind. Nothing was changed. [`ErrorKind::InvalidInput`](crate::ErrorKind::InvalidInput) of a
    /// page other than the first says that the storage does not know its place in the list any more:
    /// the core begins anew.
    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error>;

    /// Reads many objects; the answers are in the order of the keys. The default runs
    /// [`Capabilities::concurrency`] `get`s at once.
    async fn get_many(&self, keys: &[Key]) -> Vec<Result<Option<Bytes>, Error>> {
        let gets = keys.iter().map(|key| self.get(key)).collect();
        at_once(self.capabilities().concurrency, gets).await
    }

    /// Writes many objects; the answers are in the order of the items. Each is a write of its own:
    /// some may succeed and others fail. The default runs [`Capabilities::concurrency`] `put`s at
    /// once; override it where the provider has a batch API.
    async fn put_many(&self, items: Vec<(Key, Bytes)>) -> Vec<Result<(), Error>> {
        let put = async |(key, bytes): (Key, Bytes)| self.put(&key, bytes).await;
        at_once(self.capabilities().concurrency, items.into_iter().map(put).collect()).await
    }

    /// Deletes many objects, at most 1,000, as [`put_many`](Adapter::put_many) writes them.
    async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        let deletes = keys.iter().map(|key| self.delete(key)).collect();
        at_once(self.capabilities().concurrency, deletes).await
    }

    /// Gives the object `from` a second key, without its bytes passing through this client: both are
    /// keys of versions of documents ([`Folder::Documents`]), whose bytes never change. If there is an
    /// object under `to` already, such as after an answer that was lost, it is replaced, or proven to
    /// have the same bytes, or the answer is [`Copied::Unsupported`]. The default answers
    /// [`Copied::Unsupported`] at once.
    ///
    /// # Guarantees
    /// - After [`Copied::Done`] the object `to` is durable, every `get` sees it, and it has exactly
    ///   the bytes that `from` had. It stays when `from` is deleted.
    /// - After [`Copied::Missing`] there was no `from`, and nothing was written or deleted.
    /// - A request that arrives late, when `from` is gone, leaves `to` as it is.
    /// - An adapter whose storage refuses copies answers [`Copied::Unsupported`], and remembers it
    ///   for its own lifetime: further calls make no request.
    ///
    /// # Not guaranteed
    /// - What is under `to` after [`Copied::Unsupported`]: the caller puts the bytes there.
    /// - That the bytes of `from` are undamaged: damage is copied, too. A caller that has the bytes
    ///   and doubts the object uploads them instead.
    /// - That nobody sees a part of `to` while the copy is under way, or after one that failed. That
    ///   is never taken for the whole: readers compare length and hash of a document's content.
    ///
    /// # Errors
    /// [`Error::effect`] says whether nothing was written or it is unknown: then the copy may yet
    /// happen. The core repeats the same `copy`, or uploads the same bytes to `to`.
    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        let _ = (from, to);
        Ok(Copied::Unsupported)
    }

    /// Copies many objects, each pair being `from` and `to`; the answers are in the order of the
    /// pairs, at most [`Capabilities::batch_items`] of them. Each is a copy of its own: some may
    /// succeed and others fail. The default runs [`Capabilities::concurrency`] copies at once.
    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        let copies = pairs.iter().map(|(from, to)| self.copy(from, to)).collect();
        at_once(self.capabilities().concurrency, copies).await
    }

    /// Waits until another client may have committed something, for at most `timeout`, which may be an
    /// hour: wait less if the provider does. The default answers [`Wait::Unsupported`] at once: the
    /// caller then polls. One caller at a time.
    ///
    /// # Guarantees
    /// - What is committed after a call has answered is reported by the next one, also if it came
    ///   between the two. So the first call, before which nothing is known, answers [`Wait::Changed`] at once.
    /// - A call that is dropped reports nothing; the next one reports it.
    ///
    /// # Not guaranteed
    /// - That [`Wait::Changed`] means a commit of another client: it may be the caller's own, or any
    ///   other object. The caller then reads one slot in vain.
    /// - That every change is reported: the caller polls nevertheless, each hour or so.
    ///
    /// # Guarantees
    /// - A commit after the first call that answered [`Wait::Changed`] makes a later call answer so,
    ///   whatever calls were dropped in between. The first call has no record of a commit before it,
    ///   and may answer so at once.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    async fn wait_for_change(&self, timeout: Duration) -> Result<Wait, Error> {
        let _ = timeout;
        Ok(Wait::Unsupported)
    }
}

/// Runs so many requests at once; the answers are in the order of the requests. A slow one keeps one
/// place, no more.
async fn at_once<T>(concurrency: usize, requests: Vec<impl Future<Output = T>>) -> Vec<T> {
    let numbered = requests.into_iter().enumerate().map(async |(i, request)| (i, request.await));
    let answers = futures::stream::iter(numbered).buffer_unordered(concurrency.max(1));
    let mut answers: Vec<_> = answers.collect().await;
    answers.sort_unstable_by_key(|(i, _)| *i);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

/// What [`Adapter::create`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The object is new and holds our bytes.
    New,
    /// There was an object already; nothing was written.
    Occupied,
}

/// What [`Adapter::copy`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copied {
    /// The object has its second key, with the same bytes.
    Done,
    /// There is no object to copy; nothing was written.
    Missing,
    /// This storage does not copy objects, or not provably: upload the bytes.
    Unsupported,
}

/// What [`Adapter::wait_for_change`] saw.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// Something changed: sync now.
    Changed,
    /// Nothing changed in the time given.
    TimedOut,
    /// This storage cannot wait.
    Unsupported,
}

/// One page of a [list](Adapter::list).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The objects of this page.
    pub keys: Vec<Key>,
    /// What to pass for the next page; `None` if this is the last one.
    pub next: Option<String>,
}

/// What the core needs to know about a storage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Capabilities {
    /// Whether [`Adapter::create`] is atomic.
    pub create: Atomicity,
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// The most items that one call of [`Adapter::get_many`] or [`Adapter::put_many`] is given; two
    /// such calls are under way at once. Where each item is a request of its own, a few times
    /// `concurrency` is best: then no request waits for the last one of a long batch.
    pub batch_items: usize,
    /// The most bytes that one call of a `_many` method is given (one larger object goes alone).
    pub batch_bytes: u64,
}

impl Default for Capabilities {
    /// An atomic store that takes 16 requests at once.
    fn default() -> Self {
        Self {
            create: Atomicity::Atomic,
            concurrency: 16,
            batch_items: 64,
            batch_bytes: 16 * 1024 * 1024,
        }
    }
}

/// Whether [`Adapter::create`] keeps its promise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomicity {
    /// Always: the storage is *strong*.
    Atomic,
    /// The server may ignore preconditions: the core races real requests on throw-away keys once and
    /// remembers the outcome (rule S3). Documents may be uploaded meanwhile: an adapter that bounds
    /// its requests lets 8 creates begin at once all the same. One after another they prove nothing.
    Probe,
    /// Never: the storage is *weak*, and `create` is not called. Commits are then protected by the
    /// lock and by the check of the anchor (rules W1, W2, W3 and W4). What remains is
    /// [`remaining_risk`](Atomicity::remaining_risk).
    Weak,
}

impl Atomicity {
    /// What a storage of this kind cannot promise, as a sentence for its user without a full stop;
    /// `None` if its create is atomic (rule W5). The README of each adapter has the same sentence.
    pub fn remaining_risk(self) -> Option<&'static str> {
        match self {
            Self::Atomic => None,
            Self::Probe => Some(
                "whether the server creates an object only if it is absent is measured by 24 \
                 creates before the first commit; a server that fails to do so only rarely may \
                 pass, and then a commit may replace another one",
            ),
            Self::Weak => Some(
                "a write that the server executes long after its client gave up may replace the \
                 commit of another device; that device offers its documents again at its next \
                 sync, so they are lost if it is destroyed before; and if two more commits were \
                 made meanwhile, new devices stop at that place until a device joins both by consent",
            ),
        }
    }

    /// What is known of it once the probe has measured it.
    pub(crate) fn measured(self, atomic: Option<bool>) -> Self {
        match (self, atomic) {
            (Self::Probe, Some(true)) => Self::Atomic,
            (Self::Probe, Some(false)) => Self::Weak,
            (declared, _) => declared,
        }
    }
}
