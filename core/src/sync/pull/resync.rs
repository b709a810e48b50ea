//! Rule D1: the storage is not the one last synced with. After consent the client starts over: the
//! whole head is compared with the index, and what differs is a conflict.

use super::Pull;
use super::rejoin::Moved;
use crate::local::Batch;
use crate::local::state::Table;
use crate::model::{DeferredChange, LogPosition, SyncedVersion};
use crate::model::{DocumentId, Error};

const STEP: usize = 500;

impl Pull<'_> {
    /// What is pending before anything of the new log was applied is the old one's.
    pub(super) async fn drop_deferred_of_before(
        &self,
        position: &LogPosition,
    ) -> Result<(), Error> {
        if !position.resyncing || position.version > 0 {
            return Ok(());
        }
        let sync_state = &self.cx.client.sync_state;
        let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
            let synced = sync_state.indexed(&ids).await?;
            // This device did not take all that it has read of these documents (rule D3).
            let parted = |id| position.common.is_some() && synced.contains_key(id);
            let mark = DeferredChange::absent();
            let mut batch = Batch::new();
            for (id, pending) in &page {
                let kept = self.cx.in_another_log(pending);
                batch.pending(id, kept.as_ref().or(parted(id).then_some(&mark)));
            }
            sync_state.metadata_write(batch).await?;
        }
        Ok(())
    }

    /// The head is read: indexed documents that were not met in it are unknown to this storage.
    pub(super) async fn finish_resync(&self, position: &mut LogPosition) -> Result<(), Error> {
        for table in [Table::Index, Table::Tombstones] {
            let mut pages = self.cx.client.sync_state.pages::<SyncedVersion>(table, STEP);
            while let Some(page) = pages.next().await? {
                self.finish_page(position, page).await?;
            }
        }
        (position.resyncing, position.common) = (false, None);
        self.cx.client.sync_state.save(position).await
    }

    async fn finish_page(
        &self,
        position: &LogPosition,
        page: Vec<(DocumentId, SyncedVersion)>,
    ) -> Result<(), Error> {
        let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
        let pending = self.cx.client.sync_state.pending(&ids).await?;
        let unmet = page.iter().filter(|(_, i)| i.generation < position.generation);
        // What is pending was met, but for an edit upon another version than the indexed one that came
        // meanwhile (rule C3): it is pending against that version, which this storage never had.
        let vid = |pending: &DeferredChange| pending.change.as_ref().map(|change| change.vid);
        let is_met = |id, i: &SyncedVersion| pending.get(id).is_some_and(|p| vid(p) != Some(i.vid));
        let unmet = unmet.filter(|(id, indexed)| !is_met(id, indexed));
        if position.common.is_some() {
            let moved: Vec<_> = unmet.map(|(id, _)| Moved::to_nothing(id)).collect();
            return self.move_bases(&moved).await;
        }
        let mut batch = Batch::new();
        for (id, indexed) in unmet {
            match indexed.deleted {
                true => batch.index(id, None),
                false => batch.pending(id, Some(&DeferredChange::absent())),
            }
        }
        self.cx.client.sync_state.metadata_write(batch).await
    }
}
