//! A storage that answers late.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Adapter, Capabilities, Copied, Created, Error, Folder, Key, Page};
use tokio::sync::Semaphore;

/// How many requests are under way at once, as in the adapters of real services.
pub const CONCURRENCY: usize = 16;

/// One device's way to a storage in memory. Each request waits for one of 16 connections, keeps it
/// for the latency, and takes effect at the end of it. Its clones share the connections.
#[derive(Clone, Debug)]
pub struct SlowAdapter {
    cloud: MemoryAdapter,
    connections: Arc<Semaphore>,
    /// In microseconds.
    latency: Arc<AtomicU64>,
}

impl SlowAdapter {
    /// A way to this storage without latency.
    pub fn new(cloud: MemoryAdapter) -> Self {
        let connections = Arc::new(Semaphore::new(CONCURRENCY));
        Self { cloud, connections, latency: Arc::default() }
    }

    /// From now on each request takes this long.
    pub fn set_latency(&self, latency: Duration) {
        self.latency.store(latency.as_micros() as u64, Relaxed);
    }

    async fn travel(&self) {
        let latency = Duration::from_micros(self.latency.load(Relaxed));
        // Only closing the semaphore is an error, which nobody does.
        let _connection = self.connections.acquire().await;
        if !latency.is_zero() {
            tokio::time::sleep(latency).await;
        }
    }
}

#[async_trait]
impl Adapter for SlowAdapter {
    fn capabilities(&self) -> Capabilities {
        Capabilities { concurrency: CONCURRENCY, ..self.cloud.capabilities() }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.travel().await;
        self.cloud.get(key).await
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        self.travel().await;
        self.cloud.get_start(key, at_most).await
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        self.travel().await;
        self.cloud.names(folder, at_most).await
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.travel().await;
        self.cloud.put(key, bytes).await
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        self.travel().await;
        self.cloud.create(key, bytes).await
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        self.travel().await;
        self.cloud.copy(from, to).await
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.travel().await;
        self.cloud.delete(key).await
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        self.travel().await;
        self.cloud.list(folder, page).await
    }
}
