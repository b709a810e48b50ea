//! How many requests things cost, counted by a proxy.

use std::sync::Arc;

use db_to_cloud::{Adapter, Created, Key};
use db_to_cloud_test_servers::{Device, FaultProxy, Faults};
use db_to_cloud_webdav::Slots;

use crate::support::{apache, config_at, open};

/// The storage behind a proxy that only counts. Apache asks for Basic first: one request more.
async fn counted(slots: Option<Slots>) -> (FaultProxy, Faults, impl Fn() -> Arc<dyn Adapter>) {
    let faults = Faults::default();
    let proxy = FaultProxy::start(apache().port(), faults.clone()).await.unwrap();
    let config = config_at(apache(), &proxy.url());
    let config = slots.map_or(config.clone(), |slots| config.with_slots(slots));
    (proxy, faults, move || Arc::new(open(&config)) as Arc<dyn Adapter>)
}

#[tokio::test]
async fn a_create_is_four_requests() {
    for slots in [Slots::Move, Slots::Mkcol] {
        let (_proxy, faults, open) = counted(Some(slots)).await;
        let storage = open();
        // Makes the collections, and hears what the server asks for.
        storage.create(&Key::change(1), "x".into()).await.unwrap();
        let before = faults.counts().1;
        assert_eq!(storage.create(&Key::change(2), "x".into()).await.unwrap(), Created::New);
        assert_eq!(faults.counts().1 - before, 4, "{slots:?}");
    }
}

#[tokio::test]
async fn the_way_to_make_slots_is_looked_up_once() {
    let (_proxy, faults, open) = counted(None).await;
    open().create(&Key::change(1), "x".into()).await.unwrap();
    let (storage, before) = (open(), faults.counts().1);
    storage.create(&Key::change(2), "x".into()).await.unwrap();
    // What is asked for, where the marker is, and the four of the create.
    assert_eq!(faults.counts().1 - before, 6);
    let before = faults.counts().1;
    storage.create(&Key::change(3), "x".into()).await.unwrap();
    assert_eq!(faults.counts().1 - before, 4);
}

/// How a server makes slots is raced once in a storage, by the first device that writes; all others go by
/// the collection that it has made.
#[tokio::test(flavor = "multi_thread")]
async fn one_race_a_storage_and_none_for_the_second_device() {
    let (_proxy, faults, open) = counted(None).await;
    let (alice, bob) = (Device::new("alice", open()), Device::new("bob", open()));
    let of_wire = |before: usize| faults.counts().1 - before;

    alice.edit("first", "x").await;
    let before = faults.counts().1;
    alice.sync().await;
    let first = of_wire(before);
    println!("the first sync of a storage: {first} requests");
    // Of these 3 times 8 creators with 5 requests each, and a late one.
    assert!((120..200).contains(&first), "{first}");

    bob.edit("second", "y").await;
    let before = faults.counts().1;
    bob.sync().await;
    let second = of_wire(before);
    println!("the first sync of a second device: {second} requests");
    // The server's question, hint, log, document, the marker, and the four of the commit.
    assert!(second <= 15, "{second}");
    assert_eq!(bob.client.status().await.unwrap().remaining_risk, None);
}

/// The budgets of the protocol, in requests on the wire.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_keeps_the_budgets_of_the_protocol() {
    let (_proxy, faults, open) = counted(None).await;
    let (alice, bob) = (Device::new("alice", open()), Device::new("bob", open()));
    alice.edit("first", "x").await;
    alice.sync().await;
    bob.sync().await;
    let of_wire = |before: usize| faults.counts().1 - before;

    let before = faults.counts().1;
    alice.sync().await;
    assert_eq!(of_wire(before), 2, "an idle sync: the anchor and the slot after it");

    for i in 0..100 {
        alice.edit(&format!("note {i}"), "small").await;
    }
    let before = faults.counts().1;
    assert_eq!(alice.sync().await.pushed, 100);
    assert_eq!(of_wire(before), 100 + 2 + 4, "a push of 100");

    let before = faults.counts().1;
    assert_eq!(bob.sync().await.pulled, 100);
    assert_eq!(of_wire(before), 3, "a pull of one commit of small documents");
}
