//! Rule W4: on weak storage a late write of another client may replace the entry that this client
//! stands on. What that entry changed is offered again.

use super::Recover;
use crate::local::Batch;
use crate::model::{Error, VersionId};
use crate::model::{Joining, LogPosition, QueuedEdit};

impl Recover<'_> {
    /// Whether another entry on the same predecessor stands where this client's last one was:
    /// nothing else of the log is in doubt.
    pub(super) async fn is_overwritten(&self, position: &LogPosition) -> Result<bool, Error> {
        // Another entry 1 is another storage (rule C6).
        if !self.cx.is_weak() || position.version <= 1 || position.before.is_none() {
            return Ok(false);
        }
        let slot = self.cx.client.storage.slot_head(position.version).await?;
        Ok(slot.is_some_and(|slot| slot.prev == position.before))
    }

    /// Whether a late write replaced an entry that was only half applied here, and nothing before.
    pub(super) async fn is_next_overwritten(&self, position: &LogPosition) -> Result<bool, Error> {
        if !self.cx.is_weak() || position.pull_target.is_none() {
            return Ok(false);
        }
        let Some(anchor) = position.anchor else { return Ok(true) };
        let slot = self.cx.client.storage.slot_head(position.version).await?;
        Ok(slot.is_some_and(|slot| slot.commit == anchor))
    }

    /// Goes back to before the last entry and queues what it changed, as if it had been edited
    /// here; `false` if it is not on record, or if a change of it is still pending: perhaps in the place
    /// of an older one, so that only the whole head shows it.
    pub(super) async fn take_back(&self, position: &mut LogPosition) -> Result<bool, Error> {
        let last = self.cx.client.sync_state.last_entry().await?;
        let Some(last) = last.filter(|last| Some(last.commit) == position.anchor) else {
            return Ok(false);
        };
        let ids: Vec<_> = last.replaced.iter().map(|(id, _)| id.clone()).collect();
        // Of an excluded document the index knows nothing (rule C8).
        let is_any_excluded = ids.iter().any(|id| self.cx.excludes(id));
        if is_any_excluded || !self.cx.client.sync_state.pending(&ids).await?.is_empty() {
            return Ok(false);
        }
        tracing::warn!(version = position.version, "a late write replaced a commit");
        position.version -= 1;
        position.anchor = position.before.take();
        if last.replaced.is_empty() && !position.crossed.is_empty() {
            // It may have been the entry that lists the breaks (rule D8).
            position.joining = Some(Joining::default());
        }
        let mut trail = self.cx.client.sync_state.trail().await?;
        trail.cut(position.version);
        let _edits = self.cx.client.sync_state.edits().await;
        let mut batch = Batch::new();
        for (id, replaced) in &last.replaced {
            let base: Option<VersionId> = replaced.as_ref().map(|version| version.vid);
            batch.index(id, replaced.as_ref());
            batch.dirty(id, Some(QueuedEdit::on(base)));
        }
        batch.position(position);
        batch.trail(&trail);
        batch.attempt(None);
        batch.last_entry(None);
        self.cx.client.sync_state.metadata_write(batch).await?;
        Ok(true)
    }
}
