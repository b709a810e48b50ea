//! P4 to P9: bringing what was read into the application.

use super::Turn;
use crate::client::{Step, Tail};
use crate::config::Rule;
use crate::words::{Change, NONE, Slot};
use crate::world::World;

impl Turn<'_> {
    /// P4, P5, P9: fetches the bytes of the next change, or is done.
    pub(super) fn fetch_next(&mut self, mut tail: Tail) {
        let Some(change) = tail.changes.iter().flatten().next().copied() else {
            self.durable().arrive_after(&tail);
            return match (tail.ends, tail.is_part) {
                (true, _) => self.go(Step::Rejoined),
                (false, true) => self.read_on(),
                (false, false) => self.start_push(),
            };
        };
        let d = change.document as usize;
        if change.vid != NONE && change.vid == self.durable().index[d].0 {
            tail.changes[d] = None;
            self.durable().decide(d);
            self.go(Step::Apply { tail, fetched: None, was_dirty: false });
        } else if !change.content.live || self.storage().documents.contains_key(&change.vid) {
            let was_dirty = self.durable().dirty[d].is_some();
            self.go(Step::Apply { tail, fetched: Some(change), was_dirty });
        } else if self.storage().slot(tail.upto + 1).is_some() {
            // P5: superseded meanwhile; read the tail again.
            self.go(Step::Read(Tail { is_part: false, ..tail }));
        } else {
            self.end();
        }
    }

    /// P7, P8: writes a change that is no conflict; the write and the index go together, for an
    /// intent is settled by looking.
    pub(super) fn apply(&mut self, mut tail: Tail, change: &Change, was_dirty: bool) {
        let is_conflict = is_conflict(self.config, self.world, self.me, (&tail, change, was_dirty));
        let d = change.document as usize;
        let durable = self.durable();
        match (is_conflict, tail.is_part) {
            (false, _) => {
                durable.documents[d] = change.content;
                durable.settle(change);
                durable.decide(d);
            }
            // Decided at the head of the log.
            (true, true) => durable.pending[d] = Some(*change),
            (true, false) => return,
        }
        tail.changes[d] = None;
        self.go(Step::Apply { tail, fetched: None, was_dirty: false });
    }

    /// A crash in the middle of `apply`: with an intent it is settled at start, without one the
    /// index does not know.
    pub(crate) fn apply_and_crash(&mut self) {
        let Step::Apply { tail, fetched: Some(change), was_dirty } = self.client().step.clone()
        else {
            return;
        };
        if is_conflict(self.config, self.world, self.me, (&tail, &change, was_dirty)) {
            return;
        }
        let has_intent = self.keeps(Rule::Intents);
        let durable = self.durable();
        durable.documents[change.document as usize] = change.content;
        if has_intent {
            durable.settle(&change);
            durable.decide(change.document as usize);
        }
        self.crash();
    }
}

/// P6: whether the application must be asked. `was_dirty` is all that a client without P7 goes by.
pub(crate) fn is_conflict(
    config: &crate::Configuration,
    world: &World,
    me: usize,
    (tail, change, was_dirty): (&Tail, &Change, bool),
) -> bool {
    let durable = &world.clients[me].durable;
    let d = change.document as usize;
    if durable.documents[d] == change.content {
        return false;
    }
    if !config.keeps(Rule::CompareAndSet) {
        return was_dirty;
    }
    let is_known = durable.index[d].0 != NONE;
    if durable.v == 0 && !is_known && is_older_version(config, world, me, (tail, change)) {
        return false;
    }
    let is_pending = || durable.pending[d] == Some(*change);
    let is_undecided =
        durable.undecided >> d & 1 == 1 && (config.keeps(Rule::UndecidedStays) || is_pending());
    durable.dirty[d].is_some() || durable.is_edited(d) || is_undecided
}

/// P6: the local document is an older version that the log names, on a device that never synced: it
/// was reinstalled over its old documents. Of a delete the hash tells it, even out of a snapshot.
fn is_older_version(
    config: &crate::Configuration,
    world: &World,
    me: usize,
    (tail, change): (&Tail, &Change),
) -> bool {
    let local = world.clients[me].durable.documents[change.document as usize];
    let by_hash = config.keeps(Rule::HashOfDelete);
    let names = |c: &Change| {
        c.document == change.document && (c.content == local || by_hash && c.deleted == local)
    };
    // What a late put replaced since is not of the chain that was read.
    let as_read = config.keeps(Rule::HistoryAsRead);
    let is_named = || {
        let mut commit = tail.commit;
        let slots = (1..=tail.upto).rev().map_while(|n| world.storage.slot(n));
        let mut chain = slots.take_while(|slot| {
            let is_next = slot.commit() == commit || !as_read;
            commit = slot.prev();
            is_next
        });
        chain.any(|slot| match slot {
            Slot::Entry(entry) => entry.changes.iter().any(names),
            _ => false,
        })
    };
    config.keeps(Rule::Reinstalled) && local.live && (names(change) || is_named())
}
