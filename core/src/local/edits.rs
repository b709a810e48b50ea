//! Tells a [`Watch`](super::Watch) of edits that were queued in this process.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};
use std::task::{Poll, Waker};

/// Counts edits, and wakes who waits for the next one.
#[derive(Debug, Default)]
pub(crate) struct Edits {
    count: AtomicU64,
    waiting: Mutex<Vec<Waker>>,
}

impl Edits {
    /// There is another one.
    pub(crate) fn note(&self) {
        self.count.fetch_add(1, SeqCst);
        let waiting = std::mem::take(&mut *self.waiting());
        waiting.into_iter().for_each(Waker::wake);
    }

    /// How many there were.
    pub(crate) fn count(&self) -> u64 {
        self.count.load(SeqCst)
    }

    /// Returns once there were other than so many. May be dropped.
    pub(crate) async fn other_than(&self, seen: u64) {
        poll_fn(|context| {
            let mut waiting = self.waiting();
            // Looked at while nobody can be woken: an edit is seen now, or wakes us.
            if self.count() != seen {
                return Poll::Ready(());
            }
            if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                waiting.push(context.waker().clone());
            }
            Poll::Pending
        })
        .await;
    }

    fn waiting(&self) -> std::sync::MutexGuard<'_, Vec<Waker>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn everybody_who_waits_is_woken_and_nobody_waits_in_vain() {
        let edits = Edits::default();
        assert!(edits.other_than(0).now_or_never().is_none());
        let both = async { tokio::join!(edits.other_than(0), edits.other_than(0)) };
        let edit = async {
            tokio::task::yield_now().await;
            edits.note();
        };
        tokio::join!(both, edit);
        assert!(edits.other_than(0).now_or_never().is_some(), "it was before");
        assert!(edits.other_than(1).now_or_never().is_none());
    }
}
