//! A server that ignores conditions is found out, and used under the lock or not at all.

use std::sync::Arc;

use db_to_cloud::{Adapter, ErrorKind};
use db_to_cloud_test_servers::{Device, stories};

use crate::support::{new_bucket, open, rclone};

#[tokio::test(flavor = "multi_thread")]
async fn rclone_is_found_weak_and_two_devices_sync_with_a_warning() {
    let config = new_bucket(rclone()).await;
    stories::a_weak_server_is_found_out(&|| Arc::new(open(&config)) as Arc<dyn Adapter>).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn rclone_is_refused_by_who_requires_a_strong_storage() {
    let config = new_bucket(rclone()).await;
    let strict =
        Device::set_up("alice", Arc::new(open(&config)), |builder| builder.require_strong());
    strict.edit("note", "hello").await;
    assert_eq!(strict.try_sync().await.unwrap_err().kind(), ErrorKind::WeakStorage);
}
