//! Rule D1: the storage is not the one last synced with, and that was accepted.

use super::Recover;
use crate::local::Batch;
use crate::model::Error;
use crate::model::{LogCost, LogPosition};

impl Recover<'_> {
    /// Drops attempt and pending and goes back to the beginning of the log, keeping the index. The pull
    /// that follows drops what is pending, in this sync or after a stop.
    pub(super) async fn resync(&self, position: &mut LogPosition) -> Result<(), Error> {
        tracing::warn!("starting over on a storage that diverged");
        *position = LogPosition {
            generation: position.generation + 1,
            resyncing: true,
            version: 0,
            anchor: None,
            before: None,
            pull_target: None,
            genesis: None,
            log: LogCost::default(),
            atomic: None,
            ..position.clone()
        };
        let mut batch = Batch::new();
        batch.position(position);
        batch.attempt(None);
        self.cx.client.sync_state.metadata_write(batch).await?;
        Ok(())
    }
}
