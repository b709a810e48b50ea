//! Documents of 300 bytes on an Apache: pushed, pulled on a second device, changed, and nothing to do.
//! Beside db-to-cloud's old way of working, one document a request and one request at a time, and
//! beside `rclone copy` of the same files with as many connections: `cargo xtask bench webdav`.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a benchmark")]

mod files;
mod line;
mod one_by_one;
mod ours;
mod rclone;
mod table;

use std::time::{Duration, Instant};

use async_trait::async_trait;
use db_to_cloud_test_servers::{FaultProxy, Faults, Server};
use futures::future::join_all;

use crate::one_by_one::OneByOne;
use crate::ours::{InMemory, OfFiles};
use crate::rclone::Rclone;
use crate::table::Table;

/// Documents, and how many of them are changed later.
const DOCUMENTS: usize = 1_000;
const CHANGED: usize = 100;
const BYTES: usize = 300;
const CONCURRENCY: usize = 16;
const ROUNDS: usize = 5;
/// Of a server that is near; to one in the next country it is ten times that.
const LATENCY: Duration = Duration::from_millis(3);

/// What is timed.
const STEPS: [&str; 6] = [
    "push of 1000",
    "pull of 1000",
    "push of 100 changed",
    "pull of 100 changed",
    "idle",
    "a third device's first sync",
];

/// One way to bring documents from one device to others.
#[async_trait]
trait Way {
    /// Changes the first documents of the first device. Each text has another length, for rclone sees
    /// no other change on Apache.
    async fn edit(&mut self, documents: usize, text: &str);

    /// Brings what was changed to the server.
    async fn push(&mut self);

    /// Brings what is new there to the second device or the third.
    async fn pull(&mut self, device: usize);

    /// Fails unless all devices have the same documents.
    fn check(&self);
}

/// The ways to compare, each in a collection of its own.
async fn ways(url: &str, round: &str) -> Vec<Box<dyn Way>> {
    let place = |way: &str| format!("{url}/{way}-{round}");
    vec![
        Box::new(OfFiles::new(&place("files"))),
        Box::new(InMemory::new(&place("memory"))),
        Box::new(OneByOne::new(&place("one-by-one")).await),
        Box::new(Rclone::new(&place("rclone"))),
    ]
}

fn main() {
    // `cargo test --benches` only wants to see that it builds.
    if !std::env::args().any(|argument| argument == "--bench") {
        return;
    }
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let server = Server::apache();
        let requests = count(&server).await;
        println!("a line without latency");
        measure(&server.url(), ROUNDS, &requests).await;
        println!("\na line on which each answer is {LATENCY:?} late");
        measure(&line::open(server.port(), LATENCY).await, 1, &requests).await;
    });
}

async fn measure(url: &str, rounds: usize, requests: &[[usize; 4]]) {
    let mut table = Table::new(requests.to_vec());
    for round in 0..rounds {
        let mut ways = ways(url, &format!("{round}-of-{rounds}")).await;
        for step in 0..STEPS.len() {
            prepare(&mut ways, step).await;
            // The machine has other things to do, now more, now less: they take turns at being first.
            for turn in 0..ways.len() {
                let way = (turn + round + step) % ways.len();
                let began = Instant::now();
                run(ways[way].as_mut(), step).await;
                table.add(step, way, began.elapsed());
            }
        }
        ways.iter().for_each(|way| way.check());
    }
    table.print(rounds);
}

/// The requests of each step, counted by a proxy in a round that is not timed.
async fn count(server: &Server) -> Vec<[usize; 4]> {
    let faults = Faults::default();
    let proxy = FaultProxy::start(server.port(), faults.clone()).await.unwrap();
    let mut ways = ways(&proxy.url(), "counted").await;
    let mut counts = Vec::new();
    for step in 0..STEPS.len() {
        prepare(&mut ways, step).await;
        let mut requests = [0; 4];
        for (way, requests) in ways.iter_mut().zip(&mut requests) {
            let before = faults.counts().1;
            run(way.as_mut(), step).await;
            *requests = faults.counts().1 - before;
        }
        counts.push(requests);
    }
    counts
}

async fn prepare(ways: &mut [Box<dyn Way>], step: usize) {
    let edit = match step {
        0 => Some((DOCUMENTS, "first")),
        2 => Some((CHANGED, "second")),
        _ => None,
    };
    if let Some((documents, text)) = edit {
        join_all(ways.iter_mut().map(|way| way.edit(documents, text))).await;
    }
}

async fn run(way: &mut dyn Way, step: usize) {
    match step {
        0 | 2 => way.push().await,
        5 => way.pull(2).await,
        _ => way.pull(1).await,
    }
}

fn name(document: usize) -> String {
    format!("document-{document:04}")
}

/// About 300 bytes, of a length that is that of this text alone.
fn content(document: usize, text: &str) -> String {
    format!("{text} {document:>width$}", width = BYTES - 6)
}
