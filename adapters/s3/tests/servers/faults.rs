//! Two devices edit and sync through a proxy that loses, delays and garbles, and are stopped half
//! way. In the end nothing is lost and both are equal.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::Adapter;
use db_to_cloud_test_servers::{FaultProxy, Faults, Server, stories};

use crate::support::{localstack, minio, new_bucket, open};

async fn nothing_is_lost(server: &Server, seed: u64) {
    let faults = Faults::random(seed, 120);
    let proxy = FaultProxy::start(server.port(), faults.clone()).await.unwrap();
    let config = new_bucket(server).await;
    let config = config.with_endpoint(proxy.url()).with_request_timeout(Duration::from_secs(1));
    let storage = || Arc::new(open(&config)) as Arc<dyn Adapter>;
    stories::nothing_is_lost(&storage, &faults, seed).await;
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
