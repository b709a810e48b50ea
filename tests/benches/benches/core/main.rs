//! The core over a storage with simulated latency, against the formulas of the protocol:
//! `cargo xtask bench core`. `docs/benchmarks.md` tells what the columns mean.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

mod device;
mod idle;
mod queue;
mod syncs;

use std::time::Duration;

const LATENCIES: [u64; 3] = [0, 20, 100];
const DOCUMENTS: [usize; 3] = [100, 1_000, 10_000];

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if !arguments.iter().any(|argument| argument == "--bench") {
        return;
    }
    // A word after `--` chooses one of the tables.
    let only = arguments.iter().find(|argument| !argument.starts_with('-'));
    let is_wanted = |name: &str| only.is_none_or(|only| name.contains(only.as_str()));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        if is_wanted("syncs") {
            let latencies = LATENCIES.map(Duration::from_millis);
            syncs::table(&latencies, &DOCUMENTS).await;
        }
        if is_wanted("idle") {
            idle::table(100_000).await;
        }
        if is_wanted("queue") {
            queue::table(100_000, 1_000).await;
        }
    });
}
