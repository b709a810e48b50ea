//! Stopping a device at any step.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};

use crate::TestTime;

/// Counts the steps of one device: the moments before and after each operation on the storage, on
/// the client state and on the documents. At a chosen step the device stops for ever.
#[derive(Clone, Debug)]
pub struct Steps {
    taken: Arc<AtomicU64>,
    stop_at: Arc<AtomicU64>,
    time: TestTime,
}

impl Steps {
    pub(crate) fn new(time: TestTime) -> Self {
        Self { taken: Arc::default(), stop_at: Arc::new(AtomicU64::new(u64::MAX)), time }
    }

    /// Starts counting anew and stops at step `n`, the first being 1.
    pub fn stop_at(&self, n: u64) {
        self.taken.store(0, SeqCst);
        self.stop_at.store(n, SeqCst);
        self.time.freeze(false);
    }

    /// Starts counting anew and never stops.
    pub fn run_freely(&self) {
        self.stop_at(u64::MAX);
    }

    /// The steps taken since counting began.
    pub fn taken(&self) -> u64 {
        self.taken.load(SeqCst)
    }

    pub(crate) async fn step(&self) {
        let n = self.taken.fetch_add(1, SeqCst) + 1;
        if n >= self.stop_at.load(SeqCst) {
            self.time.freeze(true);
            std::future::pending::<()>().await;
        }
    }
}
