//! A storage that can wait, or says so.

use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    Adapter, Capabilities, Copied, Created, Error, ErrorKind, Folder, Key, Page, Wait,
};
use db_to_cloud_tests::{FaultyAdapter, World};
use tokio::time::{sleep, timeout};

/// How it answers when it is asked to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// That it cannot.
    Polled,
    /// Truly.
    Truly,
    /// At once, that something changed, whether or not.
    CryingWolf,
    /// At once, that nothing changed.
    Impatient,
    /// With an error.
    Failing(ErrorKind),
    /// Never.
    Silent,
}

/// A device's way to a storage. It counts what it is asked for.
#[derive(Clone, Debug)]
pub(super) struct Storage {
    pub inner: FaultyAdapter,
    pub asked: Arc<AtomicU64>,
    world: World,
    waiting: Waiting,
    told: Arc<Mutex<Option<u64>>>,
}

impl Storage {
    pub(super) fn new(world: &World, waiting: Waiting) -> Self {
        let inner = world.device("watching").storage;
        let (asked, told) = (Arc::default(), Arc::default());
        Self { inner, asked, world: world.clone(), waiting, told }
    }

    /// Until there is another commit than the caller was told of.
    async fn change(&self) {
        loop {
            let newest = Some(self.world.commits());
            if std::mem::replace(&mut *self.told.lock().unwrap(), newest) != newest {
                return;
            }
            sleep(Duration::from_secs(3)).await;
        }
    }
}

#[async_trait]
impl Adapter for Storage {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.inner.get(key).await
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        self.inner.get_start(key, at_most).await
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        self.inner.names(folder, at_most).await
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.inner.put(key, bytes).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        self.inner.create(key, bytes).await
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        self.inner.copy(from, to).await
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.inner.delete(key).await
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        self.inner.list(folder, page).await
    }

    async fn wait_for_change(&self, longest: Duration) -> Result<Wait, Error> {
        self.asked.fetch_add(1, SeqCst);
        match self.waiting {
            Waiting::Polled => Ok(Wait::Unsupported),
            Waiting::Truly => match timeout(longest, self.change()).await {
                Ok(()) => Ok(Wait::Changed),
                Err(_) => Ok(Wait::TimedOut),
            },
            Waiting::CryingWolf => Ok(Wait::Changed),
            Waiting::Impatient => Ok(Wait::TimedOut),
            Waiting::Failing(kind) => Err(Error::new(kind, "wait")),
            Waiting::Silent => std::future::pending().await,
        }
    }
}
