//! How patient a watch is.

use std::time::Duration;

use crate::sync::SyncOptions;

/// How long a [`Watch`](super::Watch) waits for what.
///
/// With the defaults a storage that cannot wait costs about 17 reads in the first idle hour and 12 in
/// each one after; one that can wait about 8 long requests and 1 read an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatchOptions {
    /// The pause before a storage that cannot wait is polled. It doubles with each sync that finds
    /// nothing, and is this again after one that found or made a change.
    pub shortest_poll: Duration,
    /// The pause does not grow beyond this. The same bounds are those of the pause after a sync that
    /// failed for now, which may be longer only if the storage asks for that.
    pub longest_poll: Duration,
    /// A storage that can wait is asked to wait for so long at a time.
    pub wait: Duration,
    /// It is polled this often nevertheless, in case it misses a change.
    pub longest_wait: Duration,
    /// So long after an edit was queued without another one, it is synced: a burst of edits is one
    /// sync.
    pub quiet: Duration,
    /// An edit waits no longer than this, should there always be another one.
    pub longest_burst: Duration,
    /// How often the queue is counted, which finds edits that other processes queued.
    pub look: Duration,
    /// What the user decided about the first sync. Those after it ask again.
    pub first: SyncOptions,
}

impl Default for WatchOptions {
    /// Polls after 5 seconds to 5 minutes; waits of 8 minutes, a look each hour; edits after 1 second
    /// of quiet, at the latest after 10; the queue is counted each 5 seconds; nothing is decided.
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            shortest_poll: seconds(5),
            longest_poll: seconds(300),
            wait: seconds(480),
            longest_wait: seconds(3600),
            quiet: seconds(1),
            longest_burst: seconds(10),
            look: seconds(5),
            first: SyncOptions::default(),
        }
    }
}

impl WatchOptions {
    /// The pause that doubled so many times.
    pub(super) fn poll(&self, doubled: u32) -> Duration {
        let longest = self.longest_poll.max(self.shortest_poll);
        self.shortest_poll.saturating_mul(1 << doubled.min(20)).min(longest)
    }
}
