//! A device that watches, in a time that passes only while everybody waits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::{
    Cause, Client, DeferAll, DocumentId, Environment, Error, Report, Timestamp, Watch,
    WatchOptions, Watched,
};
use db_to_cloud_tests::World;
use tokio::time::{Instant, sleep, timeout};

use super::storage::{Storage, Waiting};

/// The time of the runtime. The test may set the clock on the wall ahead.
#[derive(Clone, Debug)]
pub(super) struct PausedTime {
    start: Instant,
    ahead: Arc<AtomicU64>,
    random: Arc<AtomicU64>,
}

impl PausedTime {
    fn new() -> Self {
        Self { start: Instant::now(), ahead: Arc::default(), random: Arc::new(AtomicU64::new(7)) }
    }

    /// The device slept for so long: its monotonic clock did not count it.
    pub(super) fn sleep_through(&self, time: Duration) {
        self.ahead.fetch_add(time.as_millis() as u64, SeqCst);
    }
}

#[async_trait]
impl Environment for PausedTime {
    fn now(&self) -> Timestamp {
        let passed = self.start.elapsed().as_millis() as u64 + self.ahead.load(SeqCst);
        Timestamp::from_millis(1_795_408_011_000 + passed)
    }

    fn monotonic(&self) -> Duration {
        self.start.elapsed()
    }

    async fn sleep(&self, duration: Duration) {
        sleep(duration).await;
    }

    fn random(&self) -> u128 {
        // Odd multiples never meet, and scatter well enough.
        let n = u128::from(self.random.fetch_add(1, SeqCst));
        n.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }
}

/// What a watch did, and how long after the test began to look.
pub(super) type Done = (Duration, Cause, Result<Report, Error>);

/// A device that watches.
pub(super) struct Watcher {
    pub documents: MemoryDatabase,
    pub state: MemoryState,
    pub storage: Storage,
    pub time: PausedTime,
    pub client: Client,
    pub watch: Watch,
}

impl Watcher {
    pub(super) fn new(world: &World, waiting: Waiting) -> Self {
        Self::with(world, waiting, WatchOptions::default())
    }

    pub(super) fn with(world: &World, waiting: Waiting, options: WatchOptions) -> Self {
        let (documents, state) = (MemoryDatabase::new(), MemoryState::new());
        let (storage, time) = (Storage::new(world, waiting), PausedTime::new());
        let client = Client::builder(
            Arc::new(storage.clone()),
            Arc::new(documents.clone()),
            Arc::new(state.clone()),
            Arc::new(DeferAll),
        );
        let client = client.build_with(Arc::new(time.clone()));
        let watch = client.watch(options);
        Self { documents, state, storage, time, client, watch }
    }

    /// Watches for so long. An error that ends the watch is the last one.
    pub(super) async fn run(&mut self, time: Duration) -> Vec<Done> {
        let (began, mut done) = (Instant::now(), Vec::new());
        let watch = async {
            loop {
                let cause = self.watch.changed().await;
                let outcome = match self.watch.sync().await {
                    Ok(Watched::Synced(report)) => Ok(report),
                    Ok(Watched::Retry { error, .. }) => Err(error),
                    Err(error) => {
                        done.push((began.elapsed(), cause, Err(error)));
                        return;
                    }
                };
                done.push((began.elapsed(), cause, outcome));
                assert!(done.len() < 5000, "it spins");
            }
        };
        let _ = timeout(time, watch).await;
        done
    }

    /// Watches until there is nothing more to tell at the start.
    pub(super) async fn settled(mut self) -> Self {
        self.run(Duration::from_secs(60)).await;
        self.requests();
        self
    }

    pub(super) async fn edit(&self, id: impl Into<DocumentId>, text: impl Into<String>) {
        let id = id.into();
        self.documents.save(id.clone(), text.into());
        self.client.queue_change(&id).await.unwrap();
    }

    pub(super) fn read(&self, id: &str) -> Option<String> {
        let documents = self.documents.documents();
        documents.get(&id.into()).map(|d| String::from_utf8_lossy(&d.bytes).into_owned())
    }

    /// The requests since the last call, and how often the storage was asked to wait.
    pub(super) fn requests(&self) -> (usize, u64) {
        (self.storage.inner.journal.take().len(), self.storage.asked.swap(0, SeqCst))
    }
}

/// The causes of what was done.
pub(super) fn causes(done: &[Done]) -> Vec<Cause> {
    done.iter().map(|(_, cause, _)| *cause).collect()
}
