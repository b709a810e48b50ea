//! L1, L2, W1: the lock. On a strong store nothing depends on it.

use super::Turn;
use crate::client::Step;
use crate::config::Store;

impl Turn<'_> {
    /// Takes the lock if it is free; else waits.
    pub(super) fn take_lock(&mut self) {
        if self.storage().lock.is_none() {
            self.world.storage.lock = Some(self.me as u8);
            self.client().has_lock = true;
            self.begin();
        }
    }

    /// A waiter breaks the lock: its holder is gone, or is merely slow.
    pub(crate) fn break_lock(&mut self, holder_lives: bool) {
        if holder_lives {
            self.world.left.lock_breaks -= 1;
        }
        self.world.storage.lock = None;
    }

    /// L1: the lock is deleted only while it holds our nonce. On a weak store the times of W2 make
    /// looking and deleting one; elsewhere anything may happen in between.
    pub(super) fn release_lock(&mut self) {
        if !self.client().has_lock {
            return;
        }
        let is_ours = self.storage().lock == Some(self.me as u8);
        if is_ours && self.config.store != Store::Weak {
            return self.go(Step::Unlock);
        }
        self.client().has_lock = false;
        if is_ours {
            self.world.storage.lock = None;
        }
    }

    /// Deletes the lock object, whosever it has become.
    pub(super) fn delete_lock(&mut self) {
        self.world.storage.lock = None;
        self.client().has_lock = false;
        self.go(Step::Idle);
    }
}
