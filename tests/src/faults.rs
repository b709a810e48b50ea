//! A storage that fails on request.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Adapter, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page};
use futures::StreamExt;
use futures::stream;

use crate::{Journal, Steps};

/// What goes wrong with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It fails and has no effect, and the client knows.
    Refused(ErrorKind),
    /// The storage asks for a pause before the next request.
    Throttled(Duration),
    /// It has no effect and the client gets no answer.
    Lost,
    /// It takes effect and the client gets no answer.
    AnswerLost,
    /// It takes effect, and the client waits in vain.
    Hangs,
    /// It has no effect now; [`FaultyAdapter::deliver`] gives it its effect later.
    Delayed,
}

/// One device's way to the storage.
#[derive(Clone, Debug)]
pub struct FaultyAdapter {
    cloud: MemoryAdapter,
    steps: Steps,
    capabilities: Arc<Mutex<Capabilities>>,
    measured: Arc<Mutex<VecDeque<Result<bool, ErrorKind>>>>,
    plan: Arc<Mutex<VecDeque<Planned>>>,
    delayed: Arc<Mutex<Vec<Request>>>,
    sent: Arc<Mutex<Vec<(Key, Bytes)>>>,
    rivals: Arc<Mutex<VecDeque<Rival>>>,
    overwriting: Arc<AtomicBool>,
    /// What lists show while they lag behind.
    listed: Arc<Mutex<Option<Vec<Key>>>>,
    copyless: Arc<AtomicBool>,
    /// What was asked of the storage.
    pub journal: Journal,
}

/// Something that another device does just before a request of this one.
struct Rival {
    operation: &'static str,
    prefix: String,
    act: Box<dyn FnOnce() + Send>,
}

impl std::fmt::Debug for Rival {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rival(before {} {})", self.operation, self.prefix)
    }
}

#[derive(Clone, Debug)]
struct Planned {
    operation: &'static str,
    prefix: String,
    skip: usize,
    fault: Fault,
}

#[derive(Clone, Debug)]
enum Request {
    Get(Key),
    Put(Key, Bytes),
    Create(Key, Bytes),
    /// From the first key to the second.
    Copy(Key, Key),
    Delete(Key),
}

enum Answer {
    Bytes(Option<Bytes>),
    Done,
    Created(Created),
    Copied(Copied),
}

impl FaultyAdapter {
    pub(crate) fn new(cloud: MemoryAdapter, steps: Steps) -> Self {
        let capabilities = Arc::new(Mutex::new(cloud.capabilities()));
        let (plan, delayed) = (Arc::default(), Arc::default());
        let (sent, rivals) = (Arc::default(), Arc::default());
        let (overwriting, copyless, listed) = (Arc::default(), Arc::default(), Arc::default());
        let journal = Journal::default();
        Self {
            cloud,
            steps,
            capabilities,
            measured: Arc::default(),
            plan,
            delayed,
            sent,
            rivals,
            overwriting,
            listed,
            copyless,
            journal,
        }
    }

    /// The next `operation` (`get`, `put`, `create`, `copy`, `delete`, `list`) on a key with this
    /// prefix fails so. The key of a `copy` is the one that it writes.
    pub fn fail(&self, operation: &'static str, prefix: &str, fault: Fault) {
        self.fail_later(0, operation, prefix, fault);
    }

    /// The same, after `skip` such requests have gone well.
    pub fn fail_later(&self, skip: usize, operation: &'static str, prefix: &str, fault: Fault) {
        let planned = Planned { operation, prefix: prefix.to_owned(), skip, fault };
        lock(&self.plan).push_back(planned);
    }

    /// Just before the next `operation` on a key with this prefix, somebody acts.
    pub fn before(
        &self,
        operation: &'static str,
        prefix: &str,
        act: impl FnOnce() + Send + 'static,
    ) {
        let rival = Rival { operation, prefix: prefix.to_owned(), act: Box::new(act) };
        lock(&self.rivals).push_back(rival);
    }

    /// Nobody acts any more just before a request.
    pub fn nobody_acts(&self) {
        lock(&self.rivals).clear();
    }

    /// No more faults.
    pub fn heal(&self) {
        lock(&self.plan).clear();
    }

    /// The next `operation`s on keys with this prefix fail so, more often than a sync repeats them.
    pub fn fail_for_long(&self, operation: &'static str, prefix: &str, fault: Fault) {
        (0..40).for_each(|_| self.fail(operation, prefix, fault));
    }

    /// Faults that were planned and did not happen yet.
    pub fn planned(&self) -> usize {
        lock(&self.plan).len()
    }

    /// Delayed requests take effect now.
    pub async fn deliver(&self) {
        let delayed = std::mem::take(&mut *lock(&self.delayed));
        for request in delayed {
            // A delayed request may find its slot taken: nobody hears of it.
            let _ = self.execute(&request).await;
        }
    }

    /// The bytes of each put and create of this key that was sent, whatever became of it.
    pub fn sent(&self, key: &Key) -> Vec<Bytes> {
        let sent = lock(&self.sent);
        sent.iter().filter(|(k, _)| k == key).map(|(_, bytes)| bytes.clone()).collect()
    }

    /// Changes what the storage says of itself.
    pub fn set_capabilities(&self, change: impl FnOnce(&mut Capabilities)) {
        change(&mut lock(&self.capabilities));
    }

    /// The storage finds out by itself whether its create is atomic: the answers to be given, in turn.
    pub fn let_it_measure(&self, answers: impl IntoIterator<Item = Result<bool, ErrorKind>>) {
        lock(&self.measured).extend(answers);
    }

    /// From now on `create` overwrites what is there and says that it was absent: a server that
    /// ignores the condition.
    pub fn ignore_conditions(&self) {
        self.overwriting.store(true, SeqCst);
    }

    /// From now on lists show the objects of this moment, whatever is written or deleted afterwards.
    pub fn let_lists_lag(&self) {
        let keys = self.cloud.objects().keys().cloned().collect();
        *lock(&self.listed) = Some(keys);
    }

    /// Lists show what is there again.
    pub fn let_lists_catch_up(&self) {
        *lock(&self.listed) = None;
    }

    /// From now on the storage does not copy objects, and says so without a request.
    pub fn refuse_copies(&self) {
        self.copyless.store(true, SeqCst);
    }

    async fn request(&self, request: Request) -> Result<Answer, Error> {
        self.steps.step().await;
        let (operation, key) = request.name();
        self.journal.note(operation, key.as_str());
        if let Some(rival) = self.rival(operation, key.as_str()) {
            (rival.act)();
        }
        if let Request::Put(key, bytes) | Request::Create(key, bytes) = &request {
            lock(&self.sent).push((key.clone(), bytes.clone()));
        }
        let error = |kind| Error::new(kind, operation).with_key(key);
        let answer = match self.planned_fault(operation, key.as_str()) {
            None => self.execute(&request).await,
            Some(Fault::Refused(kind)) => Err(error(kind)),
            Some(Fault::Throttled(pause)) => {
                Err(error(ErrorKind::Throttled).with_retry_after(pause))
            }
            Some(Fault::Lost) => Err(error(ErrorKind::Unavailable)),
            Some(Fault::Delayed) => {
                lock(&self.delayed).push(request.clone());
                Err(error(ErrorKind::TimedOut))
            }
            Some(Fault::AnswerLost) => {
                self.execute(&request).await?;
                Err(error(ErrorKind::Unavailable))
            }
            Some(Fault::Hangs) => {
                self.execute(&request).await?;
                std::future::pending().await
            }
        };
        self.steps.step().await;
        answer
    }

    async fn execute(&self, request: &Request) -> Result<Answer, Error> {
        Ok(match request.clone() {
            Request::Get(key) => Answer::Bytes(self.cloud.get(&key).await?),
            Request::Put(key, bytes) => {
                self.cloud.put(&key, bytes).await?;
                Answer::Done
            }
            Request::Create(key, bytes) if self.overwriting.load(SeqCst) => {
                self.cloud.put(&key, bytes).await?;
                Answer::Created(Created::New)
            }
            Request::Create(key, bytes) => Answer::Created(self.cloud.create(&key, bytes).await?),
            Request::Copy(from, to) => Answer::Copied(self.cloud.copy(&from, &to).await?),
            Request::Delete(key) => {
                self.cloud.delete(&key).await?;
                Answer::Done
            }
        })
    }

    /// What comes before the answer to a list of this folder; `.` is the storage itself.
    async fn begin_list(&self, folder: &str) -> Result<(), Error> {
        self.steps.step().await;
        self.journal.note("list", folder);
        if let Some(rival) = self.rival("list", folder) {
            (rival.act)();
        }
        match self.planned_fault("list", folder) {
            Some(Fault::Refused(kind)) => Err(Error::new(kind, "list")),
            _ => Ok(()),
        }
    }

    fn rival(&self, operation: &str, key: &str) -> Option<Rival> {
        let mut rivals = lock(&self.rivals);
        let matches = |r: &Rival| r.operation == operation && key.starts_with(&r.prefix);
        let i = rivals.iter().position(matches)?;
        rivals.remove(i)
    }

    fn planned_fault(&self, operation: &str, key: &str) -> Option<Fault> {
        let mut plan = lock(&self.plan);
        let matches = |p: &Planned| p.operation == operation && key.starts_with(&p.prefix);
        let i = plan.iter().position(matches)?;
        let planned = plan.get_mut(i)?;
        if planned.skip > 0 {
            planned.skip -= 1;
            return None;
        }
        plan.remove(i).map(|p| p.fault)
    }
}

impl Request {
    fn name(&self) -> (&'static str, &Key) {
        match self {
            Self::Get(key) => ("get", key),
            Self::Put(key, _) => ("put", key),
            Self::Create(key, _) => ("create", key),
            Self::Copy(_, to) => ("copy", to),
            Self::Delete(key) => ("delete", key),
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[async_trait]
impl Adapter for FaultyAdapter {
    fn capabilities(&self) -> Capabilities {
        lock(&self.capabilities).clone()
    }

    async fn measured_create(&self) -> Result<Option<bool>, Error> {
        let measured = lock(&self.measured).pop_front().transpose();
        measured.map_err(|kind| Error::new(kind, "measure"))
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        match self.request(Request::Get(key.clone())).await? {
            Answer::Bytes(bytes) => Ok(bytes),
            _ => Err(Error::new(ErrorKind::Unsupported, "get")),
        }
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.request(Request::Put(key.clone(), bytes)).await.map(drop)
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        match self.request(Request::Create(key.clone(), bytes)).await? {
            Answer::Created(created) => Ok(created),
            _ => Err(Error::new(ErrorKind::Unsupported, "create")),
        }
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        if self.copyless.load(SeqCst) {
            return Ok(Copied::Unsupported);
        }
        match self.request(Request::Copy(from.clone(), to.clone())).await? {
            Answer::Copied(copied) => Ok(copied),
            _ => Err(Error::new(ErrorKind::Unsupported, "copy")),
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.request(Request::Delete(key.clone())).await.map(drop)
    }

    async fn get_many(&self, keys: &[Key]) -> Vec<Result<Option<Bytes>, Error>> {
        self.journal.note_batch("get", keys.len(), 0);
        let gets: Vec<_> = keys.iter().map(|key| self.get(key)).collect();
        stream::iter(gets).buffered(self.capabilities().concurrency).collect().await
    }

    async fn put_many(&self, items: Vec<(Key, Bytes)>) -> Vec<Result<(), Error>> {
        self.journal.note_batch("put", items.len(), items.iter().map(|(_, b)| b.len()).sum());
        let puts = items.into_iter().map(async |(key, bytes)| self.put(&key, bytes).await);
        stream::iter(puts).buffered(self.capabilities().concurrency).collect().await
    }

    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        self.journal.note_batch("copy", pairs.len(), 0);
        let copies: Vec<_> = pairs.iter().map(|(from, to)| self.copy(from, to)).collect();
        stream::iter(copies).buffered(self.capabilities().concurrency).collect().await
    }

    async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        self.journal.note_batch("delete", keys.len(), 0);
        let deletes: Vec<_> = keys.iter().map(|key| self.delete(key)).collect();
        stream::iter(deletes).buffered(self.capabilities().concurrency).collect().await
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        self.begin_list(folder.map_or(".", Folder::name)).await?;
        self.cloud.names(folder, at_most).await
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        self.begin_list(folder.name()).await?;
        let lagging = lock(&self.listed).clone();
        match lagging {
            Some(keys) => {
                let is_in = |key: &Key| key.split().is_some_and(|(name, _)| name == folder.name());
                Ok(Page { keys: keys.into_iter().filter(is_in).collect(), next: None })
            }
            None => self.cloud.list(folder, page).await,
        }
    }
}
