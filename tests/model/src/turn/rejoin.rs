//! C6, D3: what the storage is beside the log that this device has read, and the start over that joins
//! two branches of one log.

use super::Turn;
use super::pull::never_made;
use crate::branch::Branch;
use crate::config::Rule;
use crate::words::{Content, NONE, Seq, Slot};

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
