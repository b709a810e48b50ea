//! What all syncs of one client share: its parts, its settings, and whether its documents were scanned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::environment::Environment;
use crate::local::{Database, Edits, Resolver, SyncState};
use crate::model::{DocumentId, Error, Event, Revision, Sizes};
use crate::storage::{LockPolicy, Storage};

pub(crate) struct Shared {
    pub storage: Storage,
    pub database: Arc<dyn Database>,
    pub sync_state: SyncState,
    pub resolver: Arc<dyn Resolver>,
    pub environment: Arc<dyn Environment>,
    pub config: Config,
    pub edits: Edits,
    pub compared: AtomicBool,
}

pub(crate) struct Config {
    pub device: String,
    pub lock: LockPolicy,
    /// G: how long an object that nothing names is kept.
    pub grace: std::time::Duration,
    pub sizes: Sizes,
    pub maintenance: bool,
    pub require_strong: bool,
    pub time_limit: Option<std::time::Duration>,
    pub progress: Option<Progress>,
}

type Progress = Box<dyn Fn(Event) + Send + Sync>;

/// What the user decided about this one sync.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncOptions {
    /// Accept a storage that is not the one last synced with, or that went back in time
    /// ([`ErrorKind::Diverged`](crate::ErrorKind::Diverged)): documents that differ become conflicts, none is deleted unasked.
    pub accept_remote: bool,
    /// Accept that a large part of the documents is deleted ([`ErrorKind::TooManyDeletes`](crate::ErrorKind::TooManyDeletes)).
    pub accept_deletes: bool,
    /// Try again what the application's database refused, also if nothing has changed there since
    /// (rule P12).
    pub retry_refused: bool,
}

impl Shared {
    pub(crate) fn emit(&self, event: Event) {
        if let Some(progress) = &self.config.progress {
            progress(event);
        }
    }

    pub(crate) fn is_compared(&self) -> bool {
        self.compared.load(Ordering::SeqCst)
    }

    pub(crate) fn set_compared(&self, compared: bool) {
        self.compared.store(compared, Ordering::SeqCst);
    }

    pub(crate) async fn queue_changes(&self, ids: &[DocumentId]) -> Result<(), Error> {
        self.sync_state.queue_changes(ids, || self.environment.random() as u64).await
    }

    pub(crate) async fn queue_change_of(
        &self,
        id: &DocumentId,
        edited: &Revision,
    ) -> Result<(), Error> {
        self.sync_state.queue_change_of(id, edited, || self.environment.random() as u64).await
    }
}
