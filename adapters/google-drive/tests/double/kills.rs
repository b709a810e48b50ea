//! Clients that are stopped at any moment, and start again with or without their memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::memory::MemoryState;
use db_to_cloud_google_drive::GoogleDriveConfig;
use db_to_cloud_test_doubles::Drive;
use db_to_cloud_test_servers::Device;

use crate::support::{config, open};

const KILLS: u64 = 100;

/// Two devices edit; each sync is stopped after some milliseconds, and the device starts anew.
async fn nothing_is_lost_by_kills(config: &GoogleDriveConfig, seed: u64) {
    println!("seed {seed}");
    let start = |i: u64| {
        let memory = Arc::new(MemoryState::new());
        let remembering = config.clone().with_state(memory);
        if i.is_multiple_of(2) { remembering } else { config.clone() }
    };
    let configs = [start(0), start(1)];
    let device = |i: usize, name| Device::new(name, Arc::new(open(&configs[i])));
    let mut devices = [device(0, "alice"), device(1, "bob")];
    let mut written = BTreeMap::new();
    let mut random = seed | 1;
    for kill in 0..KILLS {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let i = usize::from(random >> 63 == 1);
        let (id, text) = (format!("{i} {}", (random >> 40) % 9), format!("kill {kill}"));
        devices[i].edit(&id, &text).await;
        written.insert(id, text);
        let life = Duration::from_micros((random >> 20) % 60_000);
        let _ = tokio::time::timeout(life, devices[i].try_sync()).await;
        // A new process: the same client state, a new adapter.
        devices[i] = devices[i].reopened(Arc::new(open(&configs[i])));
    }
    for i in [0, 1, 0, 1] {
        devices[i].sync().await;
    }
    let fresh = Device::new("carol", Arc::new(open(config)));
    fresh.sync().await;
    let want: BTreeMap<_, _> =
        written.into_iter().map(|(id, text)| (id.as_str().into(), text)).collect();
    for device in devices.iter().chain([&fresh]) {
        assert_eq!(device.all(), want, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_when_clients_are_killed() {
    for seed in 1..=2 {
        let double = Drive::start().await;
        double.set_name_lag(Duration::from_secs(3600));
        nothing_is_lost_by_kills(&config(&double), seed).await;
    }
}
