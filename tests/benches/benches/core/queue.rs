//! How many edits are queued in a second.

use std::time::{Duration, Instant};

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud_benches::processor_time;

use crate::device::{Device, Kept, id};

pub(crate) async fn table(edits: usize, batch: usize) {
    println!("\nQueueChange of {edits} documents in batches of {batch}");
    println!(
        "{:<12}{:<22}{:>16}{:>26}",
        "state", "documents", "calls a second", "a second of processor"
    );
    for kept in [Kept::InMemory, Kept::InSqlite] {
        let device = Device::new(&MemoryAdapter::new(), kept);
        queue(&device, "new", edits, batch, kept).await;
        queue(&device, "queued before", edits, batch, kept).await;
        // Now with a base to look up for each.
        device.edit(0..edits, "text").await;
        device.sync().await;
        queue(&device, "synced before", edits, batch, kept).await;
    }
}

async fn queue(device: &Device, documents: &str, edits: usize, batch: usize, kept: Kept) {
    let ids: Vec<_> = (0..edits).map(id).collect();
    let (began, before) = (Instant::now(), processor_time());
    for ids in ids.chunks(batch) {
        device.client.queue_changes(ids).await.unwrap();
    }
    let (time, processor) = (began.elapsed(), processor_time() - before);
    let rate = |time: Duration| edits as f64 / time.as_secs_f64();
    let (rate, busy) = (rate(time), rate(processor));
    println!("{:<12}{documents:<22}{rate:>16.0}{busy:>26.0}", format!("{kept:?}"));
}
