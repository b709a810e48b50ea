//! Two devices sync through a folder of Google Drive, which is made if it is missing.
//!
//! Sign in with a client of your own (type "Desktop app") by `db-to-cloud login google-drive`, or take an
//! access token with the scope `drive.file` from Google's OAuth playground:
//!
//! ```sh
//! GOOGLE_DRIVE_TOKEN=ya29... \
//!     cargo run --example google_drive --features google-drive -- "Apps/db-to-cloud example"
//! ```
#![allow(clippy::print_stdout, reason = "an example talks")]

use std::env;
use std::sync::Arc;

use db_to_cloud::BoxError;
use db_to_cloud_examples::two_devices_sync;
use db_to_cloud_google_drive::GoogleDriveConfig;
use db_to_cloud_oauth::{AccessToken, StaticToken};

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let path = env::args().nth(1).unwrap_or_else(|| "Apps/db-to-cloud example".to_owned());
    let token = env::var("GOOGLE_DRIVE_TOKEN")?;
    // An application has a provider that renews its tokens: `db_to_cloud_oauth`.
    let tokens = Arc::new(StaticToken(AccessToken::new(token)));
    story(GoogleDriveConfig::visible(path, tokens)).await
}

async fn story(config: GoogleDriveConfig) -> Result<(), BoxError> {
    println!("The first write into a new storage waits some seconds for other devices.");
    two_devices_sync(Arc::new(config.build()?)).await
}

#[cfg(test)]
mod tests {
    use db_to_cloud_test_doubles::Drive;

    use super::*;

    #[tokio::test]
    async fn it_runs_twice_on_the_double() {
        let double = Drive::start().await;
        let tokens = Arc::new(StaticToken(AccessToken::new(double.token())));
        let config = GoogleDriveConfig::visible("Apps/example", tokens);
        let config = config.with_root_url(double.url()).with_settle(std::time::Duration::ZERO);
        story(config.clone()).await.unwrap();
        story(config).await.unwrap();
    }
}
