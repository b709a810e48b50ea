//! Rules C8 and C9: documents that are excluded on this device leave the index and the queue, and wait among the
//! deferred changes until they are included again.
//!
//! All documents are looked at only if the selection is another one than before. Each page of them changes in one
//! step. The mark of the selection before is cleared first and that of the new one is written last: after a stop
//! all is done again, by whatever selection there is then.

use super::Context;
use super::scan::database_error;
use crate::local::state::Table;
use crate::local::{Batch, ChangeTracking, Selects, SyncState};
use crate::model::{DeferredChange, DocumentId, Error, QueuedEdit, SyncedVersion};
use crate::protocol::{Included, Local, include};

const STEP: usize = 500;

impl Context<'_> {
    /// Asks for the selection that holds for this sync.
    pub(super) async fn look_up_selection(&self) -> Result<(), Error> {
        if self.selection.get().is_none() {
            let selection = self.client.database.selection().await;
            let selection = selection.map_err(|e| database_error("read the selection", e))?;
            let _ = self.selection.set(selection);
        }
        Ok(())
    }

    fn selected(&self) -> Option<&dyn Selects> {
        self.selection.get().and_then(|selection| selection.as_deref())
    }

    /// Whether this document is excluded on this device.
    pub(super) fn excludes(&self, id: &DocumentId) -> bool {
        self.selected().is_some_and(|selection| !selection.has(id))
    }

    /// Brings the client state in line with the selection, before anything is compared or pulled.
    pub(super) async fn select(&self) -> Result<(), Error> {
        let sync_state = &self.client.sync_state;
        let before = sync_state.selection().await?;
        let now = self.selected().map(Selects::mark).map(Some);
        if before != now {
            self.mark_selection(Some(&None)).await?;
            let mut pages = sync_state.pages::<SyncedVersion>(Table::Index, STEP);
            while let Some(page) = pages.next().await? {
                while !self.exclude_synced(&page).await? {}
            }
            let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
            while let Some(page) = pages.next().await? {
                self.exclude_deferred(&page).await?;
                while !self.include_again(&page).await? {}
            }
        }
        if now.is_some() {
            let mut pages = sync_state.pages::<QueuedEdit>(Table::Dirty, STEP);
            while let Some(page) = pages.next().await? {
                while !self.exclude_queued(&page).await? {}
            }
        }
        if before != now {
            self.mark_selection(now.as_ref()).await?;
            self.client.set_compared(false);
        }
        Ok(())
    }

    async fn mark_selection(&self, mark: Option<&Option<String>>) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.selection(mark);
        self.client.sync_state.metadata_write(batch).await
    }

    /// Synced documents that are excluded by now. `false` if an edit came in between.
    async fn exclude_synced(&self, page: &[(DocumentId, SyncedVersion)]) -> Result<bool, Error> {
        let page: Vec<_> = page.iter().filter(|(id, _)| self.excludes(id)).collect();
        let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
        let sync_state = &self.client.sync_state;
        let _edits = sync_state.edits().await;
        let (queue, mut pending) = (sync_state.queue(&ids).await?, sync_state.pending(&ids).await?);
        let mut batch = Batch::new();
        for ((id, version), record) in page.into_iter().zip(&queue) {
            let waiting = pending.remove(id);
            let waiting = waiting.unwrap_or_else(|| DeferredChange::of(version.as_change(id)));
            let edit = SyncState::queued(record)?;
            batch.set_aside(id, &waiting.excluded(Some(version.clone()), edit));
        }
        sync_state.metadata_write_if(queue, batch).await
    }

    /// Deferred changes of documents that were not synced and are excluded by now.
    async fn exclude_deferred(&self, page: &[(DocumentId, DeferredChange)]) -> Result<(), Error> {
        let mut batch = Batch::new();
        for (id, waiting) in
            page.iter().filter(|(id, p)| p.set_aside.is_none() && self.excludes(id))
        {
            batch.pending(id, Some(&waiting.clone().excluded(None, None)));
        }
        self.client.sync_state.metadata_write(batch).await
    }

    /// Documents that are not excluded any more. `false` if an edit came in between.
    async fn include_again(&self, page: &[(DocumentId, DeferredChange)]) -> Result<bool, Error> {
        let page = page.iter().filter(|(id, p)| p.set_aside.is_some() && !self.excludes(id));
        let page: Vec<_> = page.collect();
        let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
        let sync_state = &self.client.sync_state;
        let _edits = sync_state.edits().await;
        let (queue, deleted) = (sync_state.queue(&ids).await?, sync_state.indexed(&ids).await?);
        let revisions = self.client.database.revisions(&ids).await;
        let mut batch = Batch::new();
        for (((id, record), queued), revision) in page.into_iter().zip(&queue).zip(revisions) {
            let local = match &revision {
                Ok(Some(revision)) => Local::Revision(revision),
                Ok(None) => Local::Absent,
                Err(_) => Local::Unreadable,
            };
            let deleted = deleted.get(id).map(|version| version.vid);
            let queued = SyncState::queued(queued)?;
            let Included { version, change, edit } =
                include(record.clone(), local, queued, deleted);
            if version.is_some() {
                batch.index(id, version.as_ref());
            }
            batch.pending(id, change.as_ref());
            batch.dirty(id, edit);
        }
        sync_state.metadata_write_if(queue, batch).await
    }

    /// Edits of excluded documents leave the queue. Where a comparison does not find them later, a new document
    /// is remembered. `false` if an edit came in between.
    async fn exclude_queued(&self, page: &[(DocumentId, QueuedEdit)]) -> Result<bool, Error> {
        let ids: Vec<_> =
            page.iter().map(|(id, _)| id).filter(|id| self.excludes(id)).cloned().collect();
        let sync_state = &self.client.sync_state;
        let _edits = sync_state.edits().await;
        let (queue, mut pending) = (sync_state.queue(&ids).await?, sync_state.pending(&ids).await?);
        let is_found = self.client.database.tracking() == ChangeTracking::Scanned;
        let mut batch = Batch::new();
        for (id, record) in ids.iter().zip(&queue) {
            let new = || DeferredChange { diverged: false, ..DeferredChange::absent() };
            let waiting = pending.remove(id).or_else(|| (!is_found).then(new));
            if let Some(waiting) = waiting {
                let edit = SyncState::queued(record)?;
                batch.pending(id, Some(&waiting.excluded(None, edit)));
            }
            batch.dirty(id, None);
        }
        sync_state.metadata_write_if(queue, batch).await
    }

    /// What is kept of a deferred change when this device begins another log: a new document that no comparison
    /// finds.
    pub(super) fn in_another_log(&self, pending: &DeferredChange) -> Option<DeferredChange> {
        let is_found = self.client.database.tracking() == ChangeTracking::Scanned;
        (pending.set_aside.is_some() && !is_found).then(|| pending.in_another_log())
    }
}
