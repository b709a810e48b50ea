//! What every [`StateStore`] must keep (rule C1): each case is one promise of the trait.
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

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use db_to_cloud::state::{StateError, StateStore};
use futures::FutureExt;
use futures::future::BoxFuture;

use crate::Outcome;
use crate::context::{CaseResult, Stop};
use crate::suite::verdict;

type Case = (&'static str, for<'a> fn(&'a dyn StateStore) -> BoxFuture<'a, CaseResult>);

/// Runs all cases, each on an empty state that `make` opens. A runtime of tokio is needed.
#[expect(clippy::print_stdout, reason = "whoever waits for a slow store wants to see it move")]
pub async fn run(make: impl Fn() -> Arc<dyn StateStore>) -> Outcome {
    let mut verdicts = Vec::new();
    for (name, case) in cases::ALL {
        let state = make();
        let done = AssertUnwindSafe(case(&*state)).catch_unwind().await;
        let verdict = verdict(done.unwrap_or_else(|_| Err(Stop::panicked("the state"))));
        println!("{name}: {verdict}");
        verdicts.push((*name, verdict));
    }
    Outcome { verdicts }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::with_sources(&error)
    }
}
