//! The steps of a repair. They are done under the lock, and only if a second look finds what the plan was
//! made for. All may be stopped anywhere: the next plan has what is left to do.

use std::time::Duration;

use super::{Repair, failed};
use crate::model::format;
use crate::model::{CommitId, Error, ErrorKind, Key};
use crate::model::{RepairPlan, RepairStep};
use crate::storage::{Atomicity, HeldLock, TTL};
use crate::sync::Lock;
use crate::sync::maintain::Maintain;

/// How long an entry must stay as it is before it is replaced, unless the storage promises to show whole
/// objects only: its author may still be writing it.
const UNCHANGED: Duration = TTL;

impl Repair<'_> {
    pub(super) async fn carry_out(&self, plan: &RepairPlan) -> Result<(), Error> {
        let client = self.cx.client;
        let replaces = |step: &RepairStep| matches!(step, RepairStep::Replace { .. });
        let is_shown_whole = client.storage.capabilities().create == Atomicity::Atomic;
        if plan.steps.iter().any(replaces) && !is_shown_whole {
            client.environment.sleep(UNCHANGED).await;
        }
        let (mut position, _) = self.cx.enter(None).await?;
        self.cx.look_at_strength(&mut position, true).await?;
        let mut lock = None;
        self.cx.take_lock(&mut position, &mut lock).await?;
        let done = self.under_lock(plan, &lock).await;
        if let Some(lock) = lock
            && let Err(error) = client.storage.unlock(lock).await
        {
            // It expires after its time.
            tracing::warn!(%error, "the lock could not be released");
        }
        done
    }

    async fn under_lock(&self, plan: &RepairPlan, lock: &Lock) -> Result<(), Error> {
        let (mut position, looked) = self.cx.enter(None).await?;
        let survey = self.survey(&position, looked).await?;
        if survey.plan != *plan {
            return Err(Error::new(ErrorKind::Busy, "repair").with_message(
                "the storage has changed since the plan was made: nothing was done, look again",
            ));
        }
        for step in &plan.steps {
            tracing::warn!(%step, "repairing the log");
            match step {
                RepairStep::Snapshot { .. } => {
                    let maintain = Maintain::new(self.cx);
                    maintain.snapshot_of_state(&mut position, survey.may.clone()).await?;
                }
                RepairStep::Continue { slot } => {
                    self.put_entry(*slot, position.anchor, lock, false).await?;
                }
                RepairStep::Replace { slot, .. } => {
                    self.put_entry(*slot, survey.before, lock, true).await?;
                }
                RepairStep::Elsewhere { .. } => {}
            }
        }
        Ok(())
    }

    /// Puts an entry without changes. No attempt is recorded (rule U4): nothing is lost with it.
    async fn put_entry(
        &self,
        slot: u64,
        prev: Option<CommitId>,
        lock: &Lock,
        replaces: bool,
    ) -> Result<(), Error> {
        let (storage, key) = (&self.cx.client.storage, Key::change(slot));
        let bytes = format::encode(&key, &self.cx.new_entry(slot, prev))?;
        let allows = |held: &HeldLock| storage.allows_write(held, bytes.len());
        if !lock.as_ref().is_some_and(allows) {
            return Err(Error::new(ErrorKind::Unavailable, "repair")
                .with_key(key)
                .with_message("the lock is nearly over: look again, and repair the rest"));
        }
        if replaces || self.cx.is_weak() {
            storage.write_under_lock(&key, bytes).await?;
        } else {
            // An entry that another device put there meanwhile is as good.
            let _writing = storage.begin_write();
            storage.changes_write(slot, bytes).await?;
        }
        match storage.changes_read(slot).await? {
            Some((there, _)) if there.prev() == prev => Ok(()),
            _ => Err(failed(slot).with_message("it was written, and is not there: look again")),
        }
    }
}
