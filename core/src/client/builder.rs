//! How a client is set up.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use super::Client;
use crate::environment::Environment;
use crate::local::Edits;
use crate::local::SyncState;
use crate::local::state::StateStore;
use crate::local::{Database, Resolver};
use crate::model::format::About;
use crate::model::{Event, Sizes};
use crate::storage::Adapter;
use crate::storage::{Limits, LockPolicy, Storage};
use crate::sync::{Config, Shared};

/// Settings of a [`Client`]; made by [`Client::builder`].
#[must_use]
pub struct ClientBuilder {
    adapter: Arc<dyn Adapter>,
    database: Arc<dyn Database>,
    state: Arc<dyn StateStore>,
    resolver: Arc<dyn Resolver>,
    limits: Limits,
    config: Config,
}

/// G: the least and the default.
const GRACE: Duration = Duration::from_secs(30 * 24 * 3600);

impl ClientBuilder {
    pub(super) fn new(
        adapter: Arc<dyn Adapter>,
        database: Arc<dyn Database>,
        state: Arc<dyn StateStore>,
        resolver: Arc<dyn Resolver>,
    ) -> Self {
        let config = Config {
            device: "unnamed device".to_owned(),
            about: About::default(),
            lock: LockPolicy::Auto,
            grace: GRACE,
            sizes: Sizes::default(),
            maintenance: true,
            require_strong: false,
            time_limit: None,
            progress: None,
        };
        let limits = Limits::default();
        Self { adapter, database, state, resolver, limits, config }
    }

    /// The name of this device, for people to read in the lock, the log and conflicts.
    pub fn with_device(mut self, name: impl Into<String>) -> Self {
        self.config.device = name.into();
        self
    }

    /// What the documents are: written into a storage that this client begins, and compared with what
    /// other storages say. A storage for something else is refused with
    /// [`ErrorKind::Foreign`](crate::ErrorKind::Foreign). What is not said is not compared.
    pub fn with_about(mut self, about: About) -> Self {
        self.config.about = about;
        self
    }

    /// Time limits and repetitions.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.config.time_limit = limits.sync;
        self.limits = limits;
        self
    }

    /// When the lock is taken; by default only where it calms contention.
    pub fn with_lock(mut self, policy: LockPolicy) -> Self {
        self.config.lock = policy;
        self
    }

    /// How long document versions that nothing names any more are kept before they are deleted: at
    /// least and by default 30 days. A longer time keeps history.
    pub fn with_grace(mut self, grace: Duration) -> Self {
        self.config.grace = grace.max(GRACE);
        self
    }

    /// Smaller objects than the protocol allows, for tests.
    #[doc(hidden)]
    pub fn with_sizes(mut self, sizes: Sizes) -> Self {
        self.config.sizes = sizes.bounded();
        self
    }

    /// Whether this client writes snapshots and collects garbage after a sync; by default it does.
    pub fn with_maintenance(mut self, maintenance: bool) -> Self {
        self.config.maintenance = maintenance;
        self
    }

    /// Refuse a storage without atomic create instead of using it in weak mode.
    pub fn require_strong(mut self) -> Self {
        self.config.require_strong = true;
        self
    }

    /// Called with each step of a sync. It must return quickly.
    pub fn on_progress(mut self, progress: impl Fn(Event) + Send + Sync + 'static) -> Self {
        self.config.progress = Some(Box::new(progress));
        self
    }

    /// The client, with the clock, timer and randomness of this machine. Nothing is read or written
    /// yet. Needs the feature `system`, which is on by default.
    #[cfg(feature = "system")]
    pub fn build(self) -> Client {
        self.build_with(Arc::new(crate::SystemEnvironment::new()))
    }

    /// The client, with another clock, timer and randomness than the machine's own. Nothing is read
    /// or written yet.
    pub fn build_with(self, environment: Arc<dyn Environment>) -> Client {
        Client(Arc::new(Shared {
            storage: Storage::new(self.adapter, environment.clone(), self.limits),
            joined: self.state.shared().and_then(|state| self.database.joined(state)),
            database: self.database,
            sync_state: SyncState::new(self.state),
            resolver: self.resolver,
            environment,
            config: self.config,
            edits: Edits::default(),
            compared: AtomicBool::new(false),
        }))
    }
}

impl std::fmt::Debug for ClientBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ClientBuilder").field("device", &self.config.device).finish_non_exhaustive()
    }
}
