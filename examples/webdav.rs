//! Two devices sync through a collection of a WebDAV server, which is made if it is missing.
//!
//! ```sh
//! pip install wsgidav cheroot
//! mkdir data; wsgidav --root ./data --host 127.0.0.1 --port 8080 --auth anonymous &
//! cargo run --example webdav --features webdav -- webdav://127.0.0.1:8080/notes
//! ```
//!
//! With a user, here at rclone; a Nextcloud is `webdavs://ada@host/remote.php/dav/files/ada/notes`:
//!
//! ```sh
//! rclone serve webdav ./data --addr 127.0.0.1:8080 --user ada --pass secret &
//! WEBDAV_PASSWORD=secret \
//!     cargo run --example webdav --features webdav -- webdav://ada@127.0.0.1:8080/notes
//! ```
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::env;
use std::sync::Arc;

use db_to_cloud::BoxError;
use db_to_cloud_examples::two_devices_sync;
use db_to_cloud_webdav::{Credentials, WebDavConfig};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let url = env::args().nth(1).unwrap_or_else(|| "webdav://127.0.0.1:8080/notes".to_owned());
    // A password never stands in a URL.
    story(&url, env::var("WEBDAV_PASSWORD").unwrap_or_default()).await
}

async fn story(url: &str, password: String) -> Result<(), BoxError> {
    let (config, user) = WebDavConfig::from_url(url)?;
    let config = match user {
        Some(user) => config.with_credentials(Credentials::password(user, password)),
        None => config,
    };
    let storage = config.build()?;
    println!("Log slots are made by {:?}.", storage.slots().await?);
    two_devices_sync(Arc::new(storage)).await
}

#[cfg(test)]
mod tests {
    use db_to_cloud_test_servers::{PASSWORD, Server, USER};

    use super::*;

    #[tokio::test]
    async fn it_runs_twice_on_each_server_of_the_header() {
        for server in [Server::wsgidav(), Server::rclone_webdav()] {
            let host = server.url().replace("http://", "");
            let url = format!("webdav://{USER}@{host}/notes");
            story(&url, PASSWORD.to_owned()).await.unwrap();
            story(&url, PASSWORD.to_owned()).await.unwrap();
        }
    }
}
