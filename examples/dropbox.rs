//! Two devices sync through a folder of a Dropbox, which is made if it is missing.
//!
//! Create an app at <https://www.dropbox.com/developers/apps> ("App folder"), tick the permissions
//! `files.metadata.read`, `files.content.read` and `files.content.write`, generate an access token
//! (good for four hours), then:
//!
//! ```sh
//! DROPBOX_TOKEN=sl.… cargo run --example dropbox --features dropbox -- /notes
//! ```
//!
//! An application signs its users in instead: `adapters/oauth`.
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::env;
use std::sync::Arc;

use db_to_cloud::BoxError;
use db_to_cloud_dropbox::DropboxConfig;
use db_to_cloud_examples::two_devices_sync;
use db_to_cloud_oauth::{AccessToken, StaticToken};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let folder = env::args().nth(1).unwrap_or_else(|| "/notes".to_owned());
    let token = env::var("DROPBOX_TOKEN")?;
    story(DropboxConfig::new(folder, Arc::new(StaticToken(AccessToken::new(token))))).await
}

async fn story(config: DropboxConfig) -> Result<(), BoxError> {
    two_devices_sync(Arc::new(config.build()?)).await
}

#[cfg(test)]
mod tests {
    use db_to_cloud_test_doubles::Dropbox;

    use super::*;

    #[tokio::test]
    async fn it_runs_twice_on_one_folder() {
        let dropbox = Dropbox::start().await;
        let tokens = Arc::new(StaticToken(AccessToken::new(dropbox.token())));
        let config = DropboxConfig::new("/notes", tokens);
        let config = config.with_endpoints(dropbox.url(), dropbox.url(), dropbox.url());
        story(config.clone()).await.unwrap();
        story(config).await.unwrap();
    }
}
