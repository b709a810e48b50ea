//! A proxy between client and Google that loses, delays and garbles, and Google's own refusals.

use std::time::Duration;

use db_to_cloud::{Adapter, Key};
use db_to_cloud_google_drive::{GoogleDriveAdapter, GoogleDriveConfig, Space};
use db_to_cloud_test_doubles::{Drive, drive};
use db_to_cloud_test_servers::{FaultProxy, Faults, stories};

use crate::support::{at, open, opener, token};

async fn behind_proxy(double: &Drive, faults: &Faults) -> (FaultProxy, GoogleDriveConfig) {
    let proxy = FaultProxy::start(double.port(), faults.clone()).await.unwrap();
    let config = at(&proxy.url(), Space::Visible, token(&double.token()));
    (proxy, config.with_request_timeout(Duration::from_secs(1)))
}

async fn nothing_is_lost(seed: u64) {
    let double = Drive::start().await;
    // Names never help, lists come late, and Google refuses now and then, also what it did.
    double.set_name_lag(Duration::from_secs(3600));
    double.set_list_lag(Duration::from_millis(300));
    let (before, after) = (drive::user_rate_limit(), drive::rate_limit());
    let own = vec![
        db_to_cloud_test_doubles::Fault::Answer(before),
        db_to_cloud_test_doubles::Fault::AnswerAfter(after),
    ];
    double.faults().random(seed, 4, own);
    let faults = Faults::random(seed, 60);
    let (_proxy, config) = behind_proxy(&double, &faults).await;
    let config = config.with_settle(Duration::from_secs(1));
    stories::nothing_is_lost(&opener(config), &faults, seed).await;
}

/// At once: most of the time they wait.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_here_and_google() {
    futures::future::join_all((1..=4).map(nothing_is_lost)).await;
}

async fn troubled() -> (Drive, FaultProxy, Faults, GoogleDriveAdapter) {
    let (double, faults) = (Drive::start().await, Faults::default());
    let (proxy, config) = behind_proxy(&double, &faults).await;
    (double, proxy, faults, open(&config))
}

/// Whatever goes wrong with the request that decides: the answer is what is there, or an error after
/// which the effect is unknown.
#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_create_is_never_a_lie() {
    let (_double, _proxy, faults, storage) = troubled().await;
    storage.create(&Key::change(1), "first".into()).await.unwrap();
    let upload = ("POST", "/upload/");
    stories::an_unclear_create_is_never_a_lie(&storage, &faults, 2, upload).await;
}

#[tokio::test]
async fn an_unclear_read_is_never_an_absence_nor_other_bytes() {
    let (_double, _proxy, faults, storage) = troubled().await;
    let (key, bytes) = (Key::change(1), "x".repeat(100_000));
    storage.create(&key, bytes.into()).await.unwrap();
    let (get, list) = (("GET", "alt=media"), ("GET", "q="));
    stories::an_unclear_read_is_never_a_lie(&storage, &faults, &key, get, list).await;
}

/// 404 is an absence only if Drive says it.
#[tokio::test]
async fn a_404_of_somebody_else_is_no_absence() {
    let (double, _proxy, _faults, storage) = troubled().await;
    storage.create(&Key::change(1), "x".into()).await.unwrap();
    let page = db_to_cloud_test_doubles::Answer::new(404, "text/html", "<html>not here</html>");
    let fault = db_to_cloud_test_doubles::Fault::Answer(page);
    double.faults().fail("files.media", "", fault);
    assert!(storage.get(&Key::change(1)).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn an_unclear_delete_is_never_done() {
    let (_double, _proxy, faults, storage) = troubled().await;
    let key = Key::parse("probe/a").unwrap();
    storage.put(&key, "x".into()).await.unwrap();
    let delete = ("DELETE", "/files/");
    stories::an_unclear_delete_is_never_done(&storage, &faults, &key, delete).await;
}
