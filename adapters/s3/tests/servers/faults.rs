//! Two devices edit and sync through a proxy that loses, delays and garbles, and are stopped half
//! way. In the end nothing is lost and both are equal.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{ClientBuilder, Limits};
use db_to_cloud_s3::S3Config;
use db_to_cloud_test_servers::{FaultProxy, Faults, Server};

use crate::support::{localstack, minio, new_bucket, open};
use crate::sync::Device;

const ROUNDS: u64 = 40;

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        // Xorshift: good enough to vary.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

fn device(name: &'static str, config: &S3Config) -> Device {
    let limits = Limits { request: Duration::from_secs(3), retries: 4, ..Limits::default() };
    let setup = |builder: ClientBuilder| builder.with_limits(limits);
    Device::set_up(name, Arc::new(open(config)), setup)
}

async fn nothing_is_lost(server: &Server, seed: u64) {
    println!("seed {seed}");
    let faults = Faults::random(seed, 120);
    let proxy = FaultProxy::start(server.port(), faults.clone()).await.unwrap();
    let config = new_bucket(server).await;
    let config = config.with_endpoint(proxy.url()).with_request_timeout(Duration::from_secs(1));
    let devices = [device("alice", &config), device("bob", &config)];
    let mut random = Random(seed | 1);
    let mut written = Vec::new();
    for round in 0..ROUNDS {
        for (i, device) in devices.iter().enumerate() {
            // Documents of one device, so that each edit must be found again.
            let (id, text) = (format!("{i} {}", random.below(12)), format!("round {round}"));
            device.edit(&id, &text).await;
            written.retain(|(other, _)| *other != id);
            written.push((id, text));
        }
        // Both at once, or one; stopped after a while, wherever they are.
        let who = random.below(3) as usize;
        let some = devices.iter().enumerate().filter(|(i, _)| *i != who);
        let syncs = some.map(|(_, device)| {
            let patience = Duration::from_millis(random.below(1500));
            tokio::time::timeout(patience, device.try_sync())
        });
        let _ = futures::future::join_all(syncs.collect::<Vec<_>>()).await;
    }
    faults.heal();
    let (happened, requests) = faults.counts();
    println!("{requests} requests, {happened:?}");
    assert!(happened.values().sum::<usize>() > 10, "the proxy was idle");
    // What is late arrives.
    tokio::time::sleep(Duration::from_secs(1)).await;
    for device in [&devices[0], &devices[1], &devices[0], &devices[1]] {
        device.sync().await;
    }
    let fresh = Device::new("carol", Arc::new(open(&config)));
    fresh.sync().await;
    let want = written.into_iter().map(|(id, text)| (id.as_str().into(), text)).collect();
    for device in devices.iter().chain([&fresh]) {
        assert_eq!(device.all(), want, "seed {seed}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_here_and_minio() {
    for seed in [1, 2, 3] {
        nothing_is_lost(minio(), seed).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_here_and_localstack() {
    nothing_is_lost(localstack(), 4).await;
}
