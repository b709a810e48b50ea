//! Rule B1 for edits that a comparison found: files that were restored from a backup, while the client state
//! was not, look like edits, and would replace newer versions on all devices.

use std::collections::HashMap;

use super::Context;
use crate::local::ChangeTracking;
use crate::local::state::Table;
use crate::model::{DocumentId, Error, ErrorKind};
use crate::model::{QueuedEdit, SyncedVersion};
use crate::protocol::are_many_restored;

/// Records of the queue that are looked at together.
const STEP: usize = 500;

impl Context<'_> {
    /// Stops a sync that would push older versions in the place of newer ones, unless that was accepted.
    /// It reads those of the edited documents of which older versions are known, if they are many.
    pub(super) async fn brake_restored(&self) -> Result<(), Error> {
        if self.options.accept_deletes || !self.may_be_restored().await? {
            return Ok(());
        }
        let (mut edited, mut older) = (0, 0);
        let mut pages = self.client.sync_state.pages::<QueuedEdit>(Table::Dirty, STEP);
        while let Some(page) = pages.next().await? {
            let found = page.into_iter().filter(|(_, edit)| edit.found);
            let ids: Vec<_> = found.map(|(id, _)| id).collect();
            let found = self.edited(&ids).await?;
            edited += found.len() as u64;
            for (id, version) in found.iter().filter(|(_, version)| !version.older.is_empty()) {
                let document = self.client.database.get(id).await.ok().flatten();
                let restored = document.is_some_and(|d| version.replaced(d.hash()));
                older += u64::from(restored);
            }
        }
        match are_many_restored(older, edited) {
            true => Err(restored(older, edited)),
            false => Ok(()),
        }
    }

    /// Whether older versions are known of enough documents; no document is looked at.
    async fn may_be_restored(&self) -> Result<bool, Error> {
        let mut known = 0;
        let mut pages = self.client.sync_state.pages::<QueuedEdit>(Table::Dirty, STEP);
        while let Some(page) = pages.next().await? {
            let ids: Vec<_> = page.into_iter().filter(|(_, e)| e.found).map(|(id, _)| id).collect();
            let synced = self.client.sync_state.indexed(&ids).await?;
            known += synced.values().filter(|version| !version.older.is_empty()).count() as u64;
            if are_many_restored(known, known) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Those of the documents that were synced and are not as they were.
    async fn edited(&self, ids: &[DocumentId]) -> Result<Vec<(DocumentId, SyncedVersion)>, Error> {
        let mut synced = self.client.sync_state.indexed(ids).await?;
        let ids: Vec<_> = ids.iter().filter(|id| synced.contains_key(*id)).cloned().collect();
        let revisions = self.client.database.revisions(&ids).await;
        let edited = ids.iter().zip(revisions).filter_map(|(id, revision)| {
            let version = synced.remove(id)?;
            let is_edited = revision.ok().flatten().as_ref() != version.live_rev();
            // What the application cannot keep as it is has another content here than in the log.
            let counts = is_edited && !version.deleted && version.local.is_none();
            counts.then(|| (id.clone(), version))
        });
        Ok(edited.collect())
    }

    /// What the index says of these documents, where a comparison finds their edits.
    pub(super) async fn before(
        &self,
        ids: &[DocumentId],
    ) -> Result<HashMap<DocumentId, SyncedVersion>, Error> {
        match self.client.database.tracking() {
            ChangeTracking::Scanned => self.client.sync_state.indexed(ids).await,
            _ => Ok(HashMap::new()),
        }
    }
}

fn restored(older: u64, edited: u64) -> Error {
    Error::new(ErrorKind::TooManyDeletes, "sync").with_message(format!(
        "{older} of {edited} documents that were edited here are as they were before, and would replace \
         newer versions in the storage and on other devices: check whether that is right (files that were \
         restored from a backup?), then accept it; to have the newer versions instead, remove the state \
         of the sync on this device and sync"
    ))
}
