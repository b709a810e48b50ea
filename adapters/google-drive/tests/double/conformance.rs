//! The promises of an adapter.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_google_drive::GoogleDriveConfig;
use db_to_cloud_test_doubles::Drive;

use crate::support::{config, hidden, open, unreachable};

async fn conforms(config: GoogleDriveConfig, empty: GoogleDriveConfig, keys: usize) {
    let options = Options::new()
        .with_slots_in_order(1)
        .with_races_of_one_client()
        .with_other(Arc::new(open(&config)))
        .with_unreachable(Arc::new(unreachable()))
        .with_empty(Arc::new(open(&empty)))
        .with_listed_keys(keys);
    let outcome = run_with(Arc::new(open(&config)), options).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_visible_folder_conforms() {
    let double = Drive::start().await;
    // Names are found late, and pages are short or empty.
    double.set_name_lag(Duration::from_secs(3600));
    double.set_pages(70, true);
    conforms(config(&double), config(&Drive::start().await), 300).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_hidden_folder_conforms() {
    let double = Drive::start().await;
    conforms(hidden(&double), hidden(&Drive::start().await), 300).await;
}
