//! The slot of an attempt is damaged, as by a crash of the storage in the middle of the write: the
//! device that still has the bytes puts them again (rule U7). Without that no device can read on.

use super::Recover;
use crate::model::{Attempt, Error, ErrorKind, Key, LogPosition};
use crate::storage::Sent;
use crate::sync::Lock;
use crate::sync::commit::CommitOutcome;

impl Recover<'_> {
    /// Puts the bytes of the attempt into its damaged slot, under the lock, and reads them back. If
    /// the slot may be another device's, the error `damage` stays.
    pub(super) async fn mend_slot(
        &self,
        position: &mut LogPosition,
        attempt: &Attempt,
        lock: &mut Lock,
        damage: Error,
    ) -> Result<CommitOutcome, Error> {
        if self.has_old_uploads(attempt) || !self.is_own_damage(attempt).await? {
            return Err(damage);
        }
        self.cx.ensure_anchor(position).await?;
        self.cx.take_lock(position, lock).await?;
        let storage = &self.cx.client.storage;
        match storage.sent(attempt.slot, &attempt.entry).await {
            // Another device may have acted before the lock was ours.
            Err(e) if e.kind() == ErrorKind::Corrupt && self.is_own_damage(attempt).await? => {}
            Ok(Sent::Arrived(_)) => return Ok(CommitOutcome::Committed),
            Ok(_) => return Err(damage),
            Err(e) => return Err(e),
        }
        if !lock.as_ref().is_some_and(|held| storage.allows_write(held, attempt.entry.len())) {
            return Err(damage);
        }
        let key = Key::change(attempt.slot);
        tracing::warn!(%key, "putting the own entry again, which was damaged");
        storage.write_under_lock(&key, attempt.entry.clone().into()).await?;
        match storage.sent(attempt.slot, &attempt.entry).await? {
            Sent::Arrived(_) => Ok(CommitOutcome::Committed),
            Sent::Beaten(winner) => Ok(CommitOutcome::Lost(winner)),
            Sent::Absent => Err(damage),
        }
    }

    /// Whether the damaged slot holds what is left of this attempt: the next entry continues it; or,
    /// at the head, there is its beginning with its commit id. An empty slot does not say whose it was:
    /// it may be the entry of another device, which others have read before it was damaged.
    async fn is_own_damage(&self, attempt: &Attempt) -> Result<bool, Error> {
        let storage = &self.cx.client.storage;
        if let Some((next, _)) = storage.changes_read(attempt.slot + 1).await? {
            return Ok(next.prev() == Some(attempt.commit));
        }
        let Some(bytes) = storage.read(&Key::change(attempt.slot), 0).await? else {
            return Ok(false);
        };
        let own = attempt.entry.as_bytes();
        let same = bytes.iter().zip(own).take_while(|(there, own)| there == own).count();
        let commit = attempt.commit.to_string();
        Ok(attempt.entry.find(&commit).is_some_and(|at| same >= at + commit.len()))
    }
}
