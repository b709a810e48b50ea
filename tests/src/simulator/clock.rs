//! A device's clock, which may be wrong, and its randomness.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{Environment, Timestamp};

use super::shared::{Shared, lock};

/// 2026-11-23T04:26:51Z.
const START: u64 = 1_795_408_011_000;

/// The time of the run as one device sees it.
#[derive(Clone, Debug)]
pub(super) struct Clock {
    shared: Arc<Shared>,
    device: usize,
    /// How far the clock on the wall is off, in milliseconds.
    wrong: Arc<AtomicI64>,
    /// How long the device slept, in milliseconds: the monotonic clock does not count it.
    slept: Arc<AtomicU64>,
}

impl Clock {
    pub(super) fn new(shared: &Arc<Shared>, device: usize) -> Self {
        let (wrong, slept) = (Arc::default(), Arc::default());
        Self { shared: shared.clone(), device, wrong, slept }
    }

    pub(super) fn set_wrong_by(&self, millis: i64) {
        self.wrong.store(millis, SeqCst);
    }

    pub(super) fn jump(&self, millis: i64) {
        self.wrong.fetch_add(millis, SeqCst);
    }

    pub(super) fn sleep_for(&self, millis: u64) {
        self.slept.fetch_add(millis, SeqCst);
        lock(&self.shared.scheduler).sleep_on(self.device, millis);
    }
}

#[async_trait]
impl Environment for Clock {
    fn now(&self) -> Timestamp {
        let millis = START + self.shared.now();
        Timestamp::from_millis(millis.saturating_add_signed(self.wrong.load(SeqCst)))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.shared.now() - self.slept.load(SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        self.shared.sleep(self.device, duration.as_millis() as u64).await;
    }

    fn random(&self) -> u128 {
        lock(&self.shared.dice).bits()
    }
}
