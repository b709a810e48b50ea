//! The same tests at the real Dropbox, with an access token of the user's. They use a folder of their
//! own, which they leave empty.

use std::sync::Arc;

use db_to_cloud::Adapter;
use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_dropbox::DropboxConfig;
use db_to_cloud_test_doubles::Dropbox;
use db_to_cloud_test_servers::{Device, stories};

use crate::support::{config, fixed, open, unreachable};

/// Without the variables a double stands in.
async fn endpoint() -> (Option<Dropbox>, DropboxConfig) {
    let variable = |name| std::env::var(name).ok();
    if let (Some(folder), Some(token)) =
        (variable("DB_TO_CLOUD_DROPBOX_FOLDER"), variable("DROPBOX_TOKEN"))
    {
        let folder = format!("{}/test-{}", folder.trim_end_matches('/'), std::process::id());
        return (None, DropboxConfig::new(folder, fixed(&token)));
    }
    let dropbox = Dropbox::start().await;
    let config = config(&dropbox);
    (Some(dropbox), config)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
#[ignore = "needs a token in DROPBOX_TOKEN; the double has tests of its own"]
async fn the_endpoint_conforms() {
    let (_double, config) = endpoint().await;
    let options = Options::new()
        .with_listed_keys(300)
        .with_creators(16, 4)
        .with_other(Arc::new(open(&config)))
        .with_unreachable(Arc::new(unreachable()));
    run_with(Arc::new(open(&config)), options).await.assert_passed();
}

#[tokio::test(flavor = "multi_thread")]
async fn two_devices_sync_at_the_endpoint() {
    let (_double, config) = endpoint().await;
    stories::two_devices_sync(&|| Arc::new(open(&config)) as Arc<dyn Adapter>).await;
}

/// What is only measured at a double: that a batch of a thousand is taken in one request.
#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_documents_are_pushed_at_the_endpoint() {
    let (_double, config) = endpoint().await;
    let [alice, bob] = ["alice", "bob"].map(|name| Device::new(name, Arc::new(open(&config))));
    for i in 0..1000 {
        alice.edit(&format!("note {i}"), "small").await;
    }
    assert_eq!(alice.sync().await.pushed, 1000);
    assert_eq!(bob.sync().await.pulled, 1000);
    assert_eq!(alice.all(), bob.all());
}
