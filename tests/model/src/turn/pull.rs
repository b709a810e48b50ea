//! P1 to P3 and D1: reading the log.

use super::Turn;
use crate::branch::{Branch, Chain};
use crate::client::{Step, Tail};
use crate::config::{Configuration, Pointer, Rule};
use crate::words::{Change, Content, NONE, Seq, Slot, Snapshot};
use crate::world::World;

impl Turn<'_> {
    /// P1: reads the slot after the last one read.
    pub(super) fn read_next(&mut self, mut tail: Tail) {
        match self.storage().slot(tail.upto + 1).cloned() {
            Some(Slot::Entry(entry)) if self.keeps(Rule::Anchor) && entry.prev != tail.commit => {
                self.start_over();
            }
            Some(Slot::Entry(entry)) => {
                for change in &entry.changes {
                    let d = change.document as usize;
                    tail.link(change);
                    tail.changes[d] = Some(*change);
                }
                (tail.upto, tail.commit) = (tail.upto + 1, entry.commit);
                if self.config.rejoins {
                    tail.trail.push((tail.upto, tail.commit));
                }
                self.go(Step::Read(tail));
            }
            Some(slot) => self.read_stub(slot.prev(), tail),
            None if self.is_lost(&tail) => self.diverged(),
            None => self.set_out(tail),
        }
    }

    /// S6: a snapshot leads around a stub, if the stub and the anchor are of this client's log.
    fn read_stub(&mut self, prev: u8, tail: Tail) {
        let continues = self.durable().v != tail.upto || prev == tail.commit;
        if self.keeps(Rule::Anchor) && !(continues && self.is_anchor_there()) {
            return self.diverged();
        }
        match self.snapshot_around(tail.upto + 1) {
            Some((seq, snapshot)) => self.load(seq, snapshot, tail),
            // An error: the log cannot be read past this slot.
            None => self.end(),
        }
    }

    /// The snapshot to use instead of slot `next`: by the hint, else by `list` (S1).
    fn snapshot_around(&self, next: Seq) -> Option<(Seq, Snapshot)> {
        if self.config.pointer != Pointer::Stubs {
            let hinted = self.hinted_snapshot().filter(|(seq, _)| *seq >= next);
            if hinted.is_some() || !self.keeps(Rule::ListIfHintIsBroken) {
                return hinted;
            }
        }
        self.storage()
            .newest_snapshot(self.config.trust())
            .map(|(seq, snapshot)| (seq, snapshot.clone()))
    }

    /// P1: a client that is new, or has read some entries and is still behind, looks at the hint and
    /// jumps if it leads ahead. How far is far is a matter of cost: the model tries both each time.
    pub(crate) fn jump(&mut self) {
        let Step::Read(tail) = self.client().step.clone() else { return };
        if !may_jump(self.config, self.world, self.me, &tail) {
            return;
        }
        if let Some((seq, snapshot)) = self.hinted_snapshot() {
            self.load(seq, snapshot, tail);
        }
    }

    fn hinted_snapshot(&self) -> Option<(Seq, Snapshot)> {
        self.storage()
            .hinted_snapshot(self.config.trust())
            .map(|(seq, snapshot)| (seq, snapshot.clone()))
    }

    /// P2: the changes are the difference between the snapshot and the index.
    fn load(&mut self, seq: Seq, snapshot: Snapshot, mut tail: Tail) {
        for (d, newest) in snapshot.newest.iter().enumerate() {
            // What was read before is older than the snapshot, and what is pending too.
            if let Some(change) = newest {
                let durable = self.durable();
                let is_known = change.vid == durable.index[d].0 && durable.pending[d].is_none();
                let is_joined = !tail.chains.is_empty();
                tail.changes[d] = newest.filter(|_| is_joined || !is_known);
                if let Some(chain) = tail.chains.get_mut(d) {
                    *chain = Chain { order: seq, replaced: Vec::new() };
                }
            }
        }
        (tail.upto, tail.commit) = (seq, snapshot.commit);
        if self.config.rejoins {
            tail.trail.push((seq, snapshot.commit));
        }
        self.go(Step::Read(tail));
    }

    /// P3: at the head, the last entry read is no longer where it was.
    fn is_lost(&self, tail: &Tail) -> bool {
        self.keeps(Rule::Anchor)
            && self.keeps(Rule::SlotsStay)
            && tail.upto > 0
            && self.storage().commit_at(tail.upto) != Some(tail.commit)
    }

    /// Whether this client's last entry is where it was.
    pub(super) fn is_anchor_there(&self) -> bool {
        let durable = &self.world.clients[self.me].durable;
        durable.v == 0 || self.storage().commit_at(durable.v) == Some(durable.anchor)
    }

    /// Applies what was read before reading on.
    pub(crate) fn apply_now(&mut self) {
        let Step::Read(tail) = self.client().step.clone() else { return };
        self.set_out(Tail { is_part: true, ..tail });
    }

    /// P9: how far this pull goes is on record before its first write. What a start over found is
    /// set aside instead, for the application is to decide.
    fn set_out(&mut self, mut tail: Tail) {
        let records = self.keeps(Rule::Reaching) && self.keeps(Rule::Anchor);
        let keeps_farthest = self.keeps(Rule::Farthest);
        let durable = self.durable();
        let reached = durable.reaching.filter(|_| keeps_farthest).map_or(durable.v, |(n, _)| n);
        if tail.diverged {
            tail.diverged = false;
            durable.set_aside(&tail);
        } else if records && tail.upto > reached {
            durable.reaching = Some((tail.upto, tail.commit));
        }
        if durable.branch.common.is_some() {
            tail.ends = !tail.is_part;
            self.join(&mut tail);
        }
        self.go(Step::Apply { tail, fetched: None, was_dirty: false });
    }

    /// D1, with the application's consent: drop attempt and pending, load the head; each document
    /// whose indexed version differs is a change.
    pub(super) fn start_over(&mut self) {
        let head = self.storage().head(self.config.documents, self.config.trust());
        self.forget();
        let durable = self.durable();
        (durable.v, durable.anchor, durable.resyncing) = (0, NONE, true);
        (durable.attempt, durable.reaching, durable.undecided) = (None, None, 0);
        durable.pending.fill(None);
        let follows = std::mem::take(&mut durable.branch.follows);
        durable.branch = Branch { follows, ..Branch::default() };
        let mut changes = vec![None; durable.index.len()];
        for (d, newest) in head.newest.iter().enumerate() {
            if newest.map_or(NONE, |change| change.vid) != durable.index[d].0 {
                changes[d] = Some(newest.unwrap_or_else(|| never_made(d)));
            }
        }
        let mut tail = Tail { diverged: true, ..Tail::after(head.seq, head.commit, changes) };
        if self.config.rejoins {
            let commits = (1..=head.seq).filter_map(|n| Some((n, self.storage().commit_at(n)?)));
            tail.trail = commits.collect();
        }
        self.go(Step::Read(tail));
    }

    /// The storage is not as this client left it.
    pub(super) fn diverged(&mut self) {
        if !self.config.rejoins {
            return self.start_over();
        }
        match self.is_anchor_there() {
            // Not the end of what was read is gone, but something after it.
            true => self.rejoin(0),
            false => self.go_on(),
        }
    }
}

/// What a log that does not name a document says about it.
pub(super) fn never_made(document: usize) -> Change {
    let nothing = Content::default();
    Change { document: document as u8, vid: NONE, base: NONE, content: nothing, deleted: nothing }
}

/// Whether a client may apply what it read before it reads on.
pub(crate) fn may_apply_now(config: &Configuration, world: &World, me: usize, tail: &Tail) -> bool {
    let has_more = || world.storage.slot(tail.upto + 1).is_some();
    let is_new = tail.upto > world.clients[me].durable.v && !tail.diverged;
    config.applies_in_steps && is_new && has_more()
}

/// Whether a client may jump from here, and to where the hint says.
pub(crate) fn may_jump(config: &Configuration, world: &World, me: usize, tail: &Tail) -> bool {
    let v = world.clients[me].durable.v;
    let hinted = world.storage.hinted_snapshot(config.trust());
    let Some((seq, snapshot)) = hinted else { return false };
    let is_in_log = world.storage.commit_at(seq) == Some(snapshot.commit);
    // D3: the first jump stays within the part that both branches have.
    let common = world.clients[me].durable.branch.common.filter(|_| tail.upto == 0);
    let is_near = common.is_none_or(|(common, _)| seq <= common);
    is_near && seq > tail.upto && (v == 0 || tail.upto > v && is_in_log)
}
