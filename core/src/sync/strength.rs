//! Rule S3: whether the storage is weak, as its adapter says or as the probe found.

use super::Context;
use crate::model::LogPosition;
use crate::model::{Error, ErrorKind, Event};
use crate::storage::{Atomicity, LockPolicy};

impl Context<'_> {
    /// A client that only reads need not know whether the storage is weak: it is probed when something
    /// is `to_be_written`.
    ///
    /// # Errors
    /// If the storage is weak and the client requires a strong one, or if the probe fails.
    pub(super) async fn look_at_strength(
        &self,
        position: &mut LogPosition,
        to_be_written: bool,
    ) -> Result<(), Error> {
        let atomic = match self.strength(position) {
            None if to_be_written => Some(self.probe(position).await?),
            known => known,
        };
        self.client.storage.set_atomic(atomic == Some(true));
        let weak = atomic == Some(false);
        if weak && self.client.config.require_strong {
            return Err(Error::new(ErrorKind::WeakStorage, "sync").with_message(
                "this storage cannot create an object only if it is absent: use another, or do \
                 not require a strong one",
            ));
        }
        if !self.set_weak(weak) && weak {
            self.client.emit(Event::WeakStorage);
        }
        Ok(())
    }

    /// Whether the probe is still to come and can wait until documents are uploaded, to run beside
    /// them: not if the storage may be refused, or if a lock or an old commit depends on its outcome.
    pub(super) async fn may_race_beside(&self, position: &LogPosition) -> Result<bool, Error> {
        let config = &self.client.config;
        let now = config.require_strong || config.lock == LockPolicy::Always;
        let unknown = self.strength(position).is_none();
        Ok(unknown && !now && self.client.sync_state.attempt().await?.is_none())
    }

    /// Whether create is atomic, if that is known.
    fn strength(&self, position: &LogPosition) -> Option<bool> {
        match self.client.storage.capabilities().create {
            Atomicity::Atomic => Some(true),
            Atomicity::Weak => Some(false),
            Atomicity::Probe => position.atomic,
        }
    }

    /// Finds it out, once, and remembers the outcome.
    async fn probe(&self, position: &mut LogPosition) -> Result<bool, Error> {
        let atomic = self.client.storage.measure().await?;
        position.atomic = Some(atomic);
        self.client.sync_state.save(position).await?;
        Ok(atomic)
    }
}
