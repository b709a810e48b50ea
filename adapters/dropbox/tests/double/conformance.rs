//! What becomes of the promises of an adapter.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_test_doubles::Dropbox;

use crate::support::{shared, unreachable};

async fn conforms(dropbox: &Dropbox, options: Options) {
    let options = options.with_other(shared(dropbox)).with_unreachable(Arc::new(unreachable()));
    let empty = Dropbox::start().await;
    let options = options.with_empty(shared(&empty));
    let outcome = run_with(shared(dropbox), options).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropbox_conforms() {
    conforms(&Dropbox::start().await, Options::new().with_listed_keys(5000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropbox_with_pages_of_one_entry_conforms() {
    let dropbox = Dropbox::start().await;
    dropbox.set_page_size(1);
    let options = Options::new().with_listed_keys(100).with_creators(16, 4);
    conforms(&dropbox, options.with_large_object(5 * 1024 * 1024)).await;
}

/// The lock of the account's files is held for a while by each batch.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn dropbox_with_slow_batches_conforms() {
    let dropbox = Dropbox::start().await;
    dropbox.set_batch_time(Duration::from_millis(100));
    conforms(&dropbox, Options::new().with_listed_keys(1200).with_creators(16, 4)).await;
}
