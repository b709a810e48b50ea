//! MetadataRead: where a client stands.

use std::sync::Arc;

use serde::Serialize;

use super::Client;
use crate::environment::Environment;
use crate::local::state::Table;
use crate::model::format::LockObject;
use crate::model::{DeferredChange, Error, ErrorKind, Timestamp};
use crate::storage::Adapter;
use crate::storage::Storage;

const STEP: usize = 500;

/// Where a client and its storage stand; made by [`Client::status`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Status {
    /// The number of the newest commit that is applied here.
    pub version: u64,
    /// Documents as of the last sync.
    pub documents: u64,
    /// Edits that wait to be pushed, as far as they are queued.
    pub queued: u64,
    /// Remote changes that could not be applied yet, conflicts among them.
    pub pending: u64,
    /// Documents of the storage that are excluded on this device, as of the last sync
    /// ([`Database::selection`](crate::Database::selection)).
    pub excluded: u64,
    /// A commit was sent and its fate is not known yet; the next sync finds it out.
    pub unsettled: bool,
    /// When a sync last ended well, by this device's clock.
    pub synced: Option<Timestamp>,
    /// Whether another device committed something that is not yet applied here.
    pub behind: bool,
    /// Who holds the lock, if anybody.
    pub lock: Option<LockObject>,
    /// What this storage cannot promise, for its user (rule W5): `None` if its create is atomic by
    /// its word or by the probe. Before the first commit of this device to a storage that must be
    /// probed, it says so.
    pub remaining_risk: Option<&'static str>,
}

impl Client {
    /// MetadataRead: where this client stands and what the storage says. Changes nothing.
    ///
    /// # Errors
    /// If the client state or the storage cannot be read.
    pub async fn status(&self) -> Result<Status, Error> {
        let sync_state = &self.0.sync_state;
        let position = sync_state.metadata_read().await?;
        let create = self.0.storage.capabilities().create.measured(position.atomic);
        let next = self.0.storage.changes_read(position.version + 1).await?;
        let (set_aside, excluded) = self.excluded().await?;
        Ok(Status {
            version: position.version,
            documents: sync_state.count(Table::Index).await?,
            queued: sync_state.count(Table::Dirty).await?,
            pending: sync_state.count(Table::Pending).await?.saturating_sub(set_aside),
            excluded,
            unsettled: sync_state.attempt().await?.is_some(),
            synced: position.synced,
            behind: next.is_some(),
            lock: self.0.storage.lock_read().await?,
            remaining_risk: create.remaining_risk(),
        })
    }

    /// The deferred changes that wait until their documents are included, and how many of these the storage has.
    async fn excluded(&self) -> Result<(u64, u64), Error> {
        let (sync_state, mut set_aside, mut excluded) = (&self.0.sync_state, 0, 0);
        if sync_state.selection().await?.is_none() {
            return Ok((0, 0));
        }
        let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            set_aside += page.iter().filter(|(_, p)| p.set_aside.is_some()).count() as u64;
            excluded += page.iter().filter(|(_, p)| p.is_of_excluded()).count() as u64;
        }
        Ok((set_aside, excluded))
    }
}

/// Shows and breaks the lock of a storage without a client: for a person who is sure that the device
/// which holds it is gone. On strong storage that is always safe.
#[derive(Debug)]
pub struct LockAdmin(Storage);

impl LockAdmin {
    /// Looks after the lock of this storage, with the clock and timer of this machine. Needs the
    /// feature `system`, which is on by default.
    #[cfg(feature = "system")]
    pub fn new(adapter: Arc<dyn Adapter>) -> Self {
        Self::new_with(adapter, Arc::new(crate::SystemEnvironment::new()))
    }

    /// The same with another clock and timer than the machine's own.
    pub fn new_with(adapter: Arc<dyn Adapter>, environment: Arc<dyn Environment>) -> Self {
        Self(Storage::new(adapter, environment, crate::Limits::default()))
    }

    /// Who holds the lock, if anybody.
    ///
    /// # Errors
    /// If the storage cannot be read.
    pub async fn holder(&self) -> Result<Option<LockObject>, Error> {
        self.0.lock_read().await
    }

    /// Deletes this very lock, whoever holds it.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if it was released or taken by another meanwhile.
    pub async fn break_lock(&self, lock: &LockObject) -> Result<(), Error> {
        match self.0.break_lock(lock.nonce).await? {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Locked, "unlock")
                .with_message("the lock was released or taken anew meanwhile: nothing was done")),
        }
    }
}
