//! The shortest version of a run that still fails.

use std::time::{Duration, Instant};

use crate::plan::{Plan, Step};

/// So long a failing run is made shorter.
const PATIENCE: Duration = Duration::from_secs(60);

/// Drops steps, first many at once and at last each alone, as long as the run fails.
pub(crate) fn shrink<Op: Clone>(
    plan: Plan<Op>,
    error: String,
    fails: impl Fn(&Plan<Op>) -> Option<String>,
) -> (Plan<Op>, String) {
    let (mut plan, mut error) = (plan, error);
    let deadline = Instant::now() + PATIENCE;
    let mut size = (plan.steps.len() / 2).max(1);
    loop {
        let mut shorter = false;
        let mut start = 0;
        while start < plan.steps.len() && Instant::now() < deadline {
            let end = (start + size).min(plan.steps.len());
            let mut steps = plan.steps.clone();
            steps.drain(start..end);
            // The end is compared always.
            if !matches!(steps.last(), Some(Step::End)) {
                steps.push(Step::End);
            }
            let is_shorter = steps.len() < plan.steps.len();
            let candidate = Plan { steps, ..plan.clone() };
            let still_fails = is_shorter && candidate.is_valid();
            match still_fails.then(|| fails(&candidate)).flatten() {
                Some(found) => (plan, error, shorter) = (candidate, found, true),
                None => start = end,
            }
        }
        if Instant::now() >= deadline || (size == 1 && !shorter) {
            return (plan, error);
        }
        size = (size / 2).max(1);
    }
}
