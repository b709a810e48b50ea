//! A run: devices, what they are doing at the moment, and the actions of the plan.

mod disasters;
mod editor;
mod everyday;

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};

use db_to_cloud::{DeferReason, Divergence, Error, ErrorKind, Report, SyncOptions};

use super::cloud::Objects;
use super::device::{Device, Setup};
use super::dice::Dice;
use super::plan::{Action, Planned};
use super::scheduler::{Parked, Passed};
use super::shared::{Shared, lock};
use super::{Kind, Violation, invariants};

/// More steps than any sync needs.
const ENDLESS: u64 = 100_000;
const NAMES: [&str; 8] = ["alice", "bob", "carol", "dave", "erin", "frank", "grace", "heidi"];

pub(super) struct World {
    pub shared: Arc<Shared>,
    pub devices: Vec<Device>,
    tasks: Vec<Task>,
    pub(super) weights: [u64; 5],
    edits: u64,
    joined: usize,
    server_backup: Option<Objects>,
}

/// Something that a device is doing.
struct Task {
    device: usize,
    future: Pin<Box<dyn Future<Output = Done> + Send>>,
    woken: Arc<Flag>,
    is_sync: bool,
}

/// What a task ends with.
type Done = Option<Result<Report, Error>>;

/// How the last sync of a device ended.
pub(super) struct Ended {
    pub device: usize,
    pub result: Result<Report, Error>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

impl World {
    pub(super) fn new(seed: u64, kind: Kind, recording: bool) -> Self {
        let shared = Arc::new(Shared::new(seed, kind, recording));
        let mut world = Self {
            shared,
            devices: Vec::new(),
            tasks: Vec::new(),
            weights: [1; 5],
            edits: 0,
            joined: 0,
            server_backup: None,
        };
        // The same whatever the plan holds.
        let mut dice = Dice::new(seed ^ 0xdee1);
        let first = 2 + dice.below(3);
        (0..first).for_each(|_| world.join(Setup::of_chance(&mut dice)));
        world
    }

    pub(super) fn join(&mut self, setup: Setup) {
        let number = self.joined;
        let name = match NAMES.get(number) {
            Some(name) => (*name).to_owned(),
            None => format!("device-{number}"),
        };
        self.shared.note(|| format!("{name} (device {number}) joins: {setup:?}"));
        self.joined += 1;
        self.devices.push(Device::new(&self.shared, number, name, setup));
    }

    /// Does what the plan says, until it is done or an invariant is broken.
    pub(super) fn play(&mut self, plan: &[Planned]) -> Result<(), Violation> {
        for Planned { action, steps } in plan {
            self.act(action);
            for _ in 0..*steps {
                if !self.step() {
                    break;
                }
                self.check()?;
            }
            self.check()?;
        }
        Ok(())
    }

    pub(super) fn check(&self) -> Result<(), Violation> {
        self.shared.violation().map_or(Ok(()), Err)
    }

    fn act(&mut self, action: &Action) {
        self.shared.note(|| format!("== {action:?}"));
        if !self.act_everyday(action) {
            self.strike(action);
        }
    }

    /// The device of this number, modulo the number of devices: its place among them.
    fn place(&self, device: u64) -> usize {
        (device % self.devices.len() as u64) as usize
    }

    pub(super) fn begin_sync(&mut self, place: usize) {
        let device = &mut self.devices[place];
        let number = device.number;
        if self.tasks.iter().any(|task| task.is_sync && task.device == number) {
            return;
        }
        let asked = device.asked.take();
        let kind = asked.map(|(kind, _)| kind);
        let diverged = kind == Some(ErrorKind::Diverged);
        // Both ways on (rules D1, D3 and D4); one that does not fit is refused, and asked for again.
        device.asks += u64::from(diverged);
        // In the end each of them is chosen in turn.
        let coin = lock(&self.shared.dice).below(2) == 0;
        let go_on = diverged && if device.asks > 4 { device.asks.is_multiple_of(2) } else { coin };
        let options = SyncOptions {
            go_on,
            accept_remote: diverged && !go_on,
            accept_deletes: kind == Some(ErrorKind::TooManyDeletes),
            // Also in vain, and of what comes back later (rules D6 and D7).
            give_up_missing: !device.missing.is_empty() && lock(&self.shared.dice).percent(50),
            ..SyncOptions::default()
        };
        device.goes_on = asked.and_then(|(_, what)| what).filter(|_| go_on);
        device.take_journal();
        let client = device.client.clone();
        self.begin(number, true, async move { Some(client.sync_with(options).await) });
    }

    fn begin(
        &mut self,
        device: usize,
        is_sync: bool,
        future: impl Future<Output = Done> + Send + 'static,
    ) {
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        self.tasks.push(Task { device, future: Box::pin(future), woken, is_sync });
    }

    /// One thing goes on; false if there is none.
    fn step(&mut self) -> bool {
        self.go_on();
        let gates = lock(&self.shared.scheduler).at_gates();
        let alarm = lock(&self.shared.scheduler).next_alarm();
        let chance = lock(&self.shared.dice).below(100);
        match (gates.is_empty(), alarm) {
            (true, None) => return false,
            (true, Some(alarm)) => self.wait_until(alarm),
            (false, Some(alarm)) if chance < 2 && !self.is_resting() => self.wait_until(alarm),
            _ if chance < 5 => self.shared.deliver_one(),
            _ => {
                let ticket = self.choose(&gates);
                let millis = lock(&self.shared.dice).one_of(&[0, 1, 5, 50, 400]);
                let mut scheduler = lock(&self.shared.scheduler);
                scheduler.let_on(ticket, Passed::On);
                scheduler.pass_time(millis);
            }
        }
        self.go_on();
        true
    }

    fn wait_until(&self, alarm: u64) {
        let mut scheduler = lock(&self.shared.scheduler);
        let millis = alarm.saturating_sub(scheduler.now);
        scheduler.pass_time(millis);
    }

    fn is_resting(&self) -> bool {
        lock(&self.shared.weather).resting
    }

    fn choose(&self, gates: &[Parked]) -> u64 {
        let resting = self.is_resting();
        let weight = |parked: &Parked| {
            let favour = self.weights[parked.device % self.weights.len()];
            let haste = if parked.slow { 1 } else { 40 };
            haste * if resting { 1 } else { favour }
        };
        let total: u64 = gates.iter().map(weight).sum();
        let mut dice = lock(&self.shared.dice);
        if total == 0 {
            return dice.one_of(gates).ticket;
        }
        let mut left = dice.below(total);
        for parked in gates {
            match left.checked_sub(weight(parked)) {
                Some(rest) => left = rest,
                None => return parked.ticket,
            }
        }
        gates[0].ticket
    }

    /// Polls whatever was woken, until all are parked.
    fn go_on(&mut self) {
        while let Some(i) = self.tasks.iter().position(|task| task.woken.0.swap(false, SeqCst)) {
            let waker = Waker::from(self.tasks[i].woken.clone());
            let polled = self.tasks[i].future.as_mut().poll(&mut Context::from_waker(&waker));
            if let Poll::Ready(done) = polled {
                let Task { device, .. } = self.tasks.remove(i);
                if let Some(result) = done {
                    self.end_sync(Ended { device, result });
                }
            }
        }
    }

    fn end_sync(&mut self, ended: Ended) {
        let Ended { device: number, result } = ended;
        let shared = self.shared.clone();
        let Some(device) = self.devices.iter_mut().find(|d| d.number == number) else { return };
        match &result {
            Ok(report) => {
                shared.note(|| format!("{} has synced: {report:?}", device.name));
                shared.count("sync went well");
                if !report.given_up.is_empty() {
                    shared.count("lost document given up");
                }
                let missing = report.deferred.iter().filter(|d| d.reason == DeferReason::Missing);
                device.missing = missing.map(|deferred| deferred.id.clone()).collect();
                if let Some(what) = device.goes_on.take().and_then(way_on) {
                    shared.count(what);
                }
                invariants::readers_see_a_prefix(&shared, number, &device.state);
                invariants::a_good_sync_leaves_nothing_open(&shared, &device.name, &device.state);
            }
            Err(error) => {
                shared.note(|| format!("{} could not sync: {error:?}", device.name));
                device.asked = Some((error.kind(), error.divergence()));
                shared.count(outcome(error.kind()));
                invariants::an_error_has_a_cause(&shared, &device.name, error);
            }
        }
        device.ended = Some(result);
    }

    /// Drops what a device is doing; with its user's tasks, or the sync alone.
    fn drop_tasks(&mut self, number: usize, sync_only: bool) {
        let (dropped, kept) = std::mem::take(&mut self.tasks)
            .into_iter()
            .partition(|task| task.device == number && (task.is_sync || !sync_only));
        self.tasks = kept;
        let dropped: Vec<Task> = dropped;
        if dropped.iter().any(|task| task.is_sync) {
            self.shared.count("sync dropped half way");
        }
    }

    /// Everybody ends what he began.
    pub(super) fn run_to_the_end(&mut self) -> Result<(), Violation> {
        for _ in 0..ENDLESS {
            if !self.step() {
                return self.check();
            }
            self.check()?;
        }
        self.shared.violate("rounds are bounded (7)", "a sync does not end");
        self.check()
    }
}

/// The way on that a sync has taken (rules D3 and D4).
fn way_on(from: Divergence) -> Option<&'static str> {
    match from {
        Divergence::Emptied | Divergence::LogLost => Some("storage put back"),
        Divergence::RolledBack { .. } => Some("rejoined a storage that went back"),
        Divergence::Forked { .. } => Some("rejoined another branch"),
        Divergence::Continued => Some("rejoined a storage that was put back"),
        _ => None,
    }
}

fn outcome(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::Diverged => "sync said: diverged",
        ErrorKind::TooManyDeletes => "sync said: too many deletes",
        ErrorKind::Locked => "sync said: locked",
        ErrorKind::Corrupt => "sync said: damaged object",
        _ => "sync said: storage trouble",
    }
}
