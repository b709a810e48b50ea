//! How large the tests are, and what else they may use.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use db_to_cloud::Adapter;

/// Sizes for slow servers, and further handles that some cases need.
#[derive(Clone, Debug)]
#[must_use]
pub struct Options {
    pub(crate) other: Option<Arc<dyn Adapter>>,
    pub(crate) unreachable: Option<Arc<dyn Adapter>>,
    pub(crate) empty: Option<Arc<dyn Adapter>>,
    /// The next slot, if slots are made one after another.
    pub(crate) next_slot: Option<Arc<AtomicU64>>,
    pub(crate) races_of_one_client: bool,
    pub(crate) listed_keys: usize,
    pub(crate) large_object: usize,
    pub(crate) creators: usize,
    pub(crate) rounds: usize,
    pub(crate) patience: Duration,
    pub(crate) case_timeout: Duration,
}

impl Default for Options {
    /// 5,000 listed keys, an object of 16 MiB, 64 creators in 10 rounds.
    fn default() -> Self {
        Self {
            other: None,
            unreachable: None,
            empty: None,
            next_slot: None,
            races_of_one_client: false,
            listed_keys: 5000,
            large_object: 16 * 1024 * 1024,
            creators: 64,
            rounds: 10,
            patience: Duration::from_secs(10),
            case_timeout: Duration::from_secs(600),
        }
    }
}

impl Options {
    /// The default options.
    pub fn new() -> Self {
        Self::default()
    }

    /// A second client of the same storage: its own connection, cache and process state. Without
    /// it the case of two clients is skipped.
    pub fn with_other(mut self, other: Arc<dyn Adapter>) -> Self {
        self.other = Some(other);
        self
    }

    /// A client that cannot reach its storage: wrong port, wrong password, unmounted drive. Without
    /// it the case that an error is never taken for absence is skipped.
    pub fn with_unreachable(mut self, unreachable: Arc<dyn Adapter>) -> Self {
        self.unreachable = Some(unreachable);
        self
    }

    /// Another storage, in which nothing was ever written. Without it the case of the names of nothing is
    /// skipped.
    pub fn with_empty(mut self, empty: Arc<dyn Adapter>) -> Self {
        self.empty = Some(empty);
        self
    }

    /// For an adapter whose log slots can only be made one after another: they are, from this one on, and
    /// stay. The storage must be a throw-away one whose log has so many entries less one.
    pub fn with_slots_in_order(mut self, first: u64) -> Self {
        self.next_slot = Some(Arc::new(AtomicU64::new(first)));
        self
    }

    /// For an adapter whose `create` is exclusive among all clients only on slots and the lock, which are
    /// what commits rest on: other keys are raced for by the callers of one client, as the probe does.
    pub fn with_races_of_one_client(mut self) -> Self {
        self.races_of_one_client = true;
        self
    }

    /// How many keys are listed. Should be more than one page of the server.
    pub fn with_listed_keys(mut self, keys: usize) -> Self {
        self.listed_keys = keys;
        self
    }

    /// The size of the large object, in bytes.
    pub fn with_large_object(mut self, bytes: usize) -> Self {
        self.large_object = bytes;
        self
    }

    /// How many clients create the same key at once, and how often.
    pub fn with_creators(mut self, creators: usize, rounds: usize) -> Self {
        self.creators = creators;
        self.rounds = rounds;
        self
    }

    /// How long a list may take to show new objects, and a dropped write to settle.
    pub fn with_patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    /// How long one case may take; beyond that it has failed.
    pub fn with_case_timeout(mut self, timeout: Duration) -> Self {
        self.case_timeout = timeout;
        self
    }
}
