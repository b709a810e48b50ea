//! D3: two branches of one log are joined. Of each document the newer version is taken unasked where one
//! was made upon the other.

use super::Turn;
use super::pull::never_made;
use crate::branch::{Branch, Chain};
use crate::client::Tail;
use crate::config::Rule;
use crate::words::{Change, Content, NONE, Seq, Slot};

/// What a version of another branch is beside the indexed one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// The same content.
    Alike,
    /// Both branches have it, and this device has a newer one.
    Older,
    /// Anything else.
    Other,
}

impl Turn<'_> {
    /// C6: the anchor is not there. Is it another branch of this log, one that continues it, another
    /// storage, or none any more?
    pub(super) fn go_on(&mut self) {
        let (first, branch) = (self.storage().slot(1), &self.world.clients[self.me].durable.branch);
        let genesis = branch.genesis();
        let Some(first) = first else { return self.put_back() };
        let follows = match first {
            Slot::Entry(entry) => entry.follows.contains(&genesis),
            _ => false,
        };
        if first.commit() == genesis {
            let common = self.common();
            self.rejoin(common);
        } else if genesis != NONE && follows || branch.follows.contains(&first.commit()) {
            self.durable().branch.follows.push(genesis);
            self.rejoin(0);
        } else {
            self.start_over();
        }
    }

    /// The last entry that this device and the storage have in common.
    fn common(&self) -> Seq {
        let trail = &self.world.clients[self.me].durable.branch.trail;
        let slots = (1..).zip(trail);
        let common = slots.filter(|(n, commit)| self.storage().commit_at(*n) == Some(**commit));
        common.map(|(n, _)| n).last().unwrap_or(0)
    }

    /// Drops the attempt and goes back to the beginning of the log, keeping the index.
    pub(super) fn rejoin(&mut self, common: Seq) {
        let commit = self.storage().commit_at(common).unwrap_or(NONE);
        self.forget();
        let durable = self.durable();
        let indexed = durable.index.iter().enumerate().filter(|(_, (vid, _))| *vid != NONE);
        let unmet = indexed.fold(0, |unmet, (d, _)| unmet | 1 << d);
        let follows = std::mem::take(&mut durable.branch.follows);
        durable.branch =
            Branch { follows, unmet, common: Some((common, commit)), ..Branch::default() };
        (durable.v, durable.anchor, durable.resyncing) = (0, NONE, true);
        (durable.attempt, durable.reaching) = (None, None);
        self.start_pull();
    }

    /// Whether the log is still the one that was found to have a part in common with this device's.
    pub(super) fn is_common_there(&self) -> bool {
        let common = self.world.clients[self.me].durable.branch.common;
        let is_there = |(n, commit)| n == 0 || self.storage().commit_at(n) == Some(commit);
        common.is_none_or(is_there) || !self.keeps(Rule::CommonStillThere)
    }

    /// What is pending before anything was read is of the log before: this device did not take all that
    /// it has read of these documents.
    pub(super) fn mark_what_waits(&mut self) {
        let durable = self.durable();
        for d in 0..durable.pending.len() {
            let waits = durable.pending[d].is_some();
            durable.decide(d);
            if waits && durable.index[d].0 != NONE {
                durable.pending[d] = Some(never_made(d));
                durable.undecided |= 1 << d;
            }
        }
    }

    /// What was read is joined with the index. What is left of it is written if it is the whole log;
    /// what the application must be asked about, and the parts of a log, wait.
    pub(super) fn join(&mut self, tail: &mut Tail) {
        tail.is_part = true;
        let is_whole = tail.ends && self.durable().pending.iter().all(Option::is_none);
        for d in 0..tail.changes.len() {
            let chain = std::mem::take(&mut tail.chains[d]);
            let Some(change) = tail.changes[d].filter(|_| chain.order > 0) else {
                tail.changes[d] = None;
                continue;
            };
            match self.relation(&change, &chain) {
                Relation::Other => {}
                relation => {
                    self.move_base(&change, relation == Relation::Older);
                    tail.changes[d] = None;
                    continue;
                }
            }
            if self.waits(&change, chain, is_whole) {
                tail.changes[d] = None;
            }
        }
    }

    fn relation(&mut self, change: &Change, chain: &Chain) -> Relation {
        let (keeps_common, looks) = (self.keeps(Rule::CommonPart), self.keeps(Rule::NothingWaits));
        let d = change.document as usize;
        let durable = self.durable();
        let (vid, content) = durable.index[d];
        if vid == NONE || vid == change.vid {
            return Relation::Other;
        }
        if content == change.content {
            return Relation::Alike;
        }
        let common = durable.branch.common.map_or(0, |(n, _)| n);
        let is_old = chain.order <= common || !keeps_common;
        let waits = durable.pending[d].is_some() && looks;
        match is_old && !waits && !chain.replaced.contains(&vid) {
            true => Relation::Older,
            false => Relation::Other,
        }
    }

    /// C5: the indexed version is theirs from now on, and a queued edit is upon it; `queues`: this device
    /// has a newer version.
    fn move_base(&mut self, change: &Change, queues: bool) {
        let d = change.document as usize;
        let durable = self.durable();
        durable.set_index(change);
        if queues || durable.dirty[d].is_some() {
            durable.dirty[d] = Some(change.vid);
        }
        durable.decide(d);
    }

    /// P4: the change joined with one that waits already. False if it may be written at once.
    fn waits(&mut self, change: &Change, chain: Chain, is_whole: bool) -> bool {
        let asks = self.keeps(Rule::MadeUpon);
        let d = change.document as usize;
        let durable = self.durable();
        let indexed = durable.index[d].0;
        let before = durable.pending[d];
        let is_undecided = durable.undecided >> d & 1 == 1;
        let waiting = before.map(|waiting| waiting.vid).filter(|vid| *vid != NONE);
        let is_same = waiting == Some(change.vid);
        let mut replaced = durable.branch.replaced(d);
        replaced.extend(waiting.filter(|_| !is_same));
        replaced.extend(chain.replaced);
        replaced.sort_unstable();
        replaced.dedup();
        let is_apart = match indexed == change.vid {
            true => is_same && is_undecided,
            false => {
                let is_next = replaced.contains(&indexed) || !asks;
                is_undecided || indexed != NONE && !is_next
            }
        };
        if indexed == change.vid && !is_apart {
            durable.branch.unmet &= !(1 << d);
            durable.decide(d);
            return true;
        }
        if is_whole && !is_apart {
            return false;
        }
        durable.pending[d] = Some(*change);
        durable.undecided |= u8::from(is_apart) << d;
        durable.branch.set_replaced(d, replaced);
        true
    }

    /// The whole log is read: what was not met in it is unknown to this storage.
    pub(super) fn finish_rejoin(&mut self) {
        for d in 0..self.config.documents {
            let durable = self.durable();
            if durable.branch.unmet >> d & 1 == 0 || durable.pending[d].is_some() {
                continue;
            }
            durable.index[d] = (NONE, Content::default());
            durable.dirty[d] = Some(NONE);
            if !durable.documents[d].live {
                self.forget_document(d);
            }
        }
        let durable = self.durable();
        durable.resyncing = false;
        let (trail, follows) = (durable.branch.trail.clone(), durable.branch.follows.clone());
        durable.branch = Branch { trail, follows, ..Branch::default() };
        self.read_on();
    }

    /// A document that is deleted here and that the storage does not have is no document.
    pub(super) fn forget_document(&mut self, d: usize) {
        let durable = self.durable();
        let known = std::mem::take(&mut durable.documents[d]);
        durable.dirty[d] = None;
        self.world.judge.dropped[d] |= known.edits;
    }
}
