//! The servers that honour conditions keep every promise of an adapter.

use std::sync::Arc;

use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_test_servers::Server;

use crate::support::{localstack, minio, moto, new_bucket, open, unreachable};

async fn conforms(server: &Server, options: Options) {
    let config = new_bucket(&server.url()).await;
    let options = options
        .with_other(Arc::new(open(&config)))
        .with_unreachable(Arc::new(unreachable(&config)));
    let outcome = run_with(Arc::new(open(&config)), options).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn minio_conforms() {
    conforms(minio(), Options::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn localstack_conforms() {
    conforms(localstack(), Options::new().with_listed_keys(2500)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn moto_conforms() {
    let options = Options::new().with_listed_keys(1200).with_creators(32, 4);
    conforms(moto(), options).await;
}
