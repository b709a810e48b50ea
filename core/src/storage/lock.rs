//! Lock and Unlock (rules L1, L2, W1 and W2).

use std::sync::PoisonError;
use std::time::Duration;

use bytes::Bytes;

use super::Storage;
use super::retry::transfer_time;
use crate::model::format::{self, LockObject};
use crate::model::{CommitId, Error, ErrorKind, Key};
use crate::planted::{Rule, holds};
use crate::storage::Created;

/// When a sync takes the lock. A sync that only reads never does (rule L3).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LockPolicy {
    /// After two lost races in one sync, for maintenance, and on weak storage for every push.
    #[default]
    Auto,
    /// For every sync that pushes.
    Always,
    /// Never on strong storage.
    Never,
}

/// The lock, held by us.
#[derive(Clone, Debug)]
pub(crate) struct HeldLock {
    nonce: CommitId,
    /// When it was put, by our monotonic clock, and how long it lasts.
    taken: Duration,
    ttl: Duration,
}

/// How a client takes the lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LockClaim<'a> {
    /// The device, for people.
    pub owner: &'a str,
    /// How long the lock lasts.
    pub ttl: Duration,
    /// The fresh nonce it gets.
    pub nonce: CommitId,
    /// The nonce of the lock this client took last: if it is still there, a crash left it behind.
    pub own: Option<CommitId>,
}

/// What became of an attempt to take the lock.
pub(crate) enum Taken {
    Held(HeldLock),
    /// Somebody else holds it.
    Busy(LockObject),
}

/// How long a client that holds the lock of a strong storage can delay others.
pub(crate) const TTL: Duration = Duration::from_secs(60);
/// The same on weak storage, where all of a push happens under the lock.
pub(crate) const WEAK_TTL: Duration = LockObject::LONGEST;
/// The longest that a put of the lock object may take; a client that needs longer gives up.
const LOCK_WRITE: Duration = Duration::from_secs(5);
const SLOW: &str = "the lock of the storage must be written within 5 s, and there was no answer by \
                    then: no document was changed, sync again";
/// How often a waiter looks.
const LOOK: Duration = Duration::from_secs(2);

impl Storage {
    /// How far our clock and another's may drift apart, and how long a short write under the lock may
    /// take (rule W2). A longer [`Limits::request`](super::Limits::request) would leave no time in which
    /// the lock may be relied on.
    fn margin(&self) -> Duration {
        self.limits.request.min(if self.is_atomic() { TTL / 2 } else { WEAK_TTL / 4 })
    }

    /// How long a write of this many bytes under the lock may take.
    fn locked_limit(&self, bytes: usize) -> Duration {
        self.margin().saturating_add(transfer_time(bytes as u64))
    }

    /// Writes an object once, in the time that [`Storage::allows_write`] counts on, and not repeated.
    pub(crate) async fn write_under_lock(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        let _writing = self.begin_write();
        self.write_within(self.locked_limit(bytes.len()), key, bytes).await
    }

    /// Lock: waits for the lock, at most until it may be broken.
    ///
    /// # Errors
    /// [`ErrorKind::Locked`] if others keep taking it.
    pub(crate) async fn lock(
        &self,
        claim: &LockClaim<'_>,
        mut waiting: impl FnMut(&LockObject) + Send,
    ) -> Result<HeldLock, Error> {
        let began = self.environment.monotonic();
        loop {
            let holder = match self.try_lock(claim).await? {
                Taken::Held(lock) => return Ok(lock),
                Taken::Busy(holder) => holder,
            };
            let now = self.environment.monotonic();
            if now.saturating_sub(began) > 3 * (holder.ttl().max(claim.ttl) + self.margin()) {
                return Err(locked(&holder));
            }
            waiting(&holder);
            self.environment.sleep(LOOK).await;
        }
    }

    /// A lock may be broken after its nonce was seen for ttl + margin by our own clock (rule L1).
    /// When it was first seen is remembered from sync to sync, for maintenance does not wait for a
    /// lock.
    fn is_stale(&self, lock: &LockObject) -> bool {
        let now = self.environment.monotonic();
        let mut seen = self.lock_seen.lock().unwrap_or_else(PoisonError::into_inner);
        match *seen {
            Some((nonce, since)) if nonce == lock.nonce => {
                now.saturating_sub(since) >= lock.ttl() + self.margin()
            }
            _ => {
                *seen = Some((lock.nonce, now));
                false
            }
        }
    }

    /// Lock, if it is free, ours, or stale; without waiting.
    pub(crate) async fn try_lock(&self, claim: &LockClaim<'_>) -> Result<Taken, Error> {
        let taken = self.environment.monotonic();
        let LockClaim { owner, ttl, nonce, own } = *claim;
        let object = LockObject {
            owner: owner.to_owned(),
            nonce,
            ttl: ttl.as_secs(),
            time: self.environment.now(),
        };
        let held = HeldLock { nonce, taken, ttl };
        let bytes = format::encode(&Key::lock(), &object)?;
        match self.lock_read().await? {
            Some(there) if Some(there.nonce) != own && !self.is_stale(&there) => {
                Ok(Taken::Busy(there))
            }
            None if self.is_atomic() => self.create_lock(held, bytes).await,
            _ => self.put_lock(held, bytes).await,
        }
    }

    async fn create_lock(&self, held: HeldLock, bytes: Bytes) -> Result<Taken, Error> {
        self.note_placed(Some(held.clone()));
        let created = {
            let _writing = self.begin_write();
            self.create(&Key::lock(), bytes).await
        };
        match created {
            Ok(Created::New) => Ok(Taken::Held(held)),
            Err(e) if !e.is_transient() => Err(e),
            // Occupied, or the answer was lost: whose is it?
            _ => self.settle_lock(held).await,
        }
    }

    /// Puts our own, waits until every put of the lock that began before ours has ended or given
    /// up, and looks whose it is (rule W1).
    async fn put_lock(&self, held: HeldLock, bytes: Bytes) -> Result<Taken, Error> {
        let key = Key::lock();
        self.meter.put(1);
        // Not repeated: each repetition would be a write that others must wait for.
        let put = self.adapter.put(&key, bytes);
        let began = self.environment.monotonic();
        self.note_placed(Some(held.clone()));
        {
            let _writing = self.begin_write();
            let put = self.timed_within(LOCK_WRITE, "lock", Some(&key), put).await;
            put.map_err(|e| e.with_message(SLOW))??;
        }
        let took = self.environment.monotonic().saturating_sub(began);
        self.environment.sleep(LOCK_WRITE.saturating_sub(took)).await;
        self.settle_lock(held).await
    }

    async fn settle_lock(&self, held: HeldLock) -> Result<Taken, Error> {
        match self.lock_read().await? {
            Some(there) if there.nonce == held.nonce => Ok(Taken::Held(held)),
            Some(there) => Ok(Taken::Busy(there)),
            None => Err(Error::new(ErrorKind::Locked, "lock")
                .with_message("another client took and released it meanwhile: try again")),
        }
    }

    /// The lock object; `None` if nobody holds the lock. One that cannot be read, damaged or of a
    /// newer format, counts as somebody's whose nonce is the hash of the bytes, so that it is
    /// broken in time.
    pub(crate) async fn lock_read(&self) -> Result<Option<LockObject>, Error> {
        let key = Key::lock();
        let Some(bytes) = self.read(&key, 0).await? else { return Ok(None) };
        match format::decode(&key, &bytes) {
            Err(e) if e.kind() == ErrorKind::Corrupt => {
                Ok(Some(self.unreadable_lock(&bytes, "is damaged")))
            }
            Err(e) if e.kind() == ErrorKind::NewerFormat => {
                Ok(Some(self.unreadable_lock(&bytes, "has a newer format")))
            }
            lock => lock.map(Some),
        }
    }

    /// Somebody's lock that lasts as long as any lock of this storage may.
    fn unreadable_lock(&self, bytes: &[u8], why: &str) -> LockObject {
        let hash = *crate::ContentHash::of(bytes).as_bytes();
        let mut nonce = [0; 16];
        nonce.copy_from_slice(&hash[..16]);
        let ttl = if self.is_atomic() { TTL } else { WEAK_TTL };
        LockObject {
            owner: format!("unknown (the lock object {why})"),
            nonce: u128::from_be_bytes(nonce).into(),
            ttl: ttl.as_secs(),
            time: Default::default(),
        }
    }

    /// Whether the lock is still ours and may be relied on for one more write (rule W2).
    pub(crate) async fn holds(&self, lock: &HeldLock) -> Result<bool, Error> {
        if self.nearly_over(lock) {
            return Ok(false);
        }
        let there = self.lock_read().await?;
        Ok(there.is_some_and(|there| there.nonce == lock.nonce) && !self.nearly_over(lock))
    }

    /// Whether a write of so many bytes that begins now ends before others may break the lock (rule
    /// W2).
    pub(crate) fn allows_write(&self, lock: &HeldLock, bytes: usize) -> bool {
        let age = self.environment.monotonic().saturating_sub(lock.taken);
        age.saturating_add(self.locked_limit(bytes)) < lock.ttl
    }

    fn nearly_over(&self, lock: &HeldLock) -> bool {
        let age = self.environment.monotonic().saturating_sub(lock.taken);
        age + self.margin() >= lock.ttl
    }

    /// Unlock: deletes the lock only while it holds our nonce, and not when others may break it.
    pub(crate) async fn unlock(&self, lock: HeldLock) -> Result<(), Error> {
        if self.holds(&lock).await? || !holds(Rule::L1) {
            self.delete(&Key::lock()).await?;
        }
        self.note_placed(None);
        Ok(())
    }

    /// Deletes a lock whoever holds it, if its nonce is still this one.
    pub(crate) async fn break_lock(&self, nonce: CommitId) -> Result<bool, Error> {
        let same = self.lock_read().await?.is_some_and(|there| there.nonce == nonce);
        if same {
            self.delete(&Key::lock()).await?;
        }
        Ok(same)
    }
}

impl HeldLock {
    pub(crate) fn nonce(&self) -> CommitId {
        self.nonce
    }
}

fn locked(holder: &LockObject) -> Error {
    Error::new(ErrorKind::Locked, "lock").with_key(Key::lock()).with_message(format!(
        "{:?} keeps it: wait, or break it with `db-to-cloud unlock --force` if that device is gone",
        holder.owner
    ))
}
