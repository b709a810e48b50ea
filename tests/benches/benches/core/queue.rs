//! How many edits are queued in a second.

use std::time::{Duration, Instant};

use db_to_cloud::memory::MemoryAdapter;

use crate::device::{Device, Kept, id};

pub(crate) async fn table(edits: usize, batch: usize) {
    println!("\nQueueChange of {edits} documents in batches of {batch}: calls a second");
    println!("{:<12}{:>12}{:>12}{:>12}", "state", "new", "again", "synced");
    for kept in [Kept::InMemory, Kept::InSqlite] {
        let device = Device::new(&MemoryAdapter::new(), kept);
        let new = queue(&device, edits, batch).await;
        let again = queue(&device, edits, batch).await;
        // Now with a base to look up for each.
        device.edit(0..edits, "text").await;
        device.sync().await;
        let synced = queue(&device, edits, batch).await;
        let rate = |time: Duration| edits as f64 / time.as_secs_f64();
        println!(
            "{:<12}{:>12.0}{:>12.0}{:>12.0}",
            format!("{kept:?}"),
            rate(new),
            rate(again),
            rate(synced)
        );
    }
}

async fn queue(device: &Device, edits: usize, batch: usize) -> Duration {
    let ids: Vec<_> = (0..edits).map(id).collect();
    let began = Instant::now();
    for ids in ids.chunks(batch) {
        device.client.queue_changes(ids).await.unwrap();
    }
    began.elapsed()
}
