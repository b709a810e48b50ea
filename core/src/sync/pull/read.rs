//! Rules P1, P3, P9 and P13: reading the log, and when to jump to a snapshot instead.

use super::Pull;
use super::mixed::{is_crossed, jump};
use super::snapshot::unreadable;
use crate::model::Branch;
use crate::model::LogPosition;
use crate::model::format::{Break, Entry, Slot, SlotHead, Snapshot};
use crate::model::{CommitId, Error, ErrorKind};
use crate::planted::{Rule, holds};
use crate::storage::{SlotRead, UsableSnapshot};

/// The entry that took the slot this client wanted.
pub(in crate::sync) type OtherEntry = (Slot, u64);

/// What comes next in the log.
pub(in crate::sync) enum LogPage {
    /// The next slot is absent: this is the head.
    End,
    /// Some entries, in order, each with its length. `end`: the slot after them is absent.
    Entries { entries: Vec<(Entry, u64)>, end: bool },
    /// The client is far behind: go on from the state after this snapshot.
    Snapshot(Snapshot),
    /// The next entry is of another branch, and it was agreed to read on there (rule D8).
    Break(Break),
}

/// One pull's reading of the log.
#[derive(Default)]
pub(in crate::sync) struct LogReader {
    /// The entry that is known already, from a lost race.
    winner: Option<OtherEntry>,
    /// What the slot of this number holds, if it was read already.
    known_slot: Option<(u64, Option<OtherEntry>)>,
    /// Entries read so far.
    read: u64,
    /// `meta.json` was looked at.
    looked: bool,
    /// A snapshot to jump to.
    jump: Option<Snapshot>,
    /// The slot after it, which is read already.
    ahead: Option<SlotRead>,
    /// All slots up to this one exist for certain.
    known: u64,
    /// A snapshot turned out damaged: read the log instead.
    avoid: bool,
}

/// Entries taken in one step, so that memory does not grow with the length of the log.
const STEP_ENTRIES: usize = 64;
const STEP_BYTES: u64 = 16 * 1024 * 1024;
/// A client that has read more entries than this and is not at the head is far behind.
const FAR: u64 = 8;
/// The fewest reads that a jump costs: the hint, the head, a part, the slots that prove it.
const JUMP: u64 = 5;

impl LogReader {
    pub(in crate::sync) fn new(
        winner: Option<OtherEntry>,
        known_slot: Option<(u64, Option<OtherEntry>)>,
    ) -> Self {
        Self { winner, known_slot, ..Self::default() }
    }

    pub(in crate::sync) fn avoid_snapshots(&mut self) {
        (self.looked, self.avoid, self.ahead) = (true, true, None);
    }

    pub(super) fn avoids_snapshots(&self) -> bool {
        self.avoid
    }

    /// The snapshot is taken now.
    pub(super) fn go_on_after(&mut self, usable: UsableSnapshot) -> Snapshot {
        (self.looked, self.ahead) = (true, usable.after);
        usable.snapshot
    }

    /// How many slots to read at once: one, while an overshoot would cost more than it saves; later
    /// a quarter of what was read, which bounds the reads past the head.
    fn width(&self, next: u64, concurrency: usize) -> u64 {
        let most = concurrency.max(1) as u64;
        match self.known.checked_sub(next) {
            Some(certain) => (certain + 1).min(most),
            None if self.read <= FAR => 1,
            None => (self.read / 4).min(most),
        }
    }
}

impl Pull<'_> {
    /// Reads on from the client's position.
    pub(in crate::sync) async fn next(
        &self,
        position: &mut LogPosition,
        tail: &mut LogReader,
    ) -> Result<LogPage, Error> {
        if let Some(snapshot) = tail.jump.take() {
            return jump(position, snapshot);
        }
        if position.version == 0 && !tail.looked {
            tail.looked = true;
            let useful = 1..=most_useful(position);
            let storage = &self.cx.client.storage;
            let usable = storage.usable_snapshot(useful, false).await?;
            if let Some(usable) = usable
                && self.is_of_common_part(position, &usable.snapshot).await?
            {
                // The first slot was lost to an entry that the snapshot holds.
                tail.winner = None;
                tail.ahead = usable.after;
                return Ok(LogPage::Snapshot(usable.snapshot));
            }
        }
        if let Some((Slot::Entry(entry), bytes)) = tail.winner.take()
            && continues(entry.prev, position.anchor)
        {
            self.check_joined(position, &entry)?;
            // The create that follows asks whether the next slot is absent.
            return Ok(LogPage::Entries { entries: vec![(entry, bytes)], end: true });
        }
        self.read_entries(position, tail).await
    }

    async fn read_entries(
        &self,
        position: &mut LogPosition,
        tail: &mut LogReader,
    ) -> Result<LogPage, Error> {
        let mut entries: Vec<(Entry, u64)> = Vec::new();
        let (mut bytes, mut anchor) = (0, position.anchor);
        while entries.len() < STEP_ENTRIES && bytes < STEP_BYTES {
            let next = position.version + 1 + entries.len() as u64;
            if tail.read > FAR && !tail.looked && self.look(position, next, tail).await? {
                break;
            }
            let slots = match self.read_slots(position, tail, next, entries.is_empty()).await {
                // What was read before is applied first.
                Err(e)
                    if matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::NewerFormat)
                        && !entries.is_empty() =>
                {
                    break;
                }
                Err(e) if e.kind() == ErrorKind::Corrupt => {
                    return self.around(position, tail, next, Some(e)).await;
                }
                slots => slots?,
            };
            for slot in slots {
                let is_first = entries.is_empty();
                let Some((slot, length)) = slot else {
                    return Ok(if is_first { LogPage::End } else { to_the_head(entries) });
                };
                let is_next = continues(slot.prev(), anchor)
                    || (is_first && is_crossed(position, next, anchor));
                match slot {
                    _ if !is_next && is_first => return self.at_break(position, tail).await,
                    Slot::Entry(entry) if is_next => {
                        match self.check_joined(position, &entry) {
                            Err(e) if is_first => return Err(e),
                            // What was read before is applied first.
                            Err(_) => return Ok(LogPage::Entries { entries, end: false }),
                            Ok(()) => {}
                        }
                        anchor = Some(entry.commit);
                        bytes += length;
                        tail.read += 1;
                        entries.push((entry, length));
                    }
                    Slot::Stub(_) if is_next && is_first => {
                        return self.around(position, tail, next, None).await;
                    }
                    _ => return Ok(LogPage::Entries { entries, end: false }),
                }
            }
        }
        Ok(LogPage::Entries { entries, end: false })
    }

    /// Reads slots from `next` on; on weak storage the anchor's slot too (rule W4).
    async fn read_slots(
        &self,
        position: &mut LogPosition,
        tail: &mut LogReader,
        next: u64,
        first: bool,
    ) -> Result<Vec<Option<(Slot, u64)>>, Error> {
        if let Some((_, slot)) = tail.known_slot.take().filter(|(number, _)| *number == next) {
            return Ok(vec![slot]);
        }
        let storage = &self.cx.client.storage;
        let concurrency = storage.capabilities().concurrency;
        let anchored = first && position.version > 0 && tail.read == 0;
        if anchored && self.cx.is_weak() && holds(Rule::W4) {
            let mut both = match storage.changes_read_many(position.version..=next).await {
                Err(e) if e.kind() == ErrorKind::Corrupt => {
                    return self.after_damaged(position, next, e).await;
                }
                both => both?,
            };
            let slot = both.pop().flatten();
            let anchor = both.pop().flatten().map(|(slot, _)| SlotHead::of(&slot));
            self.cx.check_anchor(position, anchor)?;
            return Ok(vec![slot]);
        }
        if let Some(ahead) = tail.ahead.take_if(|ahead| ahead.n == next) {
            return Ok(vec![ahead.slot]);
        }
        let last = next + tail.width(next, concurrency) - 1;
        storage.changes_read_many(next..=last).await
    }

    /// The slot after the anchor, which is damaged if that one is not: then it names the anchor.
    async fn after_damaged(
        &self,
        position: &LogPosition,
        next: u64,
        damage: Error,
    ) -> Result<Vec<Option<(Slot, u64)>>, Error> {
        match self.cx.client.storage.changes_read(next).await? {
            Some((slot, length)) if slot.prev() == position.anchor => {
                Ok(vec![Some((slot, length))])
            }
            _ => Err(damage),
        }
    }

    /// A client far behind looks for a snapshot; says whether it should jump to one.
    async fn look(
        &self,
        position: &LogPosition,
        next: u64,
        tail: &mut LogReader,
    ) -> Result<bool, Error> {
        tail.looked = true;
        let worth = next.saturating_add(JUMP)..=most_useful(position);
        let Some(usable) = self.cx.client.storage.usable_snapshot(worth, false).await? else {
            return Ok(false);
        };
        let snapshot = usable.snapshot;
        tail.known = snapshot.seq;
        if snapshot.seq < next + JUMP - 1 + snapshot.parts.len() as u64 {
            return Ok(false);
        }
        (tail.jump, tail.ahead) = (Some(snapshot), usable.after);
        Ok(true)
    }

    /// Slot `next` is a stub or damaged: the newest snapshot leads around it.
    async fn around(
        &self,
        position: &mut LogPosition,
        tail: &mut LogReader,
        next: u64,
        damage: Option<Error>,
    ) -> Result<LogPage, Error> {
        if tail.avoid {
            return Err(damage.unwrap_or_else(|| unreadable(next)));
        }
        tail.looked = true;
        let storage = &self.cx.client.storage;
        if position.version > 0 {
            let slot = storage.slot_head(position.version).await?;
            self.cx.check_anchor(position, slot)?;
        }
        let Some(usable) = storage.usable_snapshot(next..=u64::MAX, true).await? else {
            return Err(damage.unwrap_or_else(|| unreadable(next)));
        };
        jump(position, tail.go_on_after(usable))
    }
}

fn to_the_head(entries: Vec<(Entry, u64)>) -> LogPage {
    LogPage::Entries { entries, end: true }
}

/// The newest snapshot that may be of use. Two branches are joined by their entries: a snapshot does not
/// say which version replaced which. One of the part that both have is as good (rule D3).
fn most_useful(position: &LogPosition) -> u64 {
    match position.branch() {
        Branch::Parted { common } => common,
        Branch::Same | Branch::Unknown => u64::MAX,
    }
}

/// Whether the entry after `prev` continues a log that ends with `anchor` (rule P1).
fn continues(prev: Option<CommitId>, anchor: Option<CommitId>) -> bool {
    prev == anchor || !holds(Rule::P1)
}
