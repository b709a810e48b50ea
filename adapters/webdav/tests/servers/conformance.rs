//! What each server makes of the promises of an adapter.

use std::sync::Arc;

use db_to_cloud_conformance::{Options, run_with};
use db_to_cloud_test_servers::Server;
use db_to_cloud_webdav::Slots;

use crate::support::{
    apache, apache_with_digest, config, lighttpd, nginx, open, rclone, sabre, sabre_as_cloud,
    unreachable, wsgidav,
};

/// `found` is the way to make slots that the probe must find; `flaws` are what the server, not the
/// adapter, does wrong.
async fn conforms(server: &Server, found: Slots, options: Options, flaws: &[&str]) {
    let config = config(server);
    let storage = open(&config);
    assert_eq!(storage.slots().await.unwrap(), found);
    let options =
        options.with_other(Arc::new(open(&config))).with_unreachable(Arc::new(unreachable()));
    // Its collection is not there.
    let options = options.with_empty(Arc::new(open(&self::config(server))));
    let outcome = run_with(Arc::new(storage), options).await;
    let failed = outcome.failed();
    assert!(failed.iter().all(|case| flaws.contains(case)), "{failed:?}\n{outcome}");
    assert_eq!(outcome.skipped(), [""; 0]);
}

/// Servers in scripting languages are slow, and no better when they are asked more often.
fn small() -> Options {
    Options::new().with_listed_keys(300).with_creators(16, 4).with_large_object(4 * 1024 * 1024)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn apache_conforms() {
    conforms(apache(), Slots::Move, Options::new().with_listed_keys(1200), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn apache_with_digest_conforms() {
    conforms(apache_with_digest(), Slots::Move, small(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nginx_conforms() {
    conforms(nginx(), Slots::Move, Options::new().with_listed_keys(1200), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn lighttpd_conforms() {
    conforms(lighttpd(), Slots::Move, Options::new().with_listed_keys(1200), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn wsgidav_conforms() {
    conforms(wsgidav(), Slots::Move, small(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sabre_conforms() {
    conforms(sabre(), Slots::Move, small(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn sabre_as_a_cloud_conforms() {
    conforms(sabre_as_cloud(), Slots::Mkcol, small(), &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn rclone_conforms() {
    conforms(rclone(), Slots::Move, small(), &[]).await;
}
