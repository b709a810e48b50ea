//! What all devices of a run share.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::cloud::Cloud;
use super::dice::Dice;
use super::oracle::Oracle;
use super::scheduler::Scheduler;
use super::trace::Trace;
use super::weather::Weather;
use super::wire::Wire;
use super::{Kind, Violation};

#[derive(Debug)]
pub(super) struct Shared {
    pub kind: Kind,
    pub dice: Mutex<Dice>,
    pub scheduler: Mutex<Scheduler>,
    pub cloud: Mutex<Cloud>,
    pub wire: Mutex<Wire>,
    pub weather: Mutex<Weather>,
    pub oracle: Mutex<Oracle>,
    violation: Mutex<Option<Violation>>,
    trace: Mutex<Trace>,
}

impl Shared {
    pub(super) fn new(seed: u64, kind: Kind, recording: bool) -> Self {
        Self {
            kind,
            // Other numbers than those that the plan was made of.
            dice: Mutex::new(Dice::new(seed ^ 0x5eed_ed01)),
            scheduler: Mutex::default(),
            cloud: Mutex::new(Cloud::new(kind)),
            wire: Mutex::default(),
            weather: Mutex::default(),
            oracle: Mutex::default(),
            violation: Mutex::default(),
            trace: Mutex::new(Trace::new(recording)),
        }
    }

    pub(super) fn now(&self) -> u64 {
        lock(&self.scheduler).now
    }

    pub(super) fn note(&self, line: impl FnOnce() -> String) {
        let now = self.now();
        lock(&self.trace).note(now, line);
    }

    /// Something happened that the runs are there for.
    pub(super) fn count(&self, what: &'static str) {
        lock(&self.trace).count(what);
    }

    /// An invariant is broken. The first one counts: it stops the run.
    pub(super) fn violate(&self, invariant: &'static str, detail: impl Into<String>) {
        let detail = detail.into();
        self.note(|| format!("VIOLATED: {invariant}: {detail}"));
        lock(&self.violation).get_or_insert(Violation { invariant, detail });
    }

    pub(super) fn violation(&self) -> Option<Violation> {
        lock(&self.violation).clone()
    }

    pub(super) fn take_trace(&self) -> Trace {
        std::mem::replace(&mut lock(&self.trace), Trace::new(false))
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
