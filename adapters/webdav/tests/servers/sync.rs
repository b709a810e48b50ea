//! Whole syncs of two devices.

use std::sync::Arc;

use db_to_cloud::Adapter;
use db_to_cloud_test_servers::{Server, stories};

use crate::support::{
    apache, apache_with_digest, config, lighttpd, nginx, open, rclone, sabre, sabre_as_cloud,
    wsgidav,
};

async fn two_devices_sync(server: &Server) {
    let (one, other) = (config(server), config(server));
    stories::two_devices_sync(&|| Arc::new(open(&one)) as Arc<dyn Adapter>).await;
    stories::two_devices_race(&|| Arc::new(open(&other)) as Arc<dyn Adapter>).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_apache() {
    two_devices_sync(apache()).await;
    two_devices_sync(apache_with_digest()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_nginx() {
    two_devices_sync(nginx()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_lighttpd() {
    two_devices_sync(lighttpd()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_wsgidav() {
    two_devices_sync(wsgidav()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_sabre() {
    two_devices_sync(sabre()).await;
    two_devices_sync(sabre_as_cloud()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_through_rclone() {
    two_devices_sync(rclone()).await;
}
