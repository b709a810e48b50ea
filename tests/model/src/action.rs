//! What can happen next.

use crate::client::{Client, Stage, Step};
use crate::config::{Answer, Configuration, Pointer, RestoreWhen, Rule};
use crate::quiet::is_synced;
use crate::storage::Storage;
use crate::turn::{Turn, is_conflict, may_apply_now, may_jump, missing_here, snapshot_due};
use crate::words::{Commit, NONE, Slot};
use crate::world::World;

/// One thing that happens. The first number is the client.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Hash)]
pub enum Action {
    /// The user edits a document; true: deletes it.
    Edit(u8, u8, bool),
    /// QueueChange, some time after the edit (C3).
    Queue(u8, u8),
    /// A sync begins.
    Sync(u8),
    /// The sync goes on by one request.
    Step(u8),
    /// Instead of the next slot it reads the hint and jumps to a snapshot (P1, P2).
    Jump(u8),
    /// What was read is applied before the rest of the log is read.
    ApplyNow(u8),
    /// The application answers to a conflict (P6).
    Answer(u8, Answer),
    /// The same, and the client stops in the middle (P8).
    AnswerThenCrash(u8, Answer),
    /// A change is applied, and the client stops before it is in the index (P8).
    ApplyThenCrash(u8),
    /// The client stops.
    Crash(u8),
    /// A commit takes effect, its answer is lost.
    LoseAnswer(u8),
    /// A commit is under way for long, and its client gives up.
    Delay(u8),
    /// A commit is under way for long; its client looks, and sends again.
    DelayAndStay(u8),
    /// A delayed commit arrives.
    Arrive(u8),
    /// A snapshot is written (K1).
    Checkpoint(u8),
    /// Garbage is collected (G1).
    Gc(u8),
    /// A document that the storage lost is put again (D2).
    PutAgain(u8),
    /// G/2 goes by.
    TimePasses,
    /// A waiter breaks the lock (L1).
    BreakLock(u8),
    /// The device is backed up.
    Backup(u8),
    /// The device is rolled back.
    RollBack(u8),
    /// The device becomes a copy of the second one.
    BecomeClone(u8, u8),
    /// The device loses its client state, not its documents.
    Reinstall(u8),
    /// The device is destroyed.
    Destroy(u8),
    /// `meta.json` gets an old content, or is lost.
    DamageHint(Option<u8>),
    /// The storage is backed up.
    BackUpStorage,
    /// The storage is restored.
    RestoreStorage,
    /// All objects of the storage are deleted.
    EmptyStorage,
    /// The storage is restored to before its last entry.
    CutStorage,
}

impl Configuration {
    /// All that can happen in a state.
    pub(crate) fn possible_actions(&self, world: &World) -> Vec<Action> {
        let mut actions = Vec::new();
        for (c, client) in world.clients.iter().enumerate().filter(|(_, client)| !client.gone) {
            self.user(c as u8, client, &mut actions);
            match client.step {
                Step::Idle => self.idle(world, c, &mut actions),
                _ => self.running(world, c, &mut actions),
            }
            let is_at_work = client.step != Step::Idle || client.unqueued != 0;
            if self.may_crash(world, client) && is_at_work {
                actions.push(Action::Crash(c as u8));
            }
            if world.left.rollbacks > 0 && client.backup.is_some() {
                actions.push(Action::RollBack(c as u8));
            }
        }
        self.surroundings(world, &mut actions);
        actions
    }

    fn may_crash(&self, world: &World, client: &Client) -> bool {
        let durable = &client.durable;
        let joins = durable.resyncing || durable.branch.putting_back;
        world.left.crashes > 0 && (joins || !self.crashes_joining)
    }

    fn user(&self, c: u8, client: &Client, actions: &mut Vec<Action>) {
        for d in 0..self.documents {
            if client.edits > 0 {
                actions.push(Action::Edit(c, d as u8, false));
                if self.deletes && client.durable.documents[d].live {
                    actions.push(Action::Edit(c, d as u8, true));
                }
            }
            if client.unqueued >> d & 1 == 1 {
                actions.push(Action::Queue(c, d as u8));
            }
        }
    }

    fn idle(&self, world: &World, me: usize, actions: &mut Vec<Action>) {
        let (left, client, c) = (&world.left, &world.clients[me], me as u8);
        let mut add = |may: bool, action| actions.extend(may.then_some(action));
        add(left.destroyed > 0, Action::Destroy(c));
        add(!is_synced(self, world, me), Action::Sync(c));
        add(left.checkpoints > 0 && snapshot_due(self, world, me).is_some(), Action::Checkpoint(c));
        add(left.gcs > 0 && !world.storage.documents.is_empty(), Action::Gc(c));
        add(left.rollbacks > 0 && client.backup.is_none(), Action::Backup(c));
        add(left.reinstalls > 0 && client.durable.v > 0, Action::Reinstall(c));
        let misses = || missing_here(self, world, me).is_some();
        add(world.judge.restored && misses(), Action::PutAgain(c));
        for of in (0..self.clients).filter(|of| *of != me) {
            // The clone is the other one, so that a device can be copied while it is idle.
            add(left.clones > 0, Action::BecomeClone(of as u8, c));
        }
    }

    fn running(&self, world: &World, me: usize, actions: &mut Vec<Action>) {
        let c = me as u8;
        match &world.clients[me].step {
            Step::Apply { tail, fetched: Some(change), was_dirty }
                if !tail.is_part && is_conflict(self, world, me, (tail, change, *was_dirty)) =>
            {
                self.questions(world, c, actions);
            }
            Step::Apply { fetched: Some(_), .. } => {
                actions.push(Action::Step(c));
                let crashes = self.may_crash(world, &world.clients[me]);
                actions.extend(crashes.then_some(Action::ApplyThenCrash(c)));
            }
            Step::WantLock => actions.extend(self.waiting(world, c)),
            Step::Send { stage, .. } => {
                actions.push(Action::Step(c));
                let commits = matches!(stage, Stage::Create | Stage::Move(_));
                if world.left.lost_answers > 0 && commits {
                    actions.extend([Action::LoseAnswer(c), Action::Delay(c)]);
                    actions.extend(self.sends_again.then_some(Action::DelayAndStay(c)));
                }
            }
            Step::Read(tail) => {
                let jumps = self.pointer != Pointer::Stubs && may_jump(self, world, me, tail);
                actions.extend(jumps.then_some(Action::Jump(c)));
                actions.extend(may_apply_now(self, world, me, tail).then_some(Action::ApplyNow(c)));
                actions.push(Action::Step(c));
            }
            _ => actions.push(Action::Step(c)),
        }
    }

    fn questions(&self, world: &World, c: u8, actions: &mut Vec<Action>) {
        actions.extend((world.left.deferrals > 0).then_some(Action::Answer(c, Answer::Defer)));
        for answer in self.answers {
            actions.push(Action::Answer(c, *answer));
            if self.may_crash(world, &world.clients[c as usize]) {
                actions.push(Action::AnswerThenCrash(c, *answer));
            }
        }
    }

    /// L1: a lock whose holder stopped is broken in time; one whose holder lives, at any moment.
    fn waiting(&self, world: &World, c: u8) -> Option<Action> {
        let Some(holder) = world.storage.lock else { return Some(Action::Step(c)) };
        let is_dead = !world.clients[holder as usize].has_lock;
        (is_dead || world.left.lock_breaks > 0).then_some(Action::BreakLock(c))
    }

    fn surroundings(&self, world: &World, actions: &mut Vec<Action>) {
        actions.extend((0..world.flights.len()).map(|i| Action::Arrive(i as u8)));
        if world.now < self.ages {
            actions.push(Action::TimePasses);
        }
        if world.left.hint_damage > 0 && world.storage.hint.is_some() {
            let older = (1..world.storage.hint.unwrap_or(0)).map(Some);
            actions.extend(older.chain([None]).map(Action::DamageHint));
        }
        if !world.storage.log.is_empty() && self.may_restore(world) {
            actions.extend((world.left.emptyings > 0).then_some(Action::EmptyStorage));
            actions.extend((world.left.cuts > 0).then_some(Action::CutStorage));
        }
        match (world.left.restores > 0, world.backup.is_some()) {
            (true, false) => actions.push(Action::BackUpStorage),
            (true, true) if self.may_restore(world) => actions.push(Action::RestoreStorage),
            _ => {}
        }
    }

    fn may_restore(&self, world: &World) -> bool {
        match self.restore_when {
            RestoreWhen::Always => true,
            RestoreWhen::BetweenSyncs => {
                world.flights.is_empty() && world.clients.iter().all(|c| c.step == Step::Idle)
            }
            RestoreWhen::Calm => world.clients.iter().all(|c| {
                let is_busy = matches!(
                    c.step,
                    Step::Upload { .. } | Step::Send { .. } | Step::Apply { .. } | Step::Read(_)
                );
                c.durable.attempt.is_none() && !is_busy
            }),
        }
    }

    /// Lets it happen.
    pub(crate) fn let_happen(&self, world: &mut World, action: Action) {
        let who = |c: u8| c as usize;
        match action {
            Action::Edit(c, d, deletes) => self.edit(world, who(c), who(d), deletes),
            Action::Queue(c, d) => {
                let client = &mut world.clients[who(c)];
                client.unqueued &= !(1 << d);
                if client.durable.is_edited(who(d)) {
                    client.durable.queue(who(d));
                }
            }
            Action::Sync(c) => self.turn(world, c).sync(),
            Action::Step(c) => self.turn(world, c).step(),
            Action::Jump(c) => self.turn(world, c).jump(),
            Action::ApplyNow(c) => self.turn(world, c).apply_now(),
            Action::Answer(c, answer) => self.turn(world, c).answer(answer, false),
            Action::AnswerThenCrash(c, answer) => self.turn(world, c).answer(answer, true),
            Action::ApplyThenCrash(c) => self.turn(world, c).apply_and_crash(),
            Action::Crash(c) => self.turn(world, c).crash(),
            Action::LoseAnswer(c) => self.turn(world, c).lose_answer(),
            Action::Delay(c) => self.turn(world, c).delay(false),
            Action::DelayAndStay(c) => self.turn(world, c).delay(true),
            Action::Arrive(i) => self.turn(world, 0).arrive(who(i)),
            Action::Checkpoint(c) => self.turn(world, c).checkpoint(),
            Action::Gc(c) => self.turn(world, c).list_candidates(),
            Action::PutAgain(c) => self.turn(world, c).put_again(),
            Action::TimePasses => self.pass_time(world),
            Action::BreakLock(c) => {
                let holder = world.storage.lock.unwrap_or(c);
                let lives = world.clients[who(holder)].has_lock;
                self.turn(world, c).break_lock(lives);
            }
            Action::Backup(c) => {
                let client = &mut world.clients[who(c)];
                client.backup = Some(Box::new(client.durable.clone()));
            }
            Action::RollBack(c) => self.turn(world, c).roll_back(),
            Action::BecomeClone(c, of) => self.turn(world, c).become_clone(who(of)),
            Action::Reinstall(c) => self.turn(world, c).reinstall(),
            Action::Destroy(c) => self.turn(world, c).destroy(),
            Action::DamageHint(old) => self.turn(world, 0).damage_hint(old),
            Action::BackUpStorage => world.backup = Some(Box::new(world.storage.clone())),
            Action::RestoreStorage => restore(self, world),
            Action::CutStorage => {
                world.left.cuts -= 1;
                let mut storage = world.storage.clone();
                storage.log.pop();
                let end = storage.log.len() as u8;
                storage.snapshots.retain(|seq, _| *seq <= end);
                storage.hint = storage.hint.filter(|seq| *seq <= end);
                replace_storage(self, world, storage);
            }
            Action::EmptyStorage => {
                world.left.emptyings -= 1;
                replace_storage(self, world, Storage::default());
            }
        }
    }

    fn turn<'a>(&'a self, world: &'a mut World, c: u8) -> Turn<'a> {
        Turn { config: self, world, me: c as usize }
    }

    fn edit(&self, world: &mut World, c: usize, d: usize, deletes: bool) {
        let client = &mut world.clients[c];
        client.edits -= 1;
        let edit = 1u16 << (c as u16 * 4 + u16::from(client.edits));
        let document = &mut client.durable.documents[d];
        document.edits |= edit;
        document.live = !deletes;
        world.judge.made[d] |= edit;
        if self.queued_later {
            client.unqueued |= 1 << d;
        } else {
            client.durable.queue(d);
        }
    }

    /// F and G/2 go by: no request of before the last G/2 is still under way.
    fn pass_time(&self, world: &mut World) {
        world.now += 1;
        if !self.keeps(Rule::Ages) {
            return;
        }
        let now = world.now;
        world.flights.retain(|flight| now <= flight.began + 1);
        for c in 0..self.clients {
            if let Step::Send { began, .. } = world.clients[c].step
                && now > began + 1
            {
                self.turn(world, c as u8).end();
            }
        }
    }
}

fn restore(config: &Configuration, world: &mut World) {
    let Some(backup) = &world.backup else { return };
    world.left.restores -= 1;
    let storage = (**backup).clone();
    replace_storage(config, world, storage);
}

/// Another storage is at the address from now on, or only another log.
fn replace_storage(config: &Configuration, world: &mut World, mut storage: Storage) {
    if config.snapshots_stay {
        let log = storage.log;
        storage = Storage { log, ..world.storage.clone() };
    }
    world.storage = storage;
    world.judge.restored = true;
    let commit = |slot: &Option<Slot>| -> Commit { slot.as_ref().map_or(NONE, Slot::commit) };
    world.judge.first_written = world.storage.log.iter().map(commit).collect();
    world.give_up_what_nobody_has();
}
