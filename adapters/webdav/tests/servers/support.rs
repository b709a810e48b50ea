//! Servers that the tests share, and storages of their own.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use db_to_cloud_test_servers::{PASSWORD, Server, USER};
use db_to_cloud_webdav::{Credentials, WebDavAdapter, WebDavConfig};

/// Each server is started once, by the first test that needs it, and ends with the process.
macro_rules! shared {
    ($($name:ident = $start:expr;)*) => {$(
        pub(crate) fn $name() -> &'static Server {
            static SERVER: OnceLock<Server> = OnceLock::new();
            SERVER.get_or_init($start)
        }
    )*};
}

shared! {
    apache = Server::apache;
    apache_with_digest = Server::apache_with_digest;
    nginx = Server::nginx;
    lighttpd = Server::lighttpd;
    wsgidav = Server::wsgidav;
    sabre = Server::sabre;
    sabre_as_cloud = Server::sabre_as_cloud;
    rclone = Server::rclone_webdav;
}

pub(crate) fn credentials() -> Credentials {
    Credentials::password(USER, PASSWORD)
}

/// A storage in a collection of its own that is not there yet, with two names to make.
pub(crate) fn config(server: &Server) -> WebDavConfig {
    config_at(server, &server.url())
}

/// The same behind another address, such as a proxy's.
pub(crate) fn config_at(server: &Server, url: &str) -> WebDavConfig {
    static STORAGES: AtomicU32 = AtomicU32::new(0);
    let base = match server.name() {
        "sabre/dav as a cloud" => "/remote.php/dav/files/ada",
        _ => "",
    };
    let n = STORAGES.fetch_add(1, Ordering::SeqCst);
    WebDavConfig::new(format!("{url}{base}/apps {n}/my notes")).with_credentials(credentials())
}

pub(crate) fn open(config: &WebDavConfig) -> WebDavAdapter {
    config.clone().build().unwrap()
}

/// The same storage at a port where nobody listens.
pub(crate) fn unreachable() -> WebDavAdapter {
    let nowhere = WebDavConfig::new("http://127.0.0.1:1/notes").with_credentials(credentials());
    nowhere.with_connect_timeout(Duration::from_secs(1)).build().unwrap()
}
