//! The same tests at an endpoint of the user's: a bucket of AWS, R2 or another. They use random names
//! and clean up.

use std::sync::Arc;

use db_to_cloud::{Adapter, Folder, Key};
use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_s3::S3Config;
use db_to_cloud_test_servers::Device;

use crate::support::{open, unreachable};

/// Without the variable MinIO stands in.
async fn config() -> S3Config {
    match std::env::var("DB_TO_CLOUD_S3_URL") {
        Ok(url) => S3Config::from_url(&url).unwrap(),
        Err(_) => crate::support::new_bucket(crate::support::minio()).await,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs an endpoint in DB_TO_CLOUD_S3_URL; MinIO and LocalStack have tests of their own"]
async fn the_endpoint_conforms() {
    let config = config().await;
    let options = Options::new()
        .with_listed_keys(1200)
        .with_other(Arc::new(open(&config)))
        .with_unreachable(Arc::new(unreachable(&config)));
    run_with(Arc::new(open(&config)), options).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_at_the_endpoint() {
    let config = config().await;
    // A storage of its own: the documents of another test would come, too.
    let name = format!("test-{}", std::process::id());
    let storage = Arc::new(open(&config.with_prefix(name)));
    let alice = Device::new("alice", storage.clone());
    let bob = Device::new("bob", storage.clone());
    alice.edit("note", "hello").await;
    alice.sync().await;
    bob.sync().await;
    assert_eq!(bob.read("note").as_deref(), Some("hello"));
    clean_up(&*storage).await;
}

async fn clean_up(storage: &dyn Adapter) {
    let mut keys = vec![Key::metadata(), Key::lock()];
    for folder in [Folder::Changes, Folder::Documents, Folder::Snapshots, Folder::Probe] {
        keys.extend(storage.list(folder, None).await.unwrap().keys);
    }
    storage.delete_many(&keys).await.into_iter().for_each(|answer| answer.unwrap());
}
