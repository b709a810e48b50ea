//! Runs the cases one after another.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use db_to_cloud::{Adapter, Key};
use futures::FutureExt;

use crate::cases::{ALL, Case};
use crate::context::{CaseResult, Context, Stop};
use crate::{Options, Outcome, Verdict};

/// Runs all cases on this adapter with the default options. Call
/// [`assert_passed`](Outcome::assert_passed) on what comes back.
pub async fn run(adapter: Arc<dyn Adapter>) -> Outcome {
    run_with(adapter, Options::default()).await
}

/// Runs all cases on this adapter. One line a case is printed as it ends.
#[expect(clippy::print_stdout, reason = "whoever waits for a slow server wants to see it move")]
pub async fn run_with(adapter: Arc<dyn Adapter>, options: Options) -> Outcome {
    let mut verdicts = Vec::new();
    let mut unsettled = Vec::new();
    for case in ALL {
        let cx = Context::new(adapter.clone(), options.clone());
        let verdict = run_case(case, &cx).await;
        unsettled.extend(cx.unsettled());
        println!("{}: {verdict}", case.name);
        verdicts.push((case.name, verdict));
    }
    clean_up_late_writes(&*adapter, &unsettled).await;
    Outcome { verdicts }
}

/// A write whose future was dropped may arrive after its case has cleaned up: delete once more.
async fn clean_up_late_writes(adapter: &dyn Adapter, keys: &[Key]) {
    // These cases have had their verdict; what stays after this is a throw-away object.
    let _ = AssertUnwindSafe(adapter.delete_many(keys)).catch_unwind().await;
}

async fn run_case(case: &Case, cx: &Context) -> Verdict {
    let verdict = limited(cx, (case.run)(cx)).await;
    match (verdict, limited(cx, cx.clean_up().boxed()).await) {
        (Ok(()), Ok(())) => Verdict::Passed,
        (Ok(()) | Err(Stop::Skipped(_)), Err(Stop::Skipped(why) | Stop::Failed(why))) => {
            Verdict::Failed(format!("cleaning up: {why}"))
        }
        (Err(Stop::Skipped(why)), Ok(())) => Verdict::Skipped(why),
        (Err(Stop::Failed(why)), _) => Verdict::Failed(why),
    }
}

/// What a case without anything to clean up said.
pub(crate) fn verdict(done: CaseResult) -> Verdict {
    match done {
        Ok(()) => Verdict::Passed,
        Err(Stop::Skipped(why)) => Verdict::Skipped(why),
        Err(Stop::Failed(why)) => Verdict::Failed(why),
    }
}

/// A panic or endless waiting of the adapter is a failure of this case, not the end of the suite.
async fn limited(cx: &Context, case: futures::future::BoxFuture<'_, CaseResult>) -> CaseResult {
    let limit = cx.options.case_timeout;
    match tokio::time::timeout(limit, AssertUnwindSafe(case).catch_unwind()).await {
        Ok(Ok(result)) => result,
        Ok(Err(_)) => Err(Stop::Failed("the adapter panicked".to_owned())),
        Err(_) => Err(Stop::Failed(format!("not done after {limit:?}"))),
    }
}
