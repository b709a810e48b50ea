//! The lock object (rule L1).

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{CommitId, Timestamp};

/// `lock.json`: `{"format": 1, "owner": "laptop", "nonce": "…", "ttl": 60, "time": 1795408011000}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockObject {
    /// The device that holds the lock, as it named itself.
    pub owner: String,
    /// Random, fresh at each acquisition and renewal.
    pub nonce: CommitId,
    /// Seconds after which a waiter that saw no other nonce may break the lock.
    pub ttl: u64,
    /// When it was taken, in milliseconds since 1970 by the owner's clock. For people: no clock of
    /// another machine is ever compared.
    pub time: Timestamp,
}

impl LockObject {
    /// No client takes a lock for longer (rule L1).
    pub(crate) const LONGEST: Duration = Duration::from_secs(300);

    /// The time after which the lock may be broken: at most five minutes whatever the object says,
    /// because no client takes it for longer without a new nonce.
    pub fn ttl(&self) -> Duration {
        Duration::from_secs(self.ttl).min(Self::LONGEST)
    }
}
