//! The adapter: keys and errors of the core on one side, Drive on the other.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    Adapter, Atomicity, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page, Wait,
};

use crate::GoogleDriveConfig;
use crate::error::Failure;
use crate::storage::Storage;

/// A storage in a folder of Google Drive; made by [`GoogleDriveConfig::build`]. Its clones share
/// connections, the pace of requests and what is known of file ids. Calls need a tokio runtime.
#[derive(Clone)]
pub struct GoogleDriveAdapter(Arc<Inner>);

struct Inner {
    storage: Storage,
    concurrency: usize,
}

/// What an object is to this adapter.
enum Kind {
    Slot(u64),
    Lock,
    Metadata,
    Other,
}

impl Kind {
    fn of(key: &Key) -> Self {
        match key.slot() {
            Some(n) => Self::Slot(n),
            None if *key == Key::lock() => Self::Lock,
            None if *key == Key::metadata() => Self::Metadata,
            None => Self::Other,
        }
    }
}

impl GoogleDriveAdapter {
    pub(crate) fn new(config: GoogleDriveConfig) -> Result<Self, Error> {
        let (storage, concurrency) = (Storage::new(&config)?, config.concurrency);
        Ok(Self(Arc::new(Inner { storage, concurrency })))
    }
}

impl Inner {
    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Failure> {
        match Kind::of(key) {
            Kind::Slot(n) => self.storage.get_slot(n).await,
            Kind::Lock => self.storage.get_lock().await,
            Kind::Metadata => self.storage.get_metadata().await,
            Kind::Other => self.storage.get_object(key).await,
        }
    }

    async fn put(&self, key: &Key, bytes: &Bytes) -> Result<(), Failure> {
        match Kind::of(key) {
            Kind::Slot(n) => self.storage.put_slot(n, bytes).await,
            Kind::Lock => self.storage.put_lock(bytes).await,
            Kind::Metadata => self.storage.put_metadata(bytes).await,
            Kind::Other => self.storage.put_object(key, bytes).await,
        }
    }

    async fn create(&self, key: &Key, bytes: &Bytes) -> Result<Created, Failure> {
        match Kind::of(key) {
            Kind::Slot(n) => self.storage.create_slot(n, bytes).await,
            Kind::Lock => self.storage.create_lock(bytes).await,
            Kind::Metadata => {
                let why = "meta.json is only ever put";
                Err(Failure::storage(ErrorKind::Unsupported, why))
            }
            Kind::Other => self.storage.create_object(key, bytes).await,
        }
    }

    async fn delete(&self, key: &Key) -> Result<(), Failure> {
        match Kind::of(key) {
            // Later slots are found through it.
            Kind::Slot(_) => {
                let why = "a slot of the log is never deleted";
                Err(Failure::storage(ErrorKind::Unsupported, why))
            }
            Kind::Lock => self.storage.delete_lock().await,
            Kind::Metadata => self.storage.delete_metadata().await,
            Kind::Other => {
                let key = std::slice::from_ref(key);
                self.storage.delete_objects(key).await.pop().unwrap_or(Ok(()))
            }
        }
    }
}

impl fmt::Debug for GoogleDriveAdapter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("GoogleDriveAdapter").field(&self.0.storage.place_name()).finish()
    }
}

#[async_trait]
impl Adapter for GoogleDriveAdapter {
    /// Whether an id is given once, also to creators of the same moment, is not promised by Google: the
    /// core finds it out by racing.
    fn capabilities(&self) -> Capabilities {
        let concurrency = self.0.concurrency;
        let batch_items = 4 * concurrency;
        Capabilities { create: Atomicity::Probe, concurrency, batch_items, ..Default::default() }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.0.get(key).await.map_err(|failure| failure.at("get", key))
    }

    // `get_start` stays the default, which reads the whole object: slots, the lock and `meta.json` begin with a
    // line of this adapter whose length is not known before it is read, and of which no part may be missed: it
    // has the ids of other objects.

    /// Without `db-to-cloud.json`, by which this adapter finds all else, and the folder `locks/`; whether there
    /// is a `lock.json` is not looked up. A `meta.json` that was deleted keeps its file, and is named. Files in
    /// the bin are not. Which files of other programs Google shows depends on what the user allowed:
    /// `drive.file` shows none.
    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        let names = self.0.storage.names(folder, at_most).await;
        names.map_err(|failure| failure.at("list", folder.map_or("the folder", Folder::name)))
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.0.put(key, &bytes).await.map_err(|failure| failure.at("put", key))
    }

    /// Exclusive among all clients for slots and the lock; for others among the callers of one client.
    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        self.0.create(key, &bytes).await.map_err(|failure| failure.at("create", key))
    }

    /// Of slots: [`ErrorKind::Unsupported`]. The core deletes none.
    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.0.delete(key).await.map_err(|failure| failure.at("delete", key))
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        let listed = self.0.storage.list(folder, page).await;
        listed.map_err(|failure| failure.at("list", folder.name()))
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        let copied = self.copy_many(vec![(from.clone(), to.clone())]).await.pop();
        copied.unwrap_or(Ok(Copied::Unsupported))
    }

    /// Two requests for each: one proves that the copy has the content of the original.
    async fn copy_many(&self, pairs: Vec<(Key, Key)>) -> Vec<Result<Copied, Error>> {
        let answers = self.0.storage.copy_objects(&pairs).await;
        let answers = pairs.iter().zip(answers);
        answers.map(|((_, to), answer)| answer.map_err(|failure| failure.at("copy", to))).collect()
    }

    /// A hundred in one request.
    async fn delete_many(&self, keys: &[Key]) -> Vec<Result<(), Error>> {
        if !keys.iter().all(|key| matches!(Kind::of(key), Kind::Other)) {
            let deletes = keys.iter().map(|key| self.delete(key));
            return futures::future::join_all(deletes).await;
        }
        let answers = self.0.storage.delete_objects(keys).await;
        let answers = keys.iter().zip(answers);
        answers.map(|(key, answer)| answer.map_err(|failure| failure.at("delete", key))).collect()
    }

    /// Looks every 5 seconds at first, every minute later, for slots that others made. The first call
    /// answers [`Wait::Changed`] at once.
    async fn wait_for_change(&self, timeout: Duration) -> Result<Wait, Error> {
        let waited = self.0.storage.wait(timeout).await;
        waited.map_err(|failure| failure.at("wait", "changes"))
    }
}
