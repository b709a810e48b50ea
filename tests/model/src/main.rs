//! `cargo run --release -p db-to-cloud-model -- [filter] [seconds]`: searches configurations.
#![allow(clippy::print_stdout, reason = "a command line talks")]

use std::time::Duration;

use db_to_cloud_model::catalogue::{self, Expect};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let filter = arguments.first().map(String::as_str).unwrap_or_default();
    let seconds = arguments.get(1).and_then(|seconds| seconds.parse().ok()).unwrap_or(60);
    let mut all = catalogue::all();
    if std::env::var("PORT").is_ok() {
        for case in &mut all {
            if let catalogue::Subject::Protocol(c) = &mut case.subject { c.keeps_uploads = false }
        }
    }
    for case in all.iter().filter(|case| case.name.contains(filter)) {
        let report = case.search(Duration::from_secs(seconds));
        let found = report.counterexample.as_ref().map(|(p, steps)| (*p, steps.len()));
        let verdict = match (case.expect, found) {
            (Expect::Holds, None) if report.exhausted => "pass".to_owned(),
            (_, None) if report.exhausted => "NOT FOUND".to_owned(),
            (_, None) => "NOT EXHAUSTED".to_owned(),
            (_, Some((p, n))) => format!("found in {n}: {p}"),
        };
        println!("{:<32} {:>9} {:>6.1}s {verdict} {:?}", case.name, report.states, report.took.as_secs_f64(), report.seen);
        if let Some((_, steps)) = &report.counterexample {
            println!("    {}", steps.join(" "));
        }
    }
}
