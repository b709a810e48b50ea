//! Makes a failing run short: fewer actions, the same broken invariant.

use super::plan::Planned;
use super::{Failure, Kind, play};

/// The shortest plan found, played again with its trace.
pub(super) fn shrink(failure: &Failure, kind: Kind, mut plan: Vec<Planned>) -> Failure {
    let fails = |plan: &[Planned]| {
        let same = |f: Failure| f.invariant == failure.invariant;
        play(failure.seed, kind, plan, false).err().is_some_and(same)
    };
    if let Some(length) = (0..plan.len()).find(|length| fails(&plan[..*length])) {
        plan.truncate(length);
    }
    // From the end, for what comes later depends on what was before.
    for i in (0..plan.len()).rev() {
        let mut shorter = plan.clone();
        shorter.remove(i);
        if fails(&shorter) {
            plan = shorter;
        }
    }
    play(failure.seed, kind, &plan, true).err().unwrap_or_else(|| failure.clone())
}
