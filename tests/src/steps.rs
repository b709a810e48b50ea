//! Stopping a device at any step.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::SeqCst};
use std::task::{Context, Poll, Wake};

use crate::TestTime;

/// Counts the steps of one device: the moments before and after each operation on the storage, on
/// the client state and on the documents. At a chosen step the device stops for ever.
#[derive(Clone, Debug)]
pub struct Steps {
    taken: Arc<AtomicU64>,
    stop_at: Arc<AtomicU64>,
    /// What decides who goes on first; 0 if nobody ever steps back.
    turns: Arc<AtomicU64>,
    time: TestTime,
}

impl Steps {
    pub(crate) fn new(time: TestTime) -> Self {
        let stop_at = Arc::new(AtomicU64::new(u64::MAX));
        Self { taken: Arc::default(), stop_at, turns: Arc::default(), time }
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

    /// From now on, whatever runs beside each other in a sync takes turns as this seed says, each
    /// time the client state is asked.
    pub fn interleave(&self, seed: u64) {
        self.turns.store(seed | 1, SeqCst);
    }

    pub(crate) async fn take_turns(&self) {
        let turns = self.turns.load(SeqCst);
        let next = turns.wrapping_mul(0x5851_f42d_4c95_7f2d);
        self.turns.store(next, SeqCst);
        if next >> 62 == 1 {
            step_back().await;
        }
    }

    pub(crate) async fn step(&self) {
        let n = self.taken.fetch_add(1, SeqCst) + 1;
        if n >= self.stop_at.load(SeqCst) {
            self.time.freeze(true);
            std::future::pending::<()>().await;
        }
    }
}

/// Lets everything beside it go on first.
pub(crate) async fn step_back() {
    let mut stepped = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut stepped, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// Runs a future as far as it comes without waiting for anybody else; `None` if it stopped.
pub(crate) fn run<F: Future>(future: F) -> Option<F::Output> {
    struct Woken(AtomicBool);
    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, SeqCst);
        }
    }
    let woken = Arc::new(Woken(AtomicBool::new(true)));
    let waker = woken.clone().into();
    let mut future = std::pin::pin!(future);
    while woken.0.swap(false, SeqCst) {
        let polled = future.as_mut().poll(&mut Context::from_waker(&waker));
        if let Poll::Ready(output) = polled {
            return Some(output);
        }
    }
    None
}
