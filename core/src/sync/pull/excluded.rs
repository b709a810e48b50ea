//! Rule C8: changes of documents that are excluded on this device.

use super::Pull;
use super::STEP;
use super::facts::Waiting;
use crate::local::Batch;
use crate::local::state::Table;
use crate::model::{Action, DeferredChange, Error, LogPosition, SyncedVersion};
use crate::protocol::Loss;

impl Pull<'_> {
    /// Sets the changes of excluded documents aside, without a look at their bytes; the others are given back. A
    /// delete of a document that is not here either needs no decision later.
    pub(super) async fn set_aside(
        &self,
        position: &LogPosition,
        page: Vec<Waiting>,
        state: &mut Batch,
    ) -> Vec<Waiting> {
        let (excluded, page): (Vec<Waiting>, _) =
            page.into_iter().partition(|(id, _)| self.cx.excludes(id));
        let (deletes, others): (Vec<Waiting>, Vec<Waiting>) = excluded
            .into_iter()
            .partition(|(_, p)| p.change.as_ref().is_some_and(|c| c.action == Action::Delete));
        let ids: Vec<_> = deletes.iter().map(|(id, _)| id.clone()).collect();
        let revisions = self.cx.client.database.revisions(&ids).await;
        let is_gone = revisions.iter().map(|revision| matches!(revision, Ok(None)));
        let is_gone: Vec<_> = is_gone.chain(others.iter().map(|_| false)).collect();
        for ((id, pending), is_gone) in deletes.into_iter().chain(others).zip(is_gone) {
            match &pending.change {
                Some(change) if is_gone => {
                    state.settled(change, &SyncedVersion::of(change, position.generation), None);
                }
                _ => state.pending(&id, Some(&pending.excluded(None, None))),
            }
        }
        page
    }

    /// Excluded documents that a snapshot does not name were deleted before it (rule S7). It is read to its end:
    /// each document that it names has the number of its last entry.
    pub(super) async fn forget_excluded(&self, generation: u64, seq: u64) -> Result<(), Error> {
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let unnamed = |p: &DeferredChange| p.is_of_excluded() && p.order.0 < seq;
            let mut batch = Batch::new();
            for (id, pending) in page.into_iter().filter(|(_, pending)| unnamed(pending)) {
                if let Some(change) = pending.change {
                    let version = SyncedVersion::of(&change, generation);
                    let change = Some(self.forgotten(id.clone(), version));
                    batch.pending(&id, Some(&DeferredChange { change, ..pending }));
                }
            }
            self.cx.client.sync_state.metadata_write(batch).await?;
        }
        Ok(())
    }

    /// A content that comes again under the name of an excluded document is not lost (rule B1). They are read only
    /// where that decides.
    pub(super) async fn count_arrivals(&self, loss: &mut Loss) -> Result<(), Error> {
        if loss.is_few() {
            return Ok(());
        }
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let excluded = page.into_iter().filter(|(_, pending)| pending.is_of_excluded());
            let changes = excluded.filter_map(|(_, pending)| pending.change);
            changes.for_each(|change| loss.stays(change.hash));
        }
        Ok(())
    }
}
