//! Whole syncs of two devices.

use std::sync::Arc;

use db_to_cloud::Adapter;
use db_to_cloud_test_servers::{Server, stories};

use crate::support::{localstack, minio, moto, new_bucket, open};

async fn two_devices_sync(server: &Server) {
    let config = new_bucket(server).await;
    stories::two_devices_sync(&|| Arc::new(open(&config)) as Arc<dyn Adapter>).await;
}

async fn two_devices_race(server: &Server) {
    let config = new_bucket(server).await;
    stories::two_devices_race(&|| Arc::new(open(&config)) as Arc<dyn Adapter>).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_minio() {
    two_devices_sync(minio()).await;
    two_devices_race(minio()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_localstack() {
    two_devices_sync(localstack()).await;
    two_devices_race(localstack()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_moto() {
    two_devices_sync(moto()).await;
}
