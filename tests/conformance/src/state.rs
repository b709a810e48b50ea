//! What every [`StateStore`] must keep (rules C1 and C6): each case is one promise of the trait.
//!
//! ```
//! use std::sync::Arc;
//!
//! use db_to_cloud::memory::MemoryState;
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! db_to_cloud_conformance::state::run(|| Arc::new(MemoryState::new())).await.assert_passed();
//! # }
//! ```

mod cases;
mod turns;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use db_to_cloud::state::{StateError, StateStore};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::context::{CaseResult, Stop};
use crate::suite::verdict;
use crate::{Outcome, Verdict};

pub use turns::Place;

type Case = (&'static str, for<'a> fn(&'a dyn StateStore) -> BoxFuture<'a, CaseResult>);

/// Runs all cases of one state, each on an empty state that `make` opens. A runtime of tokio is needed.
pub async fn run(make: impl Fn() -> Arc<dyn StateStore>) -> Outcome {
    let mut verdicts = Vec::new();
    for (name, case) in cases::ALL {
        let state = make();
        verdicts.push((*name, judged(name, case(&*state)).await));
    }
    Outcome { verdicts }
}

/// Runs all cases of several states in one place, each in an empty place. A store whose place has room for
/// one state does not need them.
pub async fn run_in(make: impl Fn() -> Arc<dyn Place>) -> Outcome {
    let mut verdicts = Vec::new();
    for (name, case) in turns::ALL {
        let place = make();
        verdicts.push((*name, judged(name, case(&*place)).await));
    }
    Outcome { verdicts }
}

#[expect(clippy::print_stdout, reason = "whoever waits for a slow store wants to see it move")]
async fn judged(name: &str, case: BoxFuture<'_, CaseResult>) -> Verdict {
    let done = AssertUnwindSafe(case).catch_unwind().await;
    let verdict = verdict(done.unwrap_or_else(|_| Err(Stop::panicked("the state"))));
    println!("{name}: {verdict}");
    verdict
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::with_sources(&error)
    }
}
