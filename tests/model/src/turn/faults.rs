//! What goes wrong.

use super::Turn;
use crate::client::{Durable, Stage, Step};
use crate::config::{Rule, Store};
use crate::words::{Content, Seq};
use crate::world::Flight;

impl Turn<'_> {
    /// The client stops. What is durable stays; the lock object stays too. C4 at the next start.
    pub(crate) fn crash(&mut self) {
        self.world.left.crashes = self.world.left.crashes.saturating_sub(1);
        self.restart();
    }

    /// The client starts anew, with whatever is durable.
    pub(super) fn restart(&mut self) {
        self.forget();
        let (keeps_attempt, compares) =
            (self.keeps(Rule::DurableAttempt), self.keeps(Rule::CompareAtStart));
        let client = self.client();
        client.step = Step::Idle;
        client.has_lock = false;
        client.unqueued = 0;
        if !keeps_attempt {
            client.durable.attempt = None;
        }
        for d in 0..client.kept.len() {
            if compares && client.durable.is_edited(d) {
                client.durable.queue(d);
            }
        }
    }

    /// The commit takes effect, but its author does not hear of it.
    pub(crate) fn lose_answer(&mut self) {
        let Some(attempt) = self.attempt() else { return };
        self.world.left.lost_answers -= 1;
        match (self.config.store, self.client().step.clone()) {
            (Store::Weak, _) => self.write_slot(attempt.slot, &attempt.entry),
            (Store::Webdav, Step::Send { stage: Stage::Move(folder), .. }) => {
                self.arrive_move(folder, attempt.slot);
            }
            _ => self.create(&attempt),
        }
        self.give_up_waiting();
    }

    /// The commit is under way for long: it arrives some time later, or never. The client gives up,
    /// or (`stays`) looks and sends again.
    pub(crate) fn delay(&mut self, stays: bool) {
        let Some(attempt) = self.attempt() else { return };
        let Step::Send { began, stage } = self.client().step.clone() else { return };
        self.world.left.lost_answers -= 1;
        let folder = if let Stage::Move(folder) = stage { Some(folder) } else { None };
        let flight = Flight { slot: attempt.slot, entry: attempt.entry, began, folder };
        self.world.flights.push(flight);
        match self.config.store {
            _ if !stays => self.give_up_waiting(),
            Store::Strong => {}
            Store::Webdav => self.go(Step::Send { began, stage: Stage::ReadBack }),
            Store::Weak => self.go(Step::CheckLock),
        }
    }

    fn give_up_waiting(&mut self) {
        if !self.keeps(Rule::DurableAttempt) {
            self.durable().attempt = None;
        }
        self.end();
    }

    /// A delayed commit arrives.
    pub(crate) fn arrive(&mut self, i: usize) {
        let Flight { slot, entry, folder, .. } = self.world.flights.remove(i);
        match folder {
            Some(folder) => self.arrive_move(folder, slot),
            None if self.config.store == Store::Weak || !self.storage().is_taken(slot) => {
                self.write_slot(slot, &entry);
            }
            None => {}
        }
    }

    /// Edits that no storage was told of are lost with this device's present state.
    fn lose_unacknowledged(&mut self) {
        for d in 0..self.config.documents {
            let edits = self.durable().documents[d].edits;
            let judge = &mut self.world.judge;
            judge.lost_with_device[d] |= edits & !judge.acknowledged[d];
        }
    }

    /// The whole device, documents included, goes back to its backup.
    pub(crate) fn roll_back(&mut self) {
        let Some(backup) = self.client().backup.clone() else { return };
        self.world.left.rollbacks -= 1;
        self.lose_unacknowledged();
        self.client().durable = *backup;
        self.restart();
    }

    /// This device becomes a copy of another.
    pub(crate) fn become_clone(&mut self, of: usize) {
        self.world.left.clones -= 1;
        self.lose_unacknowledged();
        self.client().durable = self.world.clients[of].durable.clone();
        self.restart();
    }

    /// The client's state is lost, the application's documents are not; of a deleted document
    /// nothing is left.
    pub(crate) fn reinstall(&mut self) {
        self.world.left.reinstalls -= 1;
        let mut documents = self.durable().documents.clone();
        for (d, document) in documents.iter_mut().enumerate().filter(|(_, content)| !content.live) {
            let judge = &mut self.world.judge;
            judge.lost_with_device[d] |= document.edits & !judge.acknowledged[d];
            *document = Content::default();
        }
        self.client().durable = Durable::fresh(documents);
        self.restart();
    }

    /// The device and its user are no more.
    pub(crate) fn destroy(&mut self) {
        self.world.left.destroyed -= 1;
        self.restart();
        let (me, judge) = (self.me, &mut self.world.judge);
        for d in 0..self.config.documents {
            judge.lost_with_device[d] |= (0xf << (4 * me)) & !judge.acknowledged[d];
        }
        let client = self.client();
        (client.gone, client.edits) = (true, 0);
        client.durable.attempt = None;
        client.durable.dirty.fill(None);
        if self.world.judge.restored {
            self.world.give_up_what_nobody_has();
        }
    }

    /// `meta.json` is lost, or a late write brings an old one back.
    pub(crate) fn damage_hint(&mut self, old: Option<Seq>) {
        self.world.left.hint_damage -= 1;
        self.world.storage.hint = old;
    }
}
