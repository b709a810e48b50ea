//! Rules U4, U5, U7 and W3: a commit is recorded before it is sent, and its fate is found out
//! whatever answers are lost.

use std::collections::BTreeSet;
use std::time::Duration;

use bytes::Bytes;

use super::pull::OtherEntry;
use super::{Context, Lock};
use crate::local::Batch;
use crate::model::format::Entry;
use crate::model::{Attempt, CommitId, LogPosition};
use crate::model::{Effect, Error, ErrorKind, Key};
use crate::planted::{Rule, holds};
use crate::storage::Created;
use crate::storage::{LONGEST_PAUSE, Sent};

/// F: the longest time that a request once sent may still take effect.
pub(crate) const FLIGHT: Duration = Duration::from_secs(3600);

/// How often one sync sends a commit again whose slot is empty after an unclear answer.
const RESENDS: u32 = 5;

/// What became of a commit.
pub(super) enum CommitOutcome {
    Committed,
    /// Another client's entry has the slot.
    Lost(OtherEntry),
}

impl Context<'_> {
    /// An entry of this device for this slot, after this commit, which has no changes yet.
    pub(super) fn new_entry(&self, slot: u64, prev: Option<CommitId>) -> Entry {
        let about = Some(Box::new(self.client.config.about.clone()));
        Entry {
            commit: self.client.environment.random().into(),
            prev,
            client: self.client.config.device.clone(),
            time: self.client.environment.now(),
            about: about.filter(|about| slot == 1 && !about.is_empty()),
            follows: Vec::new(),
            may: BTreeSet::new(),
            joined: BTreeSet::new(),
            changes: Vec::new(),
        }
    }

    /// Another commit has the slot (rule U7).
    pub(super) async fn drop_lost(&self) -> Result<(), Error> {
        if holds(Rule::U7Dropped) { self.drop_attempt().await } else { Ok(()) }
    }

    pub(super) async fn drop_attempt(&self) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.attempt(None);
        self.client.sync_state.metadata_write(batch).await
    }

    /// Records the attempt, sends it, and finds out what became of it (rules U4 and U5).
    pub(super) async fn commit(
        &self,
        position: &mut LogPosition,
        entry: &Entry,
        bytes: &Bytes,
        uploads_began: crate::Timestamp,
        lock: &mut Lock,
    ) -> Result<CommitOutcome, Error> {
        let attempt = Attempt {
            slot: position.version + 1,
            commit: entry.commit,
            entry: String::from_utf8_lossy(bytes).into_owned(),
            uploads_began,
            last_sent: self.client.environment.now(),
        };
        let fate = self.send(position, &attempt, lock).await;
        if fate.is_err() && !holds(Rule::U7Kept) {
            self.drop_attempt().await?;
        }
        fate
    }

    /// Sends until the fate is known. On an error the attempt stays on record.
    pub(super) async fn send(
        &self,
        position: &mut LogPosition,
        attempt: &Attempt,
        lock: &mut Lock,
    ) -> Result<CommitOutcome, Error> {
        let (mut pauses, mut resends) = (self.client.storage.race_pauses(), 0);
        loop {
            let last_sent = self.client.environment.now();
            let mut batch = Batch::new();
            batch.attempt(Some(&Attempt { last_sent, ..attempt.clone() }));
            self.client.sync_state.metadata_write(batch).await?;
            let entry = Bytes::from(attempt.entry.clone());
            let sent = match self.is_weak() {
                false => self.client.storage.changes_write(attempt.slot, entry).await,
                true => self.write_under_lock(position, attempt, entry, lock).await,
            };
            match &sent {
                Ok(Created::New) => return Ok(CommitOutcome::Committed),
                Err(e) if e.effect() == Effect::Unknown && !holds(Rule::U5Won) => {
                    return Ok(CommitOutcome::Committed);
                }
                Err(e) if e.effect() == Effect::None && !e.is_transient() => {
                    return Err(sent.err().unwrap_or_else(lost_answer));
                }
                _ => {}
            }
            match sent.as_ref().err().and_then(Error::retry_after) {
                Some(asked) if asked > LONGEST_PAUSE => {
                    return Err(sent.err().unwrap_or_else(lost_answer));
                }
                Some(asked) => self.client.environment.sleep(asked).await,
                None => {}
            }
            // Occupied, perhaps by ourselves; or unclear: the slot has the answer.
            match self.client.storage.sent(attempt.slot, &attempt.entry).await? {
                Sent::Arrived(_) if holds(Rule::U5Lost) => return Ok(CommitOutcome::Committed),
                Sent::Arrived(winner) | Sent::Beaten(winner) => {
                    return Ok(CommitOutcome::Lost(winner));
                }
                Sent::Absent => {}
            }
            if resends == RESENDS {
                return Err(sent.err().unwrap_or_else(lost_answer));
            }
            resends += 1;
            self.client.environment.sleep(pauses.next_pause()).await;
        }
    }

    /// Under the lock (rule W3): get lock (own), get slot (absent), put slot, get slot (own
    /// commit).
    async fn write_under_lock(
        &self,
        position: &mut LogPosition,
        attempt: &Attempt,
        entry: Bytes,
        lock: &mut Lock,
    ) -> Result<Created, Error> {
        let held = match lock.as_ref() {
            Some(held) => self.client.storage.holds(held).await?,
            None => false,
        };
        if !held {
            // Renewed, or taken anew: then the slot below shows whether another client was faster.
            self.take_lock(position, lock).await?;
        }
        let key = Key::change(attempt.slot);
        if self.client.storage.changes_read(attempt.slot).await?.is_some() {
            return Ok(Created::Occupied);
        }
        let storage = &self.client.storage;
        if !lock.as_ref().is_some_and(|held| storage.allows_write(held, entry.len())) {
            // Rule W2. The next round renews it.
            return Err(Error::new(ErrorKind::Unavailable, "put")
                .with_key(key)
                .with_message("the lock is nearly over: nothing was written"));
        }
        storage.write_under_lock(&key, entry).await?;
        match storage.sent(attempt.slot, &attempt.entry).await? {
            Sent::Arrived(_) => Ok(Created::New),
            _ => Ok(Created::Occupied),
        }
    }
}

fn lost_answer() -> Error {
    Error::new(ErrorKind::Unavailable, "create")
        .with_message("the slot was said to be taken and is empty: sync again later")
}
