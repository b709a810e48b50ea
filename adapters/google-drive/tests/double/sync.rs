//! Whole syncs of two devices.

use db_to_cloud_test_doubles::Drive;
use db_to_cloud_test_servers::stories;

use crate::support::{config, hidden, opener};

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_a_visible_folder() {
    let (one, other) = (Drive::start().await, Drive::start().await);
    stories::two_devices_sync(&opener(config(&one))).await;
    stories::two_devices_race(&opener(config(&other))).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_the_hidden_folder() {
    let (one, other) = (Drive::start().await, Drive::start().await);
    stories::two_devices_sync(&opener(hidden(&one))).await;
    stories::two_devices_race(&opener(hidden(&other))).await;
}
