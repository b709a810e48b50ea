//! Rule P8, where documents and client state change in one transaction: no intent bridges two of them.

use super::Pull;
use super::apply::{Fetched, Open, writes_of};
use crate::local::state_error;
use crate::local::{Batch, Joined, Settling};
use crate::model::{DocumentId, Error, LogPosition};
use crate::sync::mark_synced::version_of;

/// Documents that are written together, and their bytes. So long the application waits for the write lock:
/// some 30 ms for small rows.
pub(super) const WRITES: usize = 2000;
pub(super) const BYTES: u64 = 4 * 1024 * 1024;

impl Pull<'_> {
    /// Writes one batch, with the index and the queue of each document. The writes that are to be tried
    /// again are given back.
    pub(super) async fn write_joined(
        &self,
        joined: &dyn Joined,
        position: &LogPosition,
        batch: Vec<Fetched>,
    ) -> Result<Vec<Open>, Error> {
        let settling = self.settling(position, &batch).await?;
        let outcomes = {
            // An edit that is declared meanwhile is queued upon the version that is written.
            let _edits = self.cx.client.sync_state.edits().await;
            let outcomes = joined.apply(settling).await;
            outcomes.map_err(|e| state_error("write documents and client state", e))?
        };
        let mut state = Batch::new();
        let (mut done, open) = self.sort_out(batch, outcomes, &mut state);
        // All others are marked already.
        done.retain(|synced| synced.local.is_some());
        self.cx.mark_all_synced(done, position.generation, state).await?;
        Ok(open)
    }

    async fn settling(
        &self,
        position: &LogPosition,
        batch: &[Fetched],
    ) -> Result<Vec<Settling>, Error> {
        let ids: Vec<DocumentId> = batch.iter().map(|(write, _)| write.change.id.clone()).collect();
        let mut before = self.cx.before(&ids).await?;
        let mut settling = Vec::with_capacity(batch.len());
        for (fetched, write) in batch.iter().zip(writes_of(batch)) {
            let change = &fetched.0.change;
            let before = before.remove(&change.id);
            let version = version_of(change, None, before.as_ref(), position.generation);
            let mut state = Batch::new();
            state.settled(change, &version, None);
            settling.push(Settling { write, updates: state.into_updates()? });
        }
        Ok(settling)
    }
}
