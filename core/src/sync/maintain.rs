//! After a sync: snapshots (rule K1) and garbage collection (rules G1, G2 and D2), if they are due and
//! no other client is at it.

mod checkpoint;
mod collect;
#[cfg(db_to_cloud_mutants)]
mod instead;
mod of_state;

use super::{Context, Lock};
use crate::model::{CommitId, Error};
use crate::model::{LogCost, LogPosition};
use crate::storage::LockPolicy;
use crate::storage::{LockClaim, TTL, Taken};

/// A lock that is in the way of maintenance for this long is worth waiting until it may be broken.
const ABANDONED: std::time::Duration = std::time::Duration::from_secs(3600);

/// The part of a sync that keeps the storage small.
pub(super) struct Maintain<'a> {
    cx: &'a Context<'a>,
}

impl<'a> Maintain<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self { cx }
    }

    /// After a sync: a snapshot and garbage collection, if they are due and nobody else is at it.
    pub(super) async fn maintain(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
    ) -> Result<(), Error> {
        let known = self.cx.client.storage.is_atomic() || self.cx.is_weak();
        let is_joining = position.joining.is_some();
        if !self.cx.client.config.maintenance || position.version == 0 || !known || is_joining {
            return Ok(());
        }
        let snapshot = checkpoint::is_due(position, self.cx.client.config.sizes.snapshot_entries);
        let gc = self.is_gc_due().await?;
        if !(snapshot || gc) || !self.lock_at_once(position, lock).await? {
            return Ok(());
        }
        if snapshot && let Err(error) = self.checkpoint(position).await {
            // Not again at each sync: only once the log has grown as much again.
            let threshold = position.log.bytes.saturating_mul(2).max(1);
            self.remember(position, LogCost { threshold, ..position.log }).await?;
            return Err(error);
        }
        if gc {
            self.collect(position).await?;
        }
        Ok(())
    }

    /// Maintenance is done under the lock (rule L2), and put off if somebody else holds it; but a
    /// lock that was in the way an hour ago is waited for, and broken, as any waiter does.
    async fn lock_at_once(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
    ) -> Result<bool, Error> {
        if lock.is_some() || self.cx.client.config.lock == LockPolicy::Never {
            return Ok(true);
        }
        let own = self.cx.own_lock(position);
        let nonce = self.cx.note_lock(position).await?;
        let claim = LockClaim { owner: &self.cx.client.config.device, ttl: TTL, nonce, own };
        match self.cx.client.storage.try_lock(&claim).await? {
            Taken::Held(held) => *lock = Some(held),
            Taken::Busy(holder) if self.is_abandoned(position, holder.nonce).await? => {
                self.cx.take_lock(position, lock).await?;
            }
            Taken::Busy(_) => return Ok(false),
        }
        Ok(true)
    }

    /// Whether this very lock was in the way an hour ago, by this device's clock.
    async fn is_abandoned(
        &self,
        position: &mut LogPosition,
        nonce: CommitId,
    ) -> Result<bool, Error> {
        let now = self.cx.client.environment.now();
        if let Some((seen, since)) = position.blocking_lock
            && seen == nonce
        {
            return Ok(now.since(since).is_none_or(|age| age >= ABANDONED));
        }
        position.blocking_lock = Some((nonce, now));
        self.cx.client.sync_state.save(position).await?;
        Ok(false)
    }
}
