//! The beginning and the end of a sync.

use super::Turn;
use crate::branch::Chain;
use crate::client::{Attempt, Durable, Stage, Step, Tail};
use crate::config::{LockPolicy, Rule, Store};

impl Turn<'_> {
    /// A sync begins; with W1 and a lock that is always taken, it takes the lock first.
    pub(crate) fn sync(&mut self) {
        let durable = self.durable();
        let pushes = durable.attempt.is_some() || durable.dirty.iter().any(Option::is_some);
        if self.config.lock == LockPolicy::Always && pushes {
            self.go(Step::WantLock);
        } else {
            self.begin();
        }
    }

    /// U7: an attempt that an earlier sync left behind is settled first.
    pub(super) fn begin(&mut self) {
        if self.config.rejoins {
            if self.durable().branch.putting_back {
                return self.go(Step::PutBack);
            }
            if !self.is_anchor_there() {
                return self.go_on();
            }
        }
        let Some(attempt) = self.durable().attempt.clone() else { return self.start_pull() };
        if self.config.store == Store::Weak {
            return self.go(Step::CheckLock);
        }
        if !self.storage().is_taken(attempt.slot) {
            if self.keeps(Rule::Ages) && self.world.now != attempt.began {
                return if self.is_dead(&attempt) { self.drop_attempt() } else { self.end() };
            }
            let looks = self.keeps(Rule::Anchor) && self.keeps(Rule::AnchorBeforeResend);
            if looks && !self.is_anchor_there() {
                return self.diverged();
            }
        }
        self.go(Step::Send { began: attempt.began, stage: self.first_stage() });
    }

    /// U7: the slot is empty, the uploads are old, and no request can still take effect (F).
    fn is_dead(&self, attempt: &Attempt) -> bool {
        let landed = !self.world.is_in_flight(attempt.entry.commit);
        self.world.now >= attempt.began + 2 || self.world.now == self.config.ages && landed
    }

    /// The attempt is over: another commit has the slot, or nothing of it can take effect.
    pub(super) fn drop_attempt(&mut self) {
        self.durable().attempt = None;
        self.start_pull();
    }

    /// P9: what an interrupted pull was about to reach must still be in the log.
    pub(super) fn start_pull(&mut self) {
        let Durable { reaching, resyncing, .. } = *self.durable();
        let rejoins = self.durable().branch.common.is_some();
        let is_there = |(seq, commit)| self.storage().commit_at(seq) == Some(commit);
        if resyncing && !rejoins {
            return self.start_over();
        }
        if !reaching.is_none_or(is_there) || rejoins && !self.is_common_there() {
            return self.diverged();
        }
        if rejoins && self.durable().v == 0 {
            self.mark_what_waits();
        }
        self.read_on();
    }

    /// P1: from the slot after the last one applied, with what was deferred (P4).
    pub(super) fn read_on(&mut self) {
        let documents = self.config.documents;
        let durable = self.durable();
        let mut tail = Tail::after(durable.v, durable.anchor, durable.pending.clone());
        if durable.branch.common.is_some() {
            tail.chains = vec![Chain::default(); documents];
        }
        self.go(Step::Read(tail));
    }

    /// The sync is over: what it kept in memory is forgotten, the lock is released.
    pub(crate) fn end(&mut self) {
        self.forget();
        self.go(Step::Idle);
        self.release_lock();
    }

    /// What a crash, or the end of a sync, takes from memory.
    pub(super) fn forget(&mut self) {
        let client = self.client();
        client.kept.fill(None);
        client.races = 0;
    }

    /// How a commit is sent on this storage.
    pub(super) fn first_stage(&self) -> Stage {
        match self.config.store {
            Store::Webdav => Stage::MakeFolder,
            Store::Strong | Store::Weak => Stage::Create,
        }
    }
}
