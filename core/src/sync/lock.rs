//! Rules L2 and W1: when this sync takes the lock of the storage.

use super::{Context, Lock};
use crate::model::Error;
use crate::model::Event;
use crate::model::LogPosition;
use crate::model::format::LockObject;
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
        let own = lock.as_ref().map(|held| held.nonce()).or(position.lock);
        let nonce = self.client.environment.random().into();
        position.lock = Some(nonce);
        self.client.sync_state.save(position).await?;
        let waiting = |holder: &LockObject| {
            self.client.emit(Event::Waiting { owner: holder.owner.clone() });
        };
        let claim = LockClaim { owner: &self.client.config.device, ttl, nonce, own };
        // What was seen before may have changed while this client waited.
        self.keep_slot(None);
        *lock = Some(self.client.storage.lock(&claim, waiting).await?);
        Ok(())
    }
}
