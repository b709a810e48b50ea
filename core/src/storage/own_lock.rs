//! The lock of a sync that is ended early: what was put must be taken back, and not before the write
//! that is under way has ended.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Mutex, PoisonError};

use super::Storage;
use super::lock::HeldLock;
use crate::model::{CommitId, Error};

/// What a dropped sync leaves in the storage.
#[derive(Debug, Default)]
pub(super) struct OwnLock {
    /// The lock that was put last and not deleted yet.
    placed: Mutex<Option<HeldLock>>,
    /// Its nonce, also when it was deleted.
    nonce: Mutex<Option<CommitId>>,
    /// Writes under way during which no other device may take the lock.
    writes: AtomicUsize,
}

/// While it lives, such a write is under way.
pub(crate) struct Writing<'a>(&'a AtomicUsize);

impl Drop for Writing<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

impl Storage {
    /// A write begins that must have ended before the lock is given back: a request that was dropped
    /// may still take effect, and would then replace what the next holder writes.
    pub(crate) fn begin_write(&self) -> Writing<'_> {
        self.own_lock.writes.fetch_add(1, SeqCst);
        Writing(&self.own_lock.writes)
    }

    /// Whether such a write is under way.
    pub(crate) fn is_writing(&self) -> bool {
        self.own_lock.writes.load(SeqCst) > 0
    }

    /// The lock that is about to be put, or `None` when it is deleted.
    pub(super) fn note_placed(&self, lock: Option<HeldLock>) {
        if let Some(lock) = &lock {
            *self.own_lock.nonce.lock().unwrap_or_else(PoisonError::into_inner) =
                Some(lock.nonce());
        }
        *self.own_lock.placed.lock().unwrap_or_else(PoisonError::into_inner) = lock;
    }

    /// Whether this very client put the lock with this nonce, as the last one.
    pub(crate) fn has_placed(&self, nonce: CommitId) -> bool {
        let placed = self.own_lock.nonce.lock().unwrap_or_else(PoisonError::into_inner);
        *placed == Some(nonce)
    }

    /// Unlock for a sync that was dropped, whatever it did with the lock: deletes what it put, under
    /// the conditions of [`Storage::unlock`].
    pub(crate) async fn release(&self) -> Result<(), Error> {
        let placed = self.own_lock.placed.lock().unwrap_or_else(PoisonError::into_inner).take();
        match placed {
            Some(lock) => self.unlock(lock).await,
            None => Ok(()),
        }
    }
}
