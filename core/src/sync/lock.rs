//! Rules L2 and W1: when this sync takes the lock of the storage.

use super::{Context, Lock};
use crate::model::Event;
use crate::model::LogPosition;
use crate::model::format::LockObject;
use crate::model::{CommitId, Error};
use crate::storage::{LockClaim, TTL, WEAK_TTL};

impl Context<'_> {
    /// Lock, waiting for it. The nonce is remembered first, so that a lock left by a crash is known
    /// as our own.
    pub(super) async fn take_lock(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
    ) -> Result<(), Error> {
        let ttl = if self.is_weak() { WEAK_TTL } else { TTL };
        let own = lock.as_ref().map(|held| held.nonce()).or(self.own_lock(position));
        let nonce = self.note_lock(position).await?;
        let waiting = |holder: &LockObject| {
            self.client.emit(Event::Waiting { owner: holder.owner.clone() });
        };
        let claim = LockClaim { owner: &self.client.config.device, ttl, nonce, own };
        // What was seen before may have changed while this client waited.
        self.keep_slot(None);
        *lock = Some(self.client.storage.lock(&claim, waiting).await?);
        Ok(())
    }

    /// The nonce of the lock that this client took last (rule L1). The record of it does not count in a
    /// copy of the state: whoever it was copied from may hold that lock now.
    pub(super) fn own_lock(&self, position: &LogPosition) -> Option<CommitId> {
        let place = self.client.sync_state.place();
        let is_here = place.is_some() && place == position.lock_place;
        position.lock.filter(|nonce| is_here || self.client.storage.has_placed(*nonce))
    }

    /// Records the nonce of a lock that is about to be taken.
    pub(super) async fn note_lock(&self, position: &mut LogPosition) -> Result<CommitId, Error> {
        let nonce = self.client.environment.random().into();
        position.lock = Some(nonce);
        position.lock_place = self.client.sync_state.place();
        self.client.sync_state.save(position).await?;
        Ok(nonce)
    }
}
