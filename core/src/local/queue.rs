//! QueueChange: an edit and the version that it was made on (rule C3).

use super::{Batch, SyncState};
use crate::model::{DocumentId, Error, QueuedEdit, Revision};

impl SyncState {
    /// Queues edits that were made on the synced versions, or on what an edit before them was made
    /// on; then only the mark of the edit is renewed, for a sync of another process that is just about
    /// to take it out of the queue. `number` gives a number that no edit had before.
    pub(crate) async fn queue_changes(
        &self,
        ids: &[DocumentId],
        number: impl Fn() -> u64,
    ) -> Result<(), Error> {
        let _edits = self.edits().await;
        loop {
            let queue = self.queue(ids).await?;
            let unqueued = ids.iter().zip(&queue).filter(|(_, record)| record.value.is_none());
            let unqueued: Vec<_> = unqueued.map(|(id, _)| id.clone()).collect();
            let indexed = self.indexed(&unqueued).await?;
            let mut batch = Batch::new();
            for (id, record) in ids.iter().zip(&queue) {
                let base = match Self::queued(record)? {
                    Some(dirty) => dirty.base,
                    None => indexed.get(id).map(|i| i.vid),
                };
                batch.dirty(id, Some(QueuedEdit::queued(base, number())));
            }
            if self.metadata_write_if(queue, batch).await? {
                return Ok(());
            }
        }
    }

    /// Queues an edit that was made on this revision. If that is not the synced one, and the application
    /// queued no edit before, it has no base: a conflict with the synced version. Of an edit that a sync
    /// found by itself it was not known on what it was made.
    pub(crate) async fn queue_change_of(
        &self,
        id: &DocumentId,
        edited: &Revision,
        number: impl Fn() -> u64,
    ) -> Result<(), Error> {
        let ids = std::slice::from_ref(id);
        let _edits = self.edits().await;
        loop {
            let queue = self.queue(ids).await?;
            let indexed = self.indexed(ids).await?.remove(id);
            let queued = queue.first().map(Self::queued).transpose()?.flatten();
            let base = match queued.filter(|dirty| !dirty.found) {
                Some(dirty) => dirty.base,
                None => indexed.filter(|i| i.live_rev() == Some(edited)).map(|i| i.vid),
            };
            let mut batch = Batch::new();
            batch.dirty(id, Some(QueuedEdit::declared(base, number(), edited)));
            if self.metadata_write_if(queue, batch).await? {
                return Ok(());
            }
        }
    }
}
