//! The same tests at a server of the user's: Nextcloud, ownCloud, a NAS. They use a collection of
//! their own, `test-…`, which stays.

use std::sync::Arc;

use db_to_cloud::Adapter;
use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_test_servers::stories;
use db_to_cloud_webdav::{Credentials, WebDavConfig};

use crate::support::{apache, open, unreachable};

/// Without the variable Apache stands in.
fn config() -> WebDavConfig {
    let variable = |name| std::env::var(name).ok();
    match (variable("DB_TO_CLOUD_WEBDAV_URL"), variable("WEBDAV_PASSWORD")) {
        (Some(url), Some(password)) => {
            let name = format!("{}/test-{}", url.trim_end_matches('/'), std::process::id());
            let (config, user) = WebDavConfig::from_url(&name).unwrap();
            config.with_credentials(Credentials::password(user.unwrap_or_default(), password))
        }
        _ => crate::support::config(apache()),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a server in DB_TO_CLOUD_WEBDAV_URL; others have tests of their own"]
async fn the_endpoint_conforms() {
    let config = config();
    let options = Options::new()
        .with_listed_keys(300)
        .with_other(Arc::new(open(&config)))
        .with_unreachable(Arc::new(unreachable()));
    run_with(Arc::new(open(&config)), options).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_at_the_endpoint() {
    let config = config();
    stories::two_devices_sync(&|| Arc::new(open(&config)) as Arc<dyn Adapter>).await;
}
