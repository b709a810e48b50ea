//! Searches configurations, or with `live` looks for livelocks:
//!
//! ```sh
//! cargo run --release -p db-to-cloud-model -- [filter] [seconds for each] [live]
//! cargo run -p db-to-cloud-model -- table      (the table of the README)
//! ```
#![allow(clippy::print_stdout, reason = "a command line talks")]

use std::process::ExitCode;
use std::time::Duration;

use db_to_cloud_model::{Case, Expect, Verdict, all, table};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filter = arguments.first().map(String::as_str).unwrap_or_default();
    if filter == "table" {
        print!("{}", table());
        return ExitCode::SUCCESS;
    }
    let seconds = arguments.get(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let is_live = arguments.iter().any(|argument| argument == "live");
    let cases: Vec<Case> = all().into_iter().filter(|case| case.name.contains(filter)).collect();
    let mut is_right = true;
    for case in cases.iter().filter(|case| !is_live || case.expect == Expect::Holds) {
        is_right &= run(case, Duration::from_secs(seconds), is_live);
    }
    if is_right { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Says whether it is as expected; a search that was not finished is no failure here.
fn run(case: &Case, time: Duration, is_live: bool) -> bool {
    let outcome = if is_live { case.run_live(time) } else { case.run(time) };
    let (states, seconds) = (outcome.states, outcome.took.as_secs_f64());
    let (name, verdict) = (case.name, &outcome.verdict);
    println!("{name:<30} {states:>9} states {seconds:>7.1} s  {verdict} {:?}", outcome.seen);
    if !outcome.steps.is_empty() {
        println!("    {} steps: {}", outcome.steps.len(), outcome.steps.join(" "));
    }
    !matches!(verdict, Verdict::Wrong(_))
}
