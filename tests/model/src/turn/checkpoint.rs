//! K1, K2: snapshots.

use super::Turn;
use crate::client::Step;
use crate::config::{Configuration, Pointer, Rule};
use crate::words::{Change, Changes, Commit, Content, NONE, Seq, Slot, Snapshot};
use crate::world::World;

impl Turn<'_> {
    /// K1: writes a snapshot, parts first and then the head object, which is one step here for nobody
    /// sees the parts alone.
    pub(crate) fn checkpoint(&mut self) {
        let due = snapshot_due(self.config, self.world, self.me);
        let Some((seq, commit)) = due else { return };
        let content = match self.keeps(Rule::SnapshotOfLog) {
            true => self.storage().fold(seq, self.config.documents, self.config.trust()),
            false => Some(self.index_as_snapshot()),
        };
        let Some(newest) = content else { return };
        self.world.left.checkpoints -= 1;
        self.world.storage.snapshots.insert(seq, Snapshot { commit, newest });
        let next = if self.config.pointer == Pointer::Stubs { 1 } else { 0 };
        self.go(Step::Checkpoint { seq, next });
    }

    fn index_as_snapshot(&self) -> Changes {
        let index = self.world.clients[self.me].durable.index.iter().enumerate();
        let change = |(d, (vid, content)): (usize, &(u8, Content))| Change {
            document: d as u8,
            vid: *vid,
            base: NONE,
            content: *content,
            deleted: Content::default(),
        };
        index.map(|known| Some(change(known)).filter(|c| c.vid != NONE)).collect()
    }

    /// The hint comes after the snapshot. K2: then its entries may become stubs.
    pub(super) fn go_on_with_checkpoint(&mut self, seq: Seq, next: Seq) {
        if next == 0 {
            self.world.storage.hint = Some(seq);
        } else if self.keeps(Rule::SlotsStay) {
            if let Some(slot) = self.storage().slot(next) {
                let (commit, prev) = (slot.commit(), slot.prev());
                self.world.storage.put_slot(next, Slot::Stub { commit, prev });
            }
        } else {
            self.world.storage.delete_slot(next);
        }
        if next == seq || self.config.pointer == Pointer::Hint {
            self.end();
        } else {
            self.go(Step::Checkpoint { seq, next: next + 1 });
        }
    }
}

/// The snapshot that this client could write now.
pub(crate) fn snapshot_due(
    config: &Configuration,
    world: &World,
    me: usize,
) -> Option<(Seq, Commit)> {
    let v = world.clients[me].durable.v;
    let seq = v.checked_sub(config.snapshot_behind).filter(|seq| *seq > 0)?;
    let there = world.storage.snapshots.get(&seq);
    if there.is_some_and(|snapshot| world.storage.counts(seq, snapshot, config.trust())) {
        return None;
    }
    Some((seq, world.storage.commit_at(seq)?))
}
