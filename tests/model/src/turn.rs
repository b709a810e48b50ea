//! What one client does in one step. A step makes at most one request; between two steps of one
//! client anything else may happen, so a pause of any length is a matter of course.

mod apply;
mod checkpoint;
mod commit;
mod conflict;
mod faults;
mod gc;
mod join;
mod lock;
mod pull;
mod push;
mod put_back;
mod rejoin;
mod sync;
mod webdav;

pub(crate) use apply::is_conflict;
pub(crate) use checkpoint::snapshot_due;
pub(crate) use gc::missing_here;
pub(crate) use pull::{may_apply_now, may_jump};

use crate::client::{Client, Durable, Step};
use crate::config::{Configuration, Rule};
use crate::storage::Storage;
use crate::words::{Entry, NONE, Seq, Slot};
use crate::world::World;

/// One client's turn in the world.
#[derive(Debug)]
pub(crate) struct Turn<'a> {
    pub(crate) config: &'a Configuration,
    pub(crate) world: &'a mut World,
    pub(crate) me: usize,
}

impl Turn<'_> {
    /// The next step of a running sync.
    pub(crate) fn step(&mut self) {
        match self.client().step.clone() {
            Step::Idle => {}
            Step::WantLock => self.take_lock(),
            Step::Read(tail) => self.read_next(tail),
            Step::Apply { tail, fetched: None, .. } => self.fetch_next(tail),
            Step::Apply { tail, fetched: Some(change), was_dirty } => {
                self.apply(tail, &change, was_dirty);
            }
            Step::Upload { changes, next, began } => self.upload(changes, next, began),
            Step::CheckLock => self.check_lock(),
            Step::Send { began, stage } => self.send(began, stage),
            Step::DeleteOld(old) => self.delete_old(old),
            Step::Checkpoint { seq, next } => self.go_on_with_checkpoint(seq, next),
            Step::GcListed(candidates) => self.judge_candidates(candidates),
            Step::GcDelete(garbage) => self.delete_garbage(garbage),
            Step::Unlock => self.delete_lock(),
            Step::PutBack => self.queue_index(),
            Step::Rejoined => self.finish_rejoin(),
        }
    }

    fn client(&mut self) -> &mut Client {
        &mut self.world.clients[self.me]
    }

    fn durable(&mut self) -> &mut Durable {
        &mut self.world.clients[self.me].durable
    }

    fn storage(&self) -> &Storage {
        &self.world.storage
    }

    fn keeps(&self, rule: Rule) -> bool {
        self.config.keeps(rule)
    }

    fn go(&mut self, step: Step) {
        self.client().step = step;
    }

    /// A random name that nobody else makes. It is never made again, even by a device that was
    /// rolled back: randomness has no memory.
    fn mint(&mut self) -> u8 {
        let me = self.me as u8;
        let client = self.client();
        client.names += 1;
        me * 80 + client.names
    }

    /// A commit arrives at its slot. Whether it may is decided by the caller.
    fn write_slot(&mut self, n: Seq, entry: &Entry) {
        let judge = &mut self.world.judge;
        while judge.first_written.len() < n as usize {
            judge.first_written.push(NONE);
        }
        let before = &mut judge.first_written[n as usize - 1];
        judge.rewritten |= *before != NONE && *before != entry.commit;
        *before = entry.commit;
        self.world.storage.put_slot(n, Slot::Entry(entry.clone()));
    }
}
