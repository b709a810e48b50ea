//! A clock that stands still and jumps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{Environment, Timestamp};

#[derive(Clone, Debug)]
pub(crate) struct Clock(Arc<AtomicU64>);

impl Clock {
    /// Some day in 2026.
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU64::new(1_795_408_011_000)))
    }

    pub(crate) fn forward(&self, seconds: u64) {
        self.0.fetch_add(seconds * 1000, SeqCst);
    }

    pub(crate) fn back(&self, seconds: u64) {
        self.0.fetch_sub(seconds * 1000, SeqCst);
    }
}

#[async_trait]
impl Environment for Clock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0.load(SeqCst))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.0.load(SeqCst))
    }

    async fn sleep(&self, _duration: Duration) {}

    fn random(&self) -> u128 {
        4
    }
}
