//! A deterministic simulator: several devices whose syncs are truly interleaved, on a storage that
//! fails in every way it can, and everything that happens to devices and storages in the field.
//!
//! One seed is one run. A `plan` is made of it: edits, syncs, crashes, backups restored. Between the
//! actions of the plan a `scheduler` lets on, one at a time, whoever is parked before or after an
//! operation on the storage, on the client state or on the documents; time is virtual. The
//! `invariants` are checked at every step and, after edits and faults have stopped, at rest.
//!
//! Nothing here is global: any number of runs may go on beside each other, each on its own thread.

mod budgets;
mod clock;
mod cloud;
mod device;
mod dice;
mod documents;
mod invariants;
mod oracle;
mod plan;
mod resolver;
mod rest;
mod scheduler;
mod shared;
mod shrink;
mod state;
mod storage;
mod tokens;
mod trace;
mod weather;
mod wire;
mod world;

use std::collections::BTreeMap;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};

use plan::Planned;
use world::World;

/// What kind of storage the devices share.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `create` is atomic.
    Strong,
    /// `create` overwrites: commits are protected by the lock. What is known not to be promised there
    /// (a late write under other commits) does not happen in a run.
    Weak,
}

/// What happened in a run that went well, and how often.
pub type Counts = BTreeMap<&'static str, u64>;

/// A run in which an invariant broke.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure {
    /// The run's seed.
    pub seed: u64,
    /// The invariant, by its name and its number in the list of twelve.
    pub invariant: &'static str,
    /// What was found.
    pub detail: String,
    /// Everything that happened, in order; empty unless it was asked for.
    pub trace: Vec<String>,
}

#[derive(Clone, Debug)]
struct Violation {
    invariant: &'static str,
    detail: String,
}

/// Plays the run of this seed.
///
/// # Errors
/// The first invariant that broke. [`explain`] gives its trace.
pub fn run(seed: u64, kind: Kind) -> Result<Counts, Failure> {
    play(seed, kind, &plan::plan(seed), false).map(|(counts, _)| counts)
}

/// Everything that happens in the run of this seed, in order, whether it goes well or not.
pub fn trace(seed: u64, kind: Kind) -> Vec<String> {
    match play(seed, kind, &plan::plan(seed), true) {
        Ok((_, trace)) => trace,
        Err(failure) => failure.trace,
    }
}

/// The failure of this seed's run, made as short as possible, with its trace; `None` if it goes
/// well.
pub fn explain(seed: u64, kind: Kind) -> Option<Failure> {
    let plan = plan::plan(seed);
    let failure = play(seed, kind, &plan, false).err()?;
    Some(shrink::shrink(&failure, kind, plan))
}

fn play(
    seed: u64,
    kind: Kind,
    plan: &[Planned],
    recording: bool,
) -> Result<(Counts, Vec<String>), Failure> {
    let mut world = World::new(seed, kind, recording);
    let shared = world.shared.clone();
    let played = catch_unwind(AssertUnwindSafe(|| {
        world.play(plan)?;
        rest::come_to_rest(&mut world)
    }));
    let (trace, counts) = shared.take_trace().into_parts();
    let violation = match played {
        Ok(Ok(())) => return Ok((counts, trace)),
        Ok(Err(violation)) => violation,
        Err(panic) => Violation { invariant: "nothing panics", detail: words(&*panic) },
    };
    let Violation { invariant, detail } = violation;
    Err(Failure { seed, invariant, detail, trace })
}

fn words(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_else(|| "a panic without words".to_owned())
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.trace.iter().try_for_each(|line| writeln!(f, "{line}"))?;
        write!(f, "seed {}: broken: {}: {}", self.seed, self.invariant, self.detail)
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
