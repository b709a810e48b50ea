//! The same tests at the real service, in folders of their own. Without a token the double stands in.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_google_drive::GoogleDriveConfig;
use db_to_cloud_test_doubles::Drive;
use db_to_cloud_test_servers::stories;

use crate::support::{open, opener, token, unreachable};

/// A storage that was never used; the double must live as long.
async fn config(name: &str) -> (Option<Drive>, GoogleDriveConfig) {
    let path = format!("db-to-cloud tests/{name} {}", std::process::id());
    match std::env::var("GOOGLE_DRIVE_TOKEN") {
        Ok(secret) => {
            let hidden = std::env::var("GOOGLE_DRIVE_SPACE").is_ok_and(|s| s == "appDataFolder");
            let config = match hidden {
                true => GoogleDriveConfig::app_data(path, token(&secret)),
                false => GoogleDriveConfig::visible(path, token(&secret)),
            };
            (None, config)
        }
        Err(_) => {
            let double = Drive::start().await;
            let config = GoogleDriveConfig::visible(path, token(&double.token()));
            let config = config.with_root_url(double.url()).with_settle(Duration::ZERO);
            (Some(double), config)
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_endpoint_conforms() {
    let (_double, config) = config("conformance").await;
    let options = Options::new()
        .with_slots_in_order(1)
        .with_races_of_one_client()
        .with_listed_keys(60)
        .with_large_object(6_000_000)
        .with_creators(16, 4)
        .with_patience(Duration::from_secs(60))
        .with_other(Arc::new(open(&config)))
        .with_unreachable(Arc::new(unreachable()));
    run_with(Arc::new(open(&config)), options).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_at_the_endpoint() {
    let (_double, config) = config("sync").await;
    stories::two_devices_sync(&opener(config)).await;
}

/// What Google does not promise: of creates of one id at the same moment, one is new.
#[tokio::test(flavor = "multi_thread")]
async fn two_devices_race_at_the_endpoint() {
    let (_double, config) = config("race").await;
    stories::two_devices_race(&opener(config)).await;
}
