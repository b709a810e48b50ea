//! Time and randomness that the test owns.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::SeqCst};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{Environment, Timestamp};

/// A clock that moves only when somebody sleeps or the test says so.
#[derive(Clone, Debug)]
pub struct TestTime {
    elapsed: Arc<AtomicU64>,
    /// How far this clock on the wall is off, in milliseconds.
    offset: Arc<AtomicI64>,
    random: Arc<AtomicU64>,
    frozen: Arc<AtomicBool>,
}

/// 2026-11-23T04:26:51Z.
const START: u64 = 1_795_408_011_000;

impl TestTime {
    /// It is 2026-11-23T04:26:51Z.
    pub fn new() -> Self {
        Self {
            elapsed: Arc::new(AtomicU64::new(0)),
            offset: Arc::default(),
            random: Arc::new(AtomicU64::new(1)),
            frozen: Arc::default(),
        }
    }

    /// The same time and randomness, on a device of its own: its clock may be wrong, and it may
    /// stop.
    pub fn on_a_device(&self) -> Self {
        Self { offset: Arc::default(), frozen: Arc::default(), ..self.clone() }
    }

    /// A clock that shows the same and goes its own way.
    pub fn fork(&self) -> Self {
        Self {
            elapsed: Arc::new(AtomicU64::new(self.elapsed.load(SeqCst))),
            offset: Arc::new(AtomicI64::new(self.offset.load(SeqCst))),
            random: Arc::new(AtomicU64::new(self.random.load(SeqCst))),
            frozen: Arc::default(),
        }
    }

    /// Lets time pass.
    pub fn pass(&self, duration: Duration) {
        self.elapsed.fetch_add(duration.as_millis() as u64, SeqCst);
    }

    /// Sets this device's clock on the wall wrong by so many milliseconds.
    pub fn set_wrong_by(&self, millis: i64) {
        self.offset.store(millis, SeqCst);
    }

    /// Whoever sleeps on this device never wakes up.
    pub fn freeze(&self, frozen: bool) {
        self.frozen.store(frozen, SeqCst);
    }
}

impl Default for TestTime {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Environment for TestTime {
    fn now(&self) -> Timestamp {
        let millis = START + self.elapsed.load(SeqCst);
        Timestamp::from_millis(millis.saturating_add_signed(self.offset.load(SeqCst)))
    }

    fn monotonic(&self) -> Duration {
        Duration::from_millis(self.elapsed.load(SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        if self.frozen.load(SeqCst) {
            std::future::pending::<()>().await;
        }
        self.pass(duration);
    }

    /// A different number each time, scattered by SplitMix64.
    fn random(&self) -> u128 {
        let n = self.random.fetch_add(1, SeqCst);
        let scatter = |n: u64| {
            let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            z ^ (z >> 31)
        };
        (u128::from(scatter(2 * n)) << 64) | u128::from(scatter(2 * n + 1))
    }
}
