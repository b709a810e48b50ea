//! Storages of their own at a double that is started for the test.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::Adapter;
use db_to_cloud_google_drive::{GoogleDriveAdapter, GoogleDriveConfig, Space};
use db_to_cloud_oauth::{AccessToken, StaticToken, TokenProvider};
use db_to_cloud_test_doubles::Drive;

pub(crate) fn token(text: &str) -> Arc<dyn TokenProvider> {
    Arc::new(StaticToken(AccessToken::new(text)))
}

/// A visible folder within a folder. The double's lists do not lag unless a test says so.
pub(crate) fn config(double: &Drive) -> GoogleDriveConfig {
    at(&double.url(), Space::Visible, token(&double.token()))
}

/// The hidden folder.
pub(crate) fn hidden(double: &Drive) -> GoogleDriveConfig {
    at(&double.url(), Space::AppData, token(&double.token()))
}

pub(crate) fn at(url: &str, space: Space, token: Arc<dyn TokenProvider>) -> GoogleDriveConfig {
    let config = match space {
        Space::Visible => GoogleDriveConfig::visible("Apps/my notes", token),
        Space::AppData => GoogleDriveConfig::app_data("", token),
    };
    config.with_root_url(url).with_settle(Duration::ZERO)
}

pub(crate) fn open(config: &GoogleDriveConfig) -> GoogleDriveAdapter {
    config.clone().build().unwrap()
}

/// Opens the storage anew, as another device would.
pub(crate) fn opener(config: GoogleDriveConfig) -> impl Fn() -> Arc<dyn Adapter> + Sync {
    move || Arc::new(open(&config)) as Arc<dyn Adapter>
}

/// The same storage at a port where nobody listens.
pub(crate) fn unreachable() -> GoogleDriveAdapter {
    let nowhere = at("http://127.0.0.1:1", Space::Visible, token("ya29.a"));
    open(&nowhere.with_connect_timeout(Duration::from_secs(1)))
}
