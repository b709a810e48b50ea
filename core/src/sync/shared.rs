//! What all syncs of one client share: its parts, its settings, and whether its documents were scanned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::environment::Environment;
use crate::local::{Database, Edits, Joined, Resolver, SyncState};
use crate::model::format::About;
use crate::model::{DocumentId, Error, Event, Revision, Sizes};
use crate::storage::{LockPolicy, Storage};

pub(crate) struct Shared {
    pub storage: Storage,
    pub database: Arc<dyn Database>,
    pub sync_state: SyncState,
    /// Both in one, if they change in one transaction.
    pub joined: Option<Arc<dyn Joined>>,
    pub resolver: Arc<dyn Resolver>,
    pub environment: Arc<dyn Environment>,
    pub config: Config,
    pub edits: Edits,
    pub compared: AtomicBool,
}

pub(crate) struct Config {
    pub device: String,
    /// What a storage that this client begins is for, and what it expects of others (rule C6).
    pub about: About,
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
    /// Go on with this storage although it is not as this device left it, if it is the same one: put
    /// back what it lost, or join the two branches ([`Divergence`](crate::Divergence)). Documents that
    /// changed on both sides become conflicts, none is deleted unasked.
    pub go_on: bool,
    /// Accept whatever storage is there, also another one
    /// ([`ErrorKind::Diverged`](crate::ErrorKind::Diverged)), or one among other files
    /// ([`ErrorKind::Foreign`](crate::ErrorKind::Foreign)): all documents that differ become conflicts,
    /// none is deleted unasked. With `go_on` only where that does not do.
    pub accept_remote: bool,
    /// Join the documents of this device and of a storage that have few in common
    /// ([`ErrorKind::Unrelated`](crate::ErrorKind::Unrelated)).
    pub join: bool,
    /// Accept that a large part of the documents is deleted, or replaced by older versions
    /// ([`ErrorKind::TooManyDeletes`](crate::ErrorKind::TooManyDeletes)).
    pub accept_deletes: bool,
    /// Try again what the application's database refused, also if nothing has changed there since
    /// (rule P12).
    pub retry_refused: bool,
    /// Look whether the storage still has all documents that this device has synced, and put those
    /// again that it lost (rule D2): one request for a page of names, and one for each document that is
    /// not listed. It also looks for what was given up before (rule D7).
    pub verify: bool,
    /// Put what this device has in the place of versions whose bytes the storage lost
    /// ([`DeferReason::Missing`](crate::DeferReason::Missing)), for all devices (rule D6). The resolver is not
    /// asked, as nobody can show the lost side. A device that still has it is asked before its own is
    /// replaced, and all are as before where this device has neither the document nor an edit of it. It
    /// is for bytes that do not come back: `verify` on the device that wrote them comes first.
    pub give_up_missing: bool,
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
