//! What an idle sync costs the processor, the application's own scan left out.

use std::time::Duration;

use db_to_cloud::Database;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud_benches::processor_time;
use futures::StreamExt;

use crate::device::{Device, Kept};

const SYNCS: u32 = 100;
const STARTS: u32 = 5;

pub(crate) async fn table(documents: usize) {
    println!("\nidle with {documents} documents: milliseconds of processor a sync");
    println!(
        "{:<12}{:>12}{:>22}{:>18}",
        "state", "idle sync", "first of a program", "scan left out"
    );
    for kept in [Kept::InMemory, Kept::InSqlite] {
        let mut device = Device::new(&MemoryAdapter::new(), kept);
        device.edit(0..documents, "text").await;
        device.sync().await;
        let idle = per_sync(&device, SYNCS).await;
        let mut first = Duration::ZERO;
        for _ in 0..STARTS {
            device.restart();
            first += per_sync(&device, 1).await / STARTS;
        }
        let scan = scan(&device).await;
        let millis = |time: Duration| time.as_secs_f64() * 1000.0;
        println!(
            "{:<12}{:>12.3}{:>22.1}{:>18.1}",
            format!("{kept:?}"),
            millis(idle),
            millis(first.saturating_sub(scan)),
            millis(scan)
        );
    }
}

async fn per_sync(device: &Device, syncs: u32) -> Duration {
    let before = processor_time();
    for _ in 0..syncs {
        assert_eq!(device.sync().await.requests.total(), 1);
    }
    (processor_time() - before) / syncs
}

/// The application lists its documents.
async fn scan(device: &Device) -> Duration {
    let before = processor_time();
    for _ in 0..STARTS {
        assert!(device.documents.list().count().await > 0);
    }
    (processor_time() - before) / STARTS
}
