//! Push, pull, first sync and idle, timed and counted.

use std::time::{Duration, Instant};

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud_benches::{CONCURRENCY, processor_time};

use crate::device::{BYTES, Device, Kept};

/// Changes in one commit.
const COMMIT: usize = 500;
/// Entries after which a pull looks for a snapshot and reads ahead.
const FAR: usize = 9;

/// One operation, timed.
struct Measured {
    operation: &'static str,
    documents: usize,
    latency: Duration,
    requests: u64,
    /// Requests by the formula of the protocol.
    formula: usize,
    /// Requests of the longest chain in which each needs the answer to the one before.
    chain: usize,
    time: Duration,
    /// Spent on all processors.
    processor: Duration,
}

pub(crate) async fn table(latencies: &[Duration], documents: &[usize]) {
    println!("\n{BYTES} bytes a document, {CONCURRENCY} requests at once; times in milliseconds");
    println!(
        "{:<11}{:>10}{:>9}{:>10}{:>9}{:>7}{:>10}{:>10}{:>8}{:>11}",
        "operation",
        "documents",
        "latency",
        "requests",
        "formula",
        "chain",
        "ideal",
        "measured",
        "ratio",
        "processor"
    );
    for &latency in latencies {
        for &documents in documents {
            push(documents, latency).await.print();
            pull(documents, latency).await.print();
            for measured in first_sync_and_idle(documents, latency).await {
                measured.print();
            }
        }
    }
}

impl Measured {
    /// Every connection busy, and the last request after all others if the chain ends so.
    fn ideal(&self) -> Duration {
        let last = usize::from(self.operation == "push");
        let rounds = last + (self.formula - last).div_ceil(CONCURRENCY);
        self.latency * rounds.max(self.chain) as u32
    }

    fn print(&self) {
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        let ratio = match self.latency.is_zero() {
            true => "-".to_owned(),
            false => format!("{:.2}", millis(self.time) / millis(self.ideal())),
        };
        println!(
            "{:<11}{:>10}{:>9}{:>10}{:>9}{:>7}{:>10.0}{:>10.1}{:>8}{:>11.1}",
            self.operation,
            self.documents,
            self.latency.as_millis(),
            self.requests,
            self.formula,
            self.chain,
            millis(self.ideal()),
            millis(self.time),
            ratio,
            millis(self.processor)
        );
    }
}

/// N changed documents of a device that has synced before.
async fn push(documents: usize, latency: Duration) -> Measured {
    let alice = Device::new(&MemoryAdapter::new(), Kept::InMemory).without_maintenance();
    alice.edit(0..documents, "first").await;
    alice.sync().await;
    alice.edit(0..documents, "second").await;
    let formula = documents + 2 + documents.div_ceil(COMMIT);
    // The last create waits for the last upload.
    measure("push", &alice, documents, latency, formula, 1 + documents.div_ceil(COMMIT).min(1))
        .await
}

/// N changed documents on another device that has synced before.
async fn pull(documents: usize, latency: Duration) -> Measured {
    let cloud = MemoryAdapter::new();
    let alice = Device::new(&cloud, Kept::InMemory).without_maintenance();
    let bob = Device::new(&cloud, Kept::InMemory).without_maintenance();
    alice.edit(0..1, "first").await;
    alice.sync().await;
    bob.sync().await;
    alice.edit(0..documents, "second").await;
    alice.sync().await;
    let entries = documents.div_ceil(COMMIT);
    measure("pull", &bob, documents, latency, entries + 1, reads(entries)).await
}

/// A new device, and then the same one again.
async fn first_sync_and_idle(documents: usize, latency: Duration) -> [Measured; 2] {
    let cloud = MemoryAdapter::new();
    let alice = Device::new(&cloud, Kept::InMemory);
    alice.edit(0..documents, "first").await;
    alice.sync().await;
    let parts = cloud.objects().keys().filter(|key| key.as_str().starts_with("snapshot/")).count();
    let entries = documents.div_ceil(COMMIT);
    // Without a snapshot: the hint that is absent, and the log.
    let (formula, chain) = match parts {
        0 => (1 + entries + 1, 1 + reads(entries)),
        heads_and_parts => (3 + heads_and_parts - 1, 4),
    };
    let bob = Device::new(&cloud, Kept::InMemory);
    let first = measure("first sync", &bob, documents, latency, formula, chain).await;
    assert_eq!(*bob.documents.documents(), *alice.documents.documents());
    [first, measure("idle", &bob, documents, latency, 1, 1).await]
}

/// How many reads of the log follow one another: one entry at a time, for a read past the head is a
/// request too many; far behind, a quarter of what was read.
fn reads(entries: usize) -> usize {
    let (mut read, mut steps) = (0, 0);
    while read <= entries {
        read += if read < FAR { 1 } else { (read / 4).min(CONCURRENCY) };
        steps += 1;
        // The hint to a snapshot, once.
        steps += usize::from(read == FAR);
    }
    steps
}

async fn measure(
    operation: &'static str,
    device: &Device,
    documents: usize,
    latency: Duration,
    formula: usize,
    chain: usize,
) -> Measured {
    device.storage.set_latency(latency);
    let (began, before) = (Instant::now(), processor_time());
    let report = device.sync().await;
    let (time, processor) = (began.elapsed(), processor_time() - before);
    device.storage.set_latency(Duration::ZERO);
    let requests = report.requests.total();
    Measured { operation, documents, latency, requests, formula, chain, time, processor }
}
