//! Who goes on next. Whatever runs parks at gates: before and after each operation on the storage,
//! on the client state and on the documents. Of all that is parked one is let on at a time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use super::shared::{Shared, lock};

/// How one who was parked goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passed {
    /// As if nothing had been.
    On,
    /// The device slept for days: its connections are gone.
    Cut,
}

#[derive(Debug)]
enum Place {
    /// At a gate; `request` if a request or its answer is under way; `slow` if others pass first,
    /// by and large.
    Gate { request: bool, slow: bool },
    /// Asleep until this moment.
    Asleep { until: u64 },
}

#[derive(Debug)]
struct Waiting {
    device: usize,
    place: Place,
    waker: Option<Waker>,
    passed: Option<Passed>,
}

/// One who is at a gate.
#[derive(Clone, Copy, Debug)]
pub(super) struct Parked {
    pub ticket: u64,
    pub device: usize,
    pub slow: bool,
}

/// Of a hundred at a gate, so many are slow.
const SLOW: u64 = 8;

/// All that is parked or asleep, in the order in which it came there.
#[derive(Debug, Default)]
pub(super) struct Scheduler {
    waiting: BTreeMap<u64, Waiting>,
    tickets: u64,
    /// Milliseconds since the beginning of the run.
    pub now: u64,
}

impl Scheduler {
    fn park(&mut self, device: usize, place: Place) -> u64 {
        self.tickets += 1;
        self.waiting.insert(self.tickets, Waiting { device, place, waker: None, passed: None });
        self.tickets
    }

    /// Who is at a gate.
    pub(super) fn at_gates(&self) -> Vec<Parked> {
        let parked = |(ticket, waiting): (&u64, &Waiting)| match waiting.place {
            Place::Gate { slow, .. } if waiting.passed.is_none() => {
                Some(Parked { ticket: *ticket, device: waiting.device, slow })
            }
            _ => None,
        };
        self.waiting.iter().filter_map(parked).collect()
    }

    /// When the first sleeper wakes up.
    pub(super) fn next_alarm(&self) -> Option<u64> {
        let until = |w: &Waiting| match w.place {
            Place::Asleep { until } if w.passed.is_none() => Some(until),
            _ => None,
        };
        self.waiting.values().filter_map(until).min()
    }

    pub(super) fn let_on(&mut self, ticket: u64, passed: Passed) {
        if let Some(waiting) = self.waiting.get_mut(&ticket) {
            waiting.passed = Some(passed);
            if let Some(waker) = waiting.waker.take() {
                waker.wake();
            }
        }
    }

    /// Time passes, and sleepers wake up.
    pub(super) fn pass_time(&mut self, millis: u64) {
        self.now += millis;
        let now = self.now;
        let due = |w: &Waiting| matches!(w.place, Place::Asleep { until } if until <= now);
        let due: Vec<u64> = self.waiting.iter().filter(|(_, w)| due(w)).map(|(t, _)| *t).collect();
        due.into_iter().for_each(|ticket| self.let_on(ticket, Passed::On));
    }

    /// This device's sleepers sleep so much longer: its monotonic clock stands still meanwhile.
    pub(super) fn sleep_on(&mut self, device: usize, millis: u64) {
        for waiting in self.waiting.values_mut().filter(|w| w.device == device) {
            if let Place::Asleep { until } = &mut waiting.place {
                *until += millis;
            }
        }
    }

    /// All connections break.
    pub(super) fn cut(&mut self) {
        let cut = |w: &Waiting| {
            w.passed.is_none() && matches!(w.place, Place::Gate { request: true, .. })
        };
        let cut: Vec<u64> = self.waiting.iter().filter(|(_, w)| cut(w)).map(|(t, _)| *t).collect();
        cut.into_iter().for_each(|ticket| self.let_on(ticket, Passed::Cut));
    }
}

/// A place in the queue; left when it is dropped.
struct Turn<'a> {
    shared: &'a Arc<Shared>,
    ticket: u64,
}

impl Future for Turn<'_> {
    type Output = Passed;

    fn poll(self: std::pin::Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Passed> {
        let mut scheduler = lock(&self.shared.scheduler);
        match scheduler.waiting.get_mut(&self.ticket) {
            None => Poll::Ready(Passed::On),
            Some(Waiting { passed: Some(passed), .. }) => Poll::Ready(*passed),
            Some(waiting) => {
                waiting.waker = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        lock(&self.shared.scheduler).waiting.remove(&self.ticket);
    }
}

impl Shared {
    /// Waits at a gate.
    pub(super) async fn gate(self: &Arc<Self>, device: usize) -> Passed {
        self.park(device, false).await
    }

    /// Waits while a request, or its answer, is under way.
    pub(super) async fn travel(self: &Arc<Self>, device: usize) -> Passed {
        self.park(device, true).await
    }

    async fn park(self: &Arc<Self>, device: usize, request: bool) -> Passed {
        // At rest nothing is so slow that a request runs into its time limit.
        let resting = lock(&self.weather).resting;
        let slow = !resting && lock(&self.dice).percent(SLOW);
        let ticket = lock(&self.scheduler).park(device, Place::Gate { request, slow });
        Turn { shared: self, ticket }.await
    }

    /// Waits at a gate now and then.
    pub(super) async fn maybe_gate(self: &Arc<Self>, device: usize) {
        if lock(&self.dice).percent(25) {
            self.gate(device).await;
        }
    }

    pub(super) async fn sleep(self: &Arc<Self>, device: usize, millis: u64) {
        let ticket = {
            let mut scheduler = lock(&self.scheduler);
            let until = scheduler.now + millis;
            scheduler.park(device, Place::Asleep { until })
        };
        Turn { shared: self, ticket }.await;
    }
}
