//! Whole syncs of two devices.

use std::time::Duration;

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

/// What Google does not promise is not so: the probe finds it out, and commits go under the lock.
#[tokio::test(flavor = "multi_thread")]
async fn ids_that_are_given_twice_are_found_out_by_the_probe() {
    let double = Drive::start().await;
    double.set_race(Duration::from_millis(100));
    stories::a_weak_server_is_found_out(&opener(config(&double))).await;
}
