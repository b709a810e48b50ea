//! Whole syncs of two devices.

use std::time::Duration;

use db_to_cloud_test_doubles::Dropbox;
use db_to_cloud_test_servers::stories;

use crate::support::shared;

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync() {
    let dropbox = Dropbox::start().await;
    stories::two_devices_sync(&|| shared(&dropbox)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_race() {
    let dropbox = Dropbox::start().await;
    dropbox.set_batch_time(Duration::from_millis(20));
    stories::two_devices_race(&|| shared(&dropbox)).await;
}
