//! Rule U7: the commit that an earlier sync sent, and whose outcome it did not learn.

use super::Recover;
use crate::model::format::{Entry, Slot};
use crate::model::{Attempt, LogPosition};
use crate::model::{Error, ErrorKind, Key};
use crate::planted::{Rule, holds};
use crate::storage::Sent;
use crate::sync::Lock;
use crate::sync::commit::{CommitOutcome, FLIGHT};
use crate::sync::mark_synced::Pushed;

impl Recover<'_> {
    /// Settles the attempt that an earlier sync left behind (rule U7).
    pub(in crate::sync) async fn recover_attempt(
        &self,
        position: &mut LogPosition,
        lock: &mut Lock,
    ) -> Result<(), Error> {
        let attempt = self.cx.client.sync_state.attempt().await?;
        let Some(attempt) = attempt.filter(|_| holds(Rule::U7Settled)) else { return Ok(()) };
        let there = match self.cx.client.storage.sent(attempt.slot, &attempt.entry).await {
            Err(e) if e.kind() == ErrorKind::Corrupt => {
                let fate = self.mend_slot(position, &attempt, lock, e).await?;
                return self.conclude(position, &attempt, fate).await;
            }
            there => there?,
        };
        if matches!(there, Sent::Absent) {
            if self.is_dead(&attempt)? {
                return self.cx.drop_attempt().await;
            }
            // Sending it again into another log would leave a hole there.
            self.cx.ensure_anchor(position).await?;
            // The storage may have been emptied or restored since: what is pushed anew is whole.
            if holds(Rule::U7Whole) && !self.cx.is_whole(&entry_of(&attempt)?).await? {
                return self.cx.drop_attempt().await;
            }
        }
        let fate = match there {
            Sent::Arrived(_) => CommitOutcome::Committed,
            Sent::Beaten(winner) => CommitOutcome::Lost(winner),
            Sent::Absent => self.cx.send(position, &attempt, lock).await?,
        };
        self.conclude(position, &attempt, fate).await
    }

    async fn conclude(
        &self,
        position: &mut LogPosition,
        attempt: &Attempt,
        fate: CommitOutcome,
    ) -> Result<(), Error> {
        match fate {
            CommitOutcome::Committed => self.finish_attempt(position, attempt).await,
            CommitOutcome::Lost(_) => self.cx.drop_lost().await,
        }
    }

    /// The uploads are too old to be relied on (rule U3).
    pub(super) fn has_old_uploads(&self, attempt: &Attempt) -> bool {
        let now = self.cx.client.environment.now();
        let age = now.since(attempt.uploads_began);
        age.is_some_and(|age| age > self.cx.client.config.grace / 2) && holds(Rule::U3)
    }

    /// The slot is empty, the uploads are too old to be relied on, and no request of ours can take
    /// effect any more.
    fn is_dead(&self, attempt: &Attempt) -> Result<bool, Error> {
        if !self.has_old_uploads(attempt) {
            return Ok(false);
        }
        let now = self.cx.client.environment.now();
        let landed = now.since(attempt.last_sent).is_some_and(|passed| passed > FLIGHT);
        if landed || !holds(Rule::U7Flight) {
            return Ok(true);
        }
        Err(Error::new(ErrorKind::Unavailable, "sync").with_key(Key::change(attempt.slot)).with_message(
            "an old commit was sent within the last hour and its fate is open: sync again later",
        ))
    }

    /// Rule U6 for an attempt of an earlier sync.
    async fn finish_attempt(
        &self,
        position: &mut LogPosition,
        attempt: &Attempt,
    ) -> Result<(), Error> {
        let (entry, bytes) = (entry_of(attempt)?, attempt.entry.len() as u64);
        self.cx.mark_pushed(position, Pushed { entry, bytes }).await
    }
}

fn entry_of(attempt: &Attempt) -> Result<Entry, Error> {
    let key = Key::change(attempt.slot);
    match Slot::decode(&key, attempt.entry.as_bytes())? {
        Slot::Entry(entry) => Ok(entry),
        Slot::Stub(_) => Err(Error::new(ErrorKind::State, "sync").with_key(key)),
    }
}
