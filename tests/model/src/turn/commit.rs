//! U5, U6 and W3: sending a commit, and what a client remembers of its fate.

use super::Turn;
use crate::client::{Attempt, Stage, Step};
use crate::config::{LockPolicy, Rule, Store};
use crate::words::{Commit, Time, VersionId};

impl Turn<'_> {
    /// The commit under way.
    pub(super) fn attempt(&self) -> Option<Attempt> {
        self.world.clients[self.me].durable.attempt.clone()
    }

    /// U5: the next request of a commit.
    pub(super) fn send(&mut self, began: Time, stage: Stage) {
        let Some(attempt) = self.attempt() else { return };
        match stage {
            Stage::Create if self.config.store == Store::Weak => {
                self.write_slot(attempt.slot, &attempt.entry);
                self.committed();
            }
            Stage::Create => {
                self.create(&attempt);
                self.settle_by(self.storage().commit_at(attempt.slot), &attempt, began);
            }
            Stage::MakeFolder => self.make_folder(began),
            Stage::PutEntry(folder) => self.put_entry(folder, attempt.entry, began),
            Stage::Move(folder) => self.move_folder(folder, &attempt, began),
            Stage::ReadBack => {
                self.settle_by(self.storage().commit_at(attempt.slot), &attempt, began);
            }
        }
    }

    /// S2: the slot is created with all of the entry, or not at all.
    pub(super) fn create(&mut self, attempt: &Attempt) {
        if !self.storage().is_taken(attempt.slot) {
            self.write_slot(attempt.slot, &attempt.entry);
        }
    }

    /// U5: created, or occupied by the same commit; occupied by another; or still absent.
    fn settle_by(&mut self, there: Option<Commit>, attempt: &Attempt, began: Time) {
        match there {
            Some(commit) if commit == attempt.entry.commit => self.committed(),
            Some(_) => self.lost_race(),
            None => self.go(Step::Send { began, stage: self.first_stage() }),
        }
    }

    /// W3: get lock (own), get slot (absent); only then put the slot.
    pub(super) fn check_lock(&mut self) {
        let Some(attempt) = self.attempt() else { return };
        match self.storage().commit_at(attempt.slot) {
            Some(commit) if commit == attempt.entry.commit => self.committed(),
            Some(_) => self.drop_attempt(),
            None if self.keeps(Rule::Ages) && self.world.now != attempt.began => {
                self.forget();
                self.drop_attempt();
            }
            None if self.storage().lock == Some(self.me as u8) => {
                self.go(Step::Send { began: attempt.began, stage: Stage::Create });
            }
            None => {
                self.durable().attempt = None;
                self.end();
            }
        }
    }

    /// U5: another commit has the slot. L2: after some lost races the lock is taken.
    fn lost_race(&mut self) {
        self.durable().attempt = None;
        if let LockPolicy::AfterRaces(calm) = self.config.lock {
            let client = self.client();
            client.races = (client.races + 1).min(calm);
            if client.races >= calm && !client.has_lock {
                return self.go(Step::WantLock);
            }
        }
        self.start_pull();
    }

    /// U6: one update of index, queue, `v` and anchor; the attempt is dropped.
    pub(super) fn committed(&mut self) {
        let keeps_newer = self.keeps(Rule::KeepNewerEdit);
        let Some(attempt) = self.durable().attempt.take() else { return };
        let mut old = Vec::new();
        for change in &attempt.entry.changes {
            let d = change.document as usize;
            self.world.judge.acknowledged[d] |= change.content.edits;
            self.client().kept[d] = None;
            let durable = self.durable();
            old.extend(Some(durable.index[d].0).filter(|vid| *vid != 0));
            durable.settle(change);
            durable.old_names[d] = None;
            if durable.is_edited(d) && keeps_newer {
                durable.dirty[d] = Some(change.vid);
            }
        }
        if self.config.rejoins {
            self.durable().branch.push(attempt.slot, attempt.entry.commit);
        }
        self.durable().arrive(attempt.slot, attempt.entry.commit);
        self.forget();
        if self.config.deletes_old_at_once && !old.is_empty() {
            self.go(Step::DeleteOld(old));
        } else {
            self.end();
        }
    }

    /// A storage harsher than G1: superseded versions vanish at once.
    pub(super) fn delete_old(&mut self, mut old: Vec<VersionId>) {
        let vid = old.remove(0);
        self.world.storage.documents.remove(&vid);
        if old.is_empty() {
            self.end();
        } else {
            self.go(Step::DeleteOld(old));
        }
    }
}
