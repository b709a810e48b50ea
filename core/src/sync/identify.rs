//! Rules C6, P3 and D1: which storage this is, and whether it is as this device left it. Each sync begins
//! with this look; nothing is written before it.
//!
//! The slots of the anchor and after it are read side by side. If the anchor is not there:
//!
//! | slot 1 | outcome |
//! |---|---|
//! | the first entry of this log, and a sibling state has its anchor in this branch | that state |
//! | the first entry of this log | `RolledBack` if slot v is absent, else `Forked` |
//! | the first entry of a sibling state's log | that state |
//! | says that it continues this log | `Continued` |
//! | another entry | `Exchanged` |
//! | absent | `LogLost` if anything else of ours is there, else `Emptied` |
//!
//! A device without a place in the log looks at slot 1 alone: it is the first entry of a sibling's log,
//! a storage that it meets for the first time, or absent. Then the place is looked at (`place`).

mod place;

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use futures::future::join;

use super::Context;
use super::anchor::diverged;
use super::context::Purpose;
use super::pull::OtherEntry;
use crate::local::state::Turn;
use crate::model::format::{About, Slot, SlotHead};
use crate::model::{CommitId, Divergence, Error, ErrorKind, Key, LogPosition};
use crate::planted::{Rule, holds};

/// The part of a sync that recognises the storage.
pub(super) struct Identify<'a> {
    pub(super) cx: &'a Context<'a>,
}

/// What the first look found.
pub(super) enum Found {
    /// The storage that the state belongs to. What the slot after the anchor holds, if it was read.
    Here(Option<Option<OtherEntry>>),
    /// The state is another one now, or the storage has just been begun: claim the state, and look again.
    Turned,
}

/// For how long a watch trusts an anchor that it has seen.
const WATCH: Duration = Duration::from_secs(3600);

impl<'a> Identify<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self { cx }
    }

    /// Looks at the storage.
    ///
    /// # Errors
    /// - [`ErrorKind::Diverged`] if it is not as this device left it.
    /// - [`ErrorKind::Foreign`] if something else is there.
    pub(super) async fn look(&self, position: &mut LogPosition) -> Result<Found, Error> {
        if position.putting_back {
            return Ok(Found::Here(None));
        }
        if position.version == 0 {
            return self.look_at_first(position).await;
        }
        let storage = &self.cx.client.storage;
        let next = storage.changes_read(position.version + 1);
        if self.is_trusted(position).await? {
            return Ok(Found::Here(unless_damaged(next.await)?));
        }
        let (head, next) = join(storage.slot_head(position.version), next).await;
        let next = unless_damaged(next)?;
        let head = match head {
            // Its successor names its commit.
            Err(e) if e.kind() == ErrorKind::Corrupt => match &next {
                Some(Some((slot, _))) => slot.prev(),
                _ => return Err(e),
            },
            head => head?.map(|head| head.commit),
        };
        let looks = holds(Rule::P3) && (holds(Rule::W4) || !self.cx.is_weak());
        if head.is_some() && head == position.anchor || !looks {
            position.anchor_checked = self.cx.client.environment.now();
            self.cx.note_found(position);
            return match self.is_behind_a_sibling(position).await? {
                true => Ok(Found::Turned),
                false => Ok(Found::Here(next)),
            };
        }
        self.look_around(position, head).await
    }

    /// A watch that has seen its anchor lately and has nothing to push.
    async fn is_trusted(&self, position: &LogPosition) -> Result<bool, Error> {
        if self.cx.purpose != Purpose::Watch || self.cx.is_weak() || self.cx.has_changes().await? {
            return Ok(false);
        }
        let age = self.cx.client.environment.now().since(position.anchor_checked);
        Ok(age.is_some_and(|age| age < WATCH))
    }

    /// No place in the log yet.
    async fn look_at_first(&self, position: &LogPosition) -> Result<Found, Error> {
        let first = self.cx.client.storage.changes_read(1).await;
        let begun = position.generation > 0 || !position.follows.is_empty();
        let is_new = !begun && self.cx.client.sync_state.attempt().await?.is_none();
        match first {
            Ok(Some((slot, _))) if is_new && self.turn(slot.commit(), position).await? => {
                Ok(Found::Turned)
            }
            Ok(Some((slot, length))) => {
                self.cx.begins.store(!is_new, Relaxed);
                if let Slot::Entry(entry) = &slot {
                    self.check_about(entry.about.as_deref())?;
                }
                Ok(Found::Here(Some(Some((slot, length)))))
            }
            Ok(None) if !is_new => Ok(Found::Here(Some(None))),
            Ok(None) => match self.check_place(position).await {
                // Another device has begun the storage meanwhile.
                Err(_) if self.cx.client.storage.slot_head(1).await?.is_some() => Ok(Found::Turned),
                place => {
                    self.cx.begins.store(true, Relaxed);
                    place.map(|()| Found::Here(Some(None)))
                }
            },
            Err(e) if e.kind() == ErrorKind::Corrupt => {
                self.check_first_slot().await?;
                Ok(Found::Here(None))
            }
            Err(e) => Err(e),
        }
    }

    /// A storage for something else is not joined.
    fn check_about(&self, theirs: Option<&About>) -> Result<(), Error> {
        let own = &self.cx.client.config.about;
        let Some((what, theirs, own)) = theirs.and_then(|theirs| theirs.contradiction(own)) else {
            return Ok(());
        };
        Err(Error::new(ErrorKind::Foreign, "sync").with_key(Key::change(1)).with_message(format!(
            "its {what} is {theirs:?}, and this device would sync {own:?} with it: choose another \
             storage; nothing was changed"
        )))
    }

    /// The anchor is not in its slot.
    async fn look_around(
        &self,
        position: &LogPosition,
        there: Option<CommitId>,
    ) -> Result<Found, Error> {
        let first = match (position.version, there) {
            (1, Some(commit)) => Some(commit),
            _ => self.cx.client.storage.slot_head(1).await?.map(|head| head.commit),
        };
        let Some(first) = first else {
            let what =
                if self.is_any_left().await? { Divergence::LogLost } else { Divergence::Emptied };
            return Err(diverged(position, what));
        };
        if self.turn(first, position).await? {
            return Ok(Found::Turned);
        }
        let what = if Some(first) == position.genesis {
            let since = self.common(position).await?;
            match there {
                None => Divergence::RolledBack { since },
                Some(_) => Divergence::Forked { since },
            }
        } else if position.follows.contains(&first) || self.follows(position).await? {
            Divergence::Continued
        } else {
            Divergence::Exchanged
        };
        Err(diverged(position, what))
    }

    /// Whether this address gets a state of its own before the sync goes on with what it found there:
    /// another branch of a storage that is used at other addresses too, or another storage.
    pub(super) async fn parts(&self, error: &Error) -> Result<bool, Error> {
        let (sync_state, options) = (&self.cx.client.sync_state, &self.cx.options);
        match error.divergence() {
            Some(Divergence::RolledBack { .. } | Divergence::Forked { .. })
                if options.go_on || options.accept_remote =>
            {
                sync_state.keep_apart().await
            }
            Some(Divergence::Exchanged) if options.accept_remote => {
                sync_state.turn_to(Turn::New).await
            }
            _ => Ok(false),
        }
    }

    /// Whether the storage says that it continues the one that this state is of.
    async fn follows(&self, position: &LogPosition) -> Result<bool, Error> {
        let first = self.cx.client.storage.changes_read(1).await?;
        let Some((Slot::Entry(entry), _)) = first else { return Ok(false) };
        Ok(position.genesis.is_some_and(|genesis| entry.follows.contains(&genesis)))
    }

    /// Turns to the state of the storage whose first entry this is, if another one in the same place is
    /// that. A device that has no state for this address, and a state of this storage which is not in
    /// step with it, goes on with a copy of that one: both addresses may be used from now on.
    async fn turn(&self, first: CommitId, position: &LogPosition) -> Result<bool, Error> {
        let sync_state = &self.cx.client.sync_state;
        let mut known = sync_state.siblings().await?;
        known.retain(|(_, other)| other.version > 0 && other.genesis == Some(first));
        known.sort_by_key(|(_, other)| std::cmp::Reverse(other.version));
        let is_unused = position.version == 0;
        for (sibling, other) in &known {
            if self.has(other.version, other.anchor).await? {
                let turn = if is_unused { Turn::Replace(*sibling) } else { Turn::Share(*sibling) };
                return self.turn_to(turn).await;
            }
        }
        match known.first() {
            Some((sibling, _)) if is_unused => self.turn_to(Turn::Copy(*sibling)).await,
            _ => Ok(false),
        }
    }

    async fn turn_to(&self, turn: Turn) -> Result<bool, Error> {
        let sync_state = &self.cx.client.sync_state;
        // A preview has no claim yet.
        let _claim = match self.cx.purpose {
            Purpose::Preview => Some(sync_state.claim().await?),
            Purpose::Sync | Purpose::Watch => None,
        };
        sync_state.turn_to(turn).await
    }

    /// A state of an earlier release may have a sibling of the same storage under another spelling of
    /// the address. The one that is ahead stays.
    async fn is_behind_a_sibling(&self, position: &LogPosition) -> Result<bool, Error> {
        let sync_state = &self.cx.client.sync_state;
        if !sync_state.trail().await?.is_empty() {
            return Ok(false);
        }
        for (sibling, other) in sync_state.siblings().await? {
            let is_ahead = other.genesis == position.genesis && other.version > position.version;
            if is_ahead && self.has(other.version, other.anchor).await? {
                return self.turn_to(Turn::Replace(sibling)).await;
            }
        }
        Ok(false)
    }

    /// The last entry that this device and the storage are known to have in common. Slot 1 was seen.
    async fn common(&self, position: &LogPosition) -> Result<u64, Error> {
        Ok(self.common_known(position, u64::MAX).await?.unwrap_or(1))
    }

    /// The same, of the entries before `slot`, up to which the log is one chain; 0 if there is none.
    pub(super) async fn common_before(
        &self,
        position: &LogPosition,
        slot: u64,
    ) -> Result<u64, Error> {
        match self.common_known(position, slot).await? {
            Some(common) => Ok(common),
            None => Ok(u64::from(slot > 1 && self.has(1, position.genesis).await?)),
        }
    }

    async fn common_known(
        &self,
        position: &LogPosition,
        before: u64,
    ) -> Result<Option<u64>, Error> {
        let mut trail = self.cx.trail(position).await?;
        trail.cut(before.saturating_sub(1));
        let entries = trail.entries();
        // All entries up to the last common one are common.
        let (mut low, mut high) = (0, entries.len());
        while low < high {
            let middle = low.midpoint(high);
            let Some((n, commit)) = entries.get(middle) else { break };
            match self.has(*n, Some(*commit)).await? {
                true => low = middle + 1,
                false => high = middle,
            }
        }
        let last = low.checked_sub(1).and_then(|last| entries.get(last));
        Ok(last.map(|(n, _)| *n))
    }

    /// Whether slot `n` has this commit. A damaged slot does not show that it has.
    async fn has(&self, n: u64, commit: Option<CommitId>) -> Result<bool, Error> {
        match self.cx.client.storage.slot_head(n).await {
            Ok(head) => Ok(commit.is_some() && head.map(|head: SlotHead| head.commit) == commit),
            Err(e) if e.kind() == ErrorKind::Corrupt => Ok(false),
            Err(e) => Err(e),
        }
    }
}

/// What slot was read; `None` if it is damaged: the pull may find a way around it.
fn unless_damaged(
    slot: Result<Option<OtherEntry>, Error>,
) -> Result<Option<Option<OtherEntry>>, Error> {
    match slot {
        Err(e) if e.kind() == ErrorKind::Corrupt => Ok(None),
        slot => slot.map(Some),
    }
}
