//! Rule D1: the storage is not the one last synced with. After consent the client starts over: the
//! whole head is compared with the index, and what differs is a conflict.

use super::Session;
use crate::ledger::{Batch, Indexed, LogCost, Pending, Position};
use crate::state::Table;
use crate::{DocumentId, Error};

const STEP: usize = 500;

impl Session<'_> {
    /// Drops attempt and pending and goes back to the beginning of the log, keeping the index. The pull
    /// that follows drops what is pending, in this sync or after a stop.
    pub(super) async fn start_over(&self, position: &mut Position) -> Result<(), Error> {
        tracing::warn!("starting over on a storage that diverged");
        *position = Position {
            generation: position.generation + 1,
            resyncing: true,
            version: 0,
            anchor: None,
            before: None,
            reaching: None,
            genesis: None,
            log: LogCost::default(),
            atomic: None,
            ..position.clone()
        };
        let mut batch = Batch::new();
        batch.position(position);
        batch.attempt(None);
        self.client.ledger.metadata_write(batch).await?;
        self.uploads().clear();
        Ok(())
    }

    /// What is pending before anything of the new log was applied is the old one's.
    pub(super) async fn drop_pending_of_before(&self, position: &Position) -> Result<(), Error> {
        while position.resyncing && position.version == 0 {
            let page = self.client.ledger.page::<Pending>(Table::Pending, None, STEP).await?;
            if page.is_empty() {
                return Ok(());
            }
            let mut batch = Batch::new();
            page.iter().for_each(|(id, _)| batch.pending(id, None));
            self.client.ledger.metadata_write(batch).await?;
        }
        Ok(())
    }

    /// The head is read: indexed documents that were not met in it are unknown to this storage.
    pub(super) async fn finish_start_over(&self, position: &mut Position) -> Result<(), Error> {
        for table in [Table::Index, Table::Tombstones] {
            let mut pages = self.client.ledger.pages::<Indexed>(table, STEP);
            while let Some(page) = pages.next().await? {
                self.finish_page(position, page).await?;
            }
        }
        position.resyncing = false;
        self.client.ledger.save(position).await
    }

    async fn finish_page(
        &self,
        position: &Position,
        page: Vec<(DocumentId, Indexed)>,
    ) -> Result<(), Error> {
        let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
        let pending = self.client.ledger.pending(&ids).await?;
        let mut batch = Batch::new();
        let unmet = page.iter().filter(|(_, i)| i.generation < position.generation);
        // What is pending was met, but for an edit upon another version than the indexed one that came
        // meanwhile (rule C3): it is pending against that version, which this storage never had.
        let vid = |pending: &Pending| pending.change.as_ref().map(|change| change.vid);
        let is_met = |id, i: &Indexed| pending.get(id).is_some_and(|p| vid(p) != Some(i.vid));
        for (id, indexed) in unmet.filter(|(id, indexed)| !is_met(id, indexed)) {
            match indexed.deleted {
                true => batch.index(id, None),
                false => batch.pending(id, Some(&Pending::absent())),
            }
        }
        self.client.ledger.metadata_write(batch).await
    }
}
