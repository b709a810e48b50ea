//! A proxy between client and server that loses, delays and garbles.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Adapter, Key};
use db_to_cloud_test_servers::{FaultProxy, Faults, Server, stories};
use db_to_cloud_webdav::{Slots, WebDavAdapter};

use crate::support::{
    apache, config_at, lighttpd, nginx, open, rclone, sabre, sabre_as_cloud, wsgidav,
};

async fn nothing_is_lost(server: &Server, slots: Option<Slots>, seed: u64) {
    let faults = Faults::random(seed, 60);
    let proxy = FaultProxy::start(server.port(), faults.clone()).await.unwrap();
    let config = config_at(server, &proxy.url()).with_request_timeout(Duration::from_secs(1));
    let config = match slots {
        Some(slots) => config.with_slots(slots),
        None => config,
    };
    println!("{}", server.name());
    let storage = || Arc::new(open(&config)) as Arc<dyn Adapter>;
    stories::nothing_is_lost(&storage, &faults, seed).await;
    // Not even while requests fail is a server taken for a worse one.
    let best = if server.name() == "sabre/dav as a cloud" { Slots::Mkcol } else { Slots::Move };
    let found = open(&config).slots().await.unwrap();
    assert_eq!(found, slots.unwrap_or(best), "{}", server.name());
}

/// All at once: most of the time they wait.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_here_and_the_servers() {
    let servers = [apache(), nginx(), lighttpd(), wsgidav(), sabre(), sabre_as_cloud(), rclone()];
    let stories = (1..).zip(servers).map(|(seed, server)| nothing_is_lost(server, None, seed));
    futures::future::join_all(stories).await;
}

/// A client that stops with a lock keeps it for a minute.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_with_locks() {
    nothing_is_lost(apache(), Some(Slots::Lock), 8).await;
}

/// A storage behind a proxy, and the proxy's faults.
async fn troubled(server: &Server, slots: Slots) -> (FaultProxy, Faults, WebDavAdapter) {
    let faults = Faults::default();
    let proxy = FaultProxy::start(server.port(), faults.clone()).await.unwrap();
    let config = config_at(server, &proxy.url()).with_slots(slots);
    let storage = open(&config.with_request_timeout(Duration::from_secs(2)));
    (proxy, faults, storage)
}

/// Whatever goes wrong with the request that decides: the answer is what is there, or an error after
/// which the effect is unknown.
async fn an_unclear_create_is_never_a_lie(server: &Server, slots: Slots, method: &str) {
    let (_proxy, faults, storage) = troubled(server, slots).await;
    let deciding = (method, "/changes/");
    stories::an_unclear_create_is_never_a_lie(&storage, &faults, 1, deciding).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_move_is_never_a_lie() {
    an_unclear_create_is_never_a_lie(apache(), Slots::Move, "MOVE").await;
    an_unclear_create_is_never_a_lie(sabre(), Slots::Move, "MOVE").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_read_back_is_never_a_lie() {
    an_unclear_create_is_never_a_lie(nginx(), Slots::Move, "GET").await;
    an_unclear_create_is_never_a_lie(lighttpd(), Slots::Move, "PUT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_lock_is_never_a_lie() {
    an_unclear_create_is_never_a_lie(apache(), Slots::Lock, "PUT").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_publication_is_never_a_lie() {
    an_unclear_create_is_never_a_lie(sabre_as_cloud(), Slots::Mkcol, "MOVE").await;
}

#[tokio::test]
async fn an_unclear_get_is_never_an_absence_nor_other_bytes() {
    let (_proxy, faults, storage) = troubled(apache(), Slots::Move).await;
    let key = Key::change(1);
    let bytes = "x".repeat(100_000);
    storage.create(&key, bytes.clone().into()).await.unwrap();
    assert_eq!(storage.get(&key).await.unwrap().unwrap(), bytes);
    let (get, list) = (("GET", "/changes/"), ("PROPFIND", "/changes/"));
    stories::an_unclear_read_is_never_a_lie(&storage, &faults, &key, get, list).await;
}

#[tokio::test]
async fn an_unclear_delete_is_never_done() {
    let (_proxy, faults, storage) = troubled(nginx(), Slots::Move).await;
    let key = Key::change(1);
    storage.create(&key, "x".into()).await.unwrap();
    let delete = ("DELETE", "/changes/");
    stories::an_unclear_delete_is_never_done(&storage, &faults, &key, delete).await;
}
