//! Rule D4: the storage is empty, or its log is gone. This device begins a new log that says which one
//! it continues, and pushes all its documents.

use super::Recover;
use crate::local::state::Table;
use crate::local::{Batch, SyncState};
use crate::model::{DeferredChange, LogCost, LogPosition, QueuedEdit, SyncedVersion};
use crate::model::{DocumentId, Error};

const STEP: usize = 500;

impl Recover<'_> {
    /// Goes back to before the first entry. The documents are queued by `finish_putting_back`, in this
    /// sync or after a stop.
    pub(super) async fn put_back(&self, position: &mut LogPosition) -> Result<(), Error> {
        tracing::warn!("making the storage again from this device");
        let mut follows = position.follows.clone();
        follows.extend(position.genesis);
        *position = LogPosition {
            generation: position.generation + 1,
            putting_back: true,
            follows,
            genesis: None,
            version: 0,
            anchor: None,
            before: None,
            pull_target: None,
            resyncing: false,
            common: None,
            crossed: Default::default(),
            joining: None,
            log: LogCost::default(),
            atomic: None,
            ..position.clone()
        };
        self.start_anew(position).await?;
        self.finish_putting_back(position).await
    }

    /// Queues all synced documents, each upon its version in the log that is gone, and forgets those
    /// versions. A device that has the same version then sees that nothing else has changed.
    pub(in crate::sync) async fn finish_putting_back(
        &self,
        position: &mut LogPosition,
    ) -> Result<(), Error> {
        if !position.putting_back {
            return Ok(());
        }
        let sync_state = &self.cx.client.sync_state;
        let mut pages = sync_state.pages::<SyncedVersion>(Table::Index, STEP);
        while let Some(page) = pages.next().await? {
            while !self.queue_page(&page).await? {}
        }
        let mut pages = sync_state.pages::<SyncedVersion>(Table::Tombstones, STEP);
        while let Some(page) = pages.next().await? {
            let mut batch = Batch::new();
            page.iter().for_each(|(id, _)| batch.index(id, None));
            sync_state.metadata_write(batch).await?;
        }
        let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let mut batch = Batch::new();
            for (id, pending) in &page {
                batch.pending(id, self.cx.in_another_log(pending).as_ref());
            }
            sync_state.metadata_write(batch).await?;
        }
        position.putting_back = false;
        sync_state.save(position).await
    }

    /// `false` if an edit came in between.
    async fn queue_page(&self, page: &[(DocumentId, SyncedVersion)]) -> Result<bool, Error> {
        let sync_state = &self.cx.client.sync_state;
        let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
        let _edits = sync_state.edits().await;
        let queue = sync_state.queue(&ids).await?;
        let mut batch = Batch::new();
        for ((id, version), record) in page.iter().zip(&queue) {
            let base = Some(version.vid);
            let edit = SyncState::queued(record)?.unwrap_or(QueuedEdit::on(base));
            // An edit that was made on another version than the synced one stays apart (rule C3).
            let base = base.filter(|_| edit.base == base);
            batch.dirty(id, Some(QueuedEdit { base, found: false, ..edit }));
            batch.index(id, None);
        }
        sync_state.metadata_write_if(queue, batch).await
    }

    /// The position is at the beginning of another log: what was of the old one alone is dropped.
    pub(super) async fn start_anew(&self, position: &LogPosition) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.position(position);
        batch.attempt(None);
        batch.last_entry(None);
        batch.trail(&crate::model::Trail::default());
        self.cx.client.sync_state.metadata_write(batch).await
    }
}
