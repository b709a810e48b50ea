//! Rules U4, U5, U7 and W3: a commit is recorded before it is sent, and its fate is found out
//! whatever answers are lost.

use std::time::Duration;

use bytes::Bytes;

use super::settle::Pushed;
use super::tail::Winner;
use super::{Lock, Session};
use crate::format::{Entry, LockObject, Slot};
use crate::ledger::{Attempt, Batch, Position};
use crate::planted::{Rule, holds};
use crate::server::{LONGEST_PAUSE, LockClaim, TTL, WEAK_TTL};
use crate::{Created, Effect, Error, ErrorKind, Event, Key};

/// F: the longest time that a request once sent may still take effect.
pub(crate) const FLIGHT: Duration = Duration::from_secs(3600);

/// How often one sync sends a commit again whose slot is empty after an unclear answer.
const RESENDS: u32 = 5;

/// What became of a commit.
pub(super) enum Fate {
    Committed,
    /// Another client's entry has the slot.
    Lost(Winner),
}

impl Session<'_> {
    /// Settles the attempt that an earlier sync left behind (rule U7).
    pub(super) async fn settle_attempt(
        &self,
        position: &mut Position,
        lock: &mut Lock,
    ) -> Result<(), Error> {
        let attempt = self.client.ledger.attempt().await?;
        let Some(attempt) = attempt.filter(|_| holds(Rule::U7Settled)) else { return Ok(()) };
        let there = self.client.server.changes_read(attempt.slot).await?;
        if there.is_none() {
            if self.is_dead(&attempt)? {
                return self.drop_attempt().await;
            }
            // Sending it again into another log would leave a hole there.
            self.ensure_anchor(position).await?;
        }
        let fate = match there {
            Some((slot, _)) if slot.commit() == attempt.commit => Fate::Committed,
            Some(winner) => Fate::Lost(winner),
            None => self.send(position, &attempt, lock).await?,
        };
        match fate {
            Fate::Committed => self.finish_attempt(position, &attempt).await,
            Fate::Lost(_) => self.drop_lost().await,
        }
    }

    /// The slot is empty, the uploads are too old to be relied on, and no request of ours can take
    /// effect any more.
    fn is_dead(&self, attempt: &Attempt) -> Result<bool, Error> {
        let now = self.client.environment.now();
        let older = |since, age| now.since(since).is_some_and(|passed| passed > age);
        if !older(attempt.uploads_began, self.client.config.grace / 2) || !holds(Rule::U3) {
            return Ok(false);
        }
        if older(attempt.last_sent, FLIGHT) || !holds(Rule::U7Flight) {
            return Ok(true);
        }
        Err(Error::new(ErrorKind::Unavailable, "sync").with_key(Key::change(attempt.slot)).with_message(
            "an old commit was sent within the last hour and its fate is open: sync again later",
        ))
    }

    /// Another commit has the slot (rule U7).
    pub(super) async fn drop_lost(&self) -> Result<(), Error> {
        if holds(Rule::U7Dropped) { self.drop_attempt().await } else { Ok(()) }
    }

    async fn drop_attempt(&self) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.attempt(None);
        self.client.ledger.metadata_write(batch).await
    }

    /// Rule U6 for an attempt of an earlier sync.
    async fn finish_attempt(
        &self,
        position: &mut Position,
        attempt: &Attempt,
    ) -> Result<(), Error> {
        let key = Key::change(attempt.slot);
        match Slot::decode(&key, attempt.entry.as_bytes())? {
            Slot::Entry(entry) => {
                let bytes = attempt.entry.len() as u64;
                self.settle_pushed(position, Pushed { entry, bytes }).await
            }
            Slot::Stub(_) => Err(Error::new(ErrorKind::State, "sync").with_key(key)),
        }
    }

    /// Records the attempt, sends it, and finds out what became of it (rules U4 and U5).
    pub(super) async fn commit(
        &self,
        position: &mut Position,
        entry: &Entry,
        bytes: &Bytes,
        uploads_began: crate::Timestamp,
        lock: &mut Lock,
    ) -> Result<Fate, Error> {
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
    async fn send(
        &self,
        position: &mut Position,
        attempt: &Attempt,
        lock: &mut Lock,
    ) -> Result<Fate, Error> {
        let (mut pauses, mut resends) = (self.client.server.race_pauses(), 0);
        loop {
            let last_sent = self.client.environment.now();
            let mut batch = Batch::new();
            batch.attempt(Some(&Attempt { last_sent, ..attempt.clone() }));
            self.client.ledger.metadata_write(batch).await?;
            let entry = Bytes::from(attempt.entry.clone());
            let sent = match self.is_weak() {
                false => self.client.server.changes_write(attempt.slot, entry).await,
                true => self.write_under_lock(position, attempt, entry, lock).await,
            };
            match &sent {
                Ok(Created::New) => return Ok(Fate::Committed),
                Err(e) if e.effect() == Effect::Unknown && !holds(Rule::U5Won) => {
                    return Ok(Fate::Committed);
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
            // Occupied, perhaps by ourselves; or nobody knows: the slot tells.
            match self.client.server.changes_read(attempt.slot).await? {
                Some((slot, _)) if slot.commit() == attempt.commit && holds(Rule::U5Lost) => {
                    return Ok(Fate::Committed);
                }
                Some(winner) => return Ok(Fate::Lost(winner)),
                None => {}
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
        position: &mut Position,
        attempt: &Attempt,
        entry: Bytes,
        lock: &mut Lock,
    ) -> Result<Created, Error> {
        let held = match lock.as_ref() {
            Some(held) => self.client.server.holds(held).await?,
            None => false,
        };
        if !held {
            // Renewed, or taken anew: then the slot below tells whether somebody was faster.
            self.take_lock(position, lock).await?;
        }
        let key = Key::change(attempt.slot);
        if self.client.server.changes_read(attempt.slot).await?.is_some() {
            return Ok(Created::Occupied);
        }
        let server = &self.client.server;
        if !lock.as_ref().is_some_and(|held| server.allows_write(held, entry.len())) {
            // Rule W2. The next round renews it.
            return Err(Error::new(ErrorKind::Unavailable, "put")
                .with_key(key)
                .with_message("the lock is nearly over: nothing was written"));
        }
        server.write_once(&key, entry).await?;
        match self.client.server.changes_read(attempt.slot).await? {
            Some((slot, _)) if slot.commit() == attempt.commit => Ok(Created::New),
            _ => Ok(Created::Occupied),
        }
    }

    /// Lock, waiting for it. The nonce is remembered first, so that a lock left by a crash is known
    /// as our own.
    pub(super) async fn take_lock(
        &self,
        position: &mut Position,
        lock: &mut Lock,
    ) -> Result<(), Error> {
        let ttl = if self.is_weak() { WEAK_TTL } else { TTL };
        let own = lock.as_ref().map(|held| held.nonce()).or(position.lock);
        let nonce = self.client.environment.random().into();
        position.lock = Some(nonce);
        self.client.ledger.save(position).await?;
        let waiting = |holder: &LockObject| {
            self.client.emit(Event::Waiting { owner: holder.owner.clone() });
        };
        let claim = LockClaim { owner: &self.client.config.device, ttl, nonce, own };
        *lock = Some(self.client.server.lock(&claim, waiting).await?);
        Ok(())
    }
}

fn lost_answer() -> Error {
    Error::new(ErrorKind::Unavailable, "create")
        .with_message("the slot was said to be taken and is empty: sync again later")
}
