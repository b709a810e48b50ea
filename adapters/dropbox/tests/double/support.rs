//! Doubles, and storages in them.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::Adapter;
use db_to_cloud_dropbox::{DropboxAdapter, DropboxConfig};
use db_to_cloud_oauth::{AccessToken, StaticToken, TokenProvider};
use db_to_cloud_test_doubles::Dropbox;
use db_to_cloud_test_doubles::dropbox::Host;

/// A folder with a name that needs an escape in a header.
pub(crate) const FOLDER: &str = "/Apps of Zoë/notes 日本";

pub(crate) fn fixed(token: &str) -> Arc<dyn TokenProvider> {
    Arc::new(StaticToken(AccessToken::new(token)))
}

/// Each host of the service at its place: what is for another is refused.
pub(crate) fn config(dropbox: &Dropbox) -> DropboxConfig {
    let [api, content, notify] =
        [Host::Api, Host::Content, Host::Notify].map(|host| dropbox.host(host));
    config_at(dropbox, "").with_endpoints(api, content, notify)
}

/// The same behind another address, such as a proxy's.
pub(crate) fn config_at(dropbox: &Dropbox, url: &str) -> DropboxConfig {
    DropboxConfig::new(FOLDER, fixed(&dropbox.token())).with_endpoints(url, url, url)
}

pub(crate) fn open(config: &DropboxConfig) -> DropboxAdapter {
    config.clone().build().unwrap()
}

/// Another device.
pub(crate) fn shared(dropbox: &Dropbox) -> Arc<dyn Adapter> {
    Arc::new(open(&config(dropbox)))
}

/// The same storage at a port where nobody listens.
pub(crate) fn unreachable() -> DropboxAdapter {
    let nowhere = "http://127.0.0.1:1";
    let config = DropboxConfig::new(FOLDER, fixed("sl.x"));
    let config = config.with_endpoints(nowhere, nowhere, nowhere);
    config.with_connect_timeout(Duration::from_secs(1)).build().unwrap()
}
