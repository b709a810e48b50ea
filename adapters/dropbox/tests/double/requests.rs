//! How many requests things cost, counted by the double.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use db_to_cloud::{Adapter, Created, Folder, Key};
use db_to_cloud_test_doubles::Dropbox;
use db_to_cloud_test_servers::Device;

use crate::support::shared;

/// What was asked since the last time.
fn asked(dropbox: &Dropbox) -> BTreeMap<String, usize> {
    let asked = dropbox.requests().by_route();
    dropbox.requests().forget();
    asked
}

fn routes<const N: usize>(routes: [(&str, usize); N]) -> BTreeMap<String, usize> {
    routes.into_iter().map(|(route, n)| (route.to_owned(), n)).collect()
}

fn items(n: usize) -> Vec<(Key, Bytes)> {
    let item = |i| (Folder::Documents.key(&format!("x{i}")).unwrap(), Bytes::from(format!("{i}")));
    (0..n).map(item).collect()
}

async fn put(storage: &Arc<dyn Adapter>, n: usize) {
    let answers = storage.put_many(items(n)).await;
    assert!(answers.len() == n && answers.iter().all(Result::is_ok), "{answers:?}");
}

#[tokio::test]
async fn one_object_is_one_request() {
    let dropbox = Dropbox::start().await;
    let storage = shared(&dropbox);
    let key = Key::change(1);
    assert_eq!(storage.create(&key, "x".into()).await.unwrap(), Created::New);
    assert_eq!(storage.create(&key, "x".into()).await.unwrap(), Created::Occupied);
    storage.put(&Key::metadata(), "x".into()).await.unwrap();
    assert_eq!(asked(&dropbox), routes([("files/upload", 3)]));
    storage.get(&key).await.unwrap().unwrap();
    assert_eq!(storage.get(&Key::change(2)).await.unwrap(), None);
    assert_eq!(asked(&dropbox), routes([("files/download", 2)]));
    storage.delete(&key).await.unwrap();
    assert_eq!(asked(&dropbox), routes([("files/delete_v2", 1)]));
}

#[tokio::test]
async fn a_thousand_objects_are_four_requests() {
    let dropbox = Dropbox::start().await;
    let storage = shared(&dropbox);
    put(&storage, 2).await;
    assert_eq!(asked(&dropbox), routes([("files/upload", 2)]));
    let batches = |batches, appends| {
        routes([
            ("files/upload_session/start_batch", batches),
            ("files/upload_session/append_batch", appends),
            ("files/upload_session/finish_batch_v2", batches),
        ])
    };
    for (n, expected) in [
        (3, batches(1, 1)),
        (500, batches(1, 1)),
        (501, batches(1, 2)),
        (1000, batches(1, 2)),
        (1003, batches(2, 3)),
    ] {
        put(&storage, n).await;
        assert_eq!(asked(&dropbox), expected, "{n} objects");
    }

    assert_eq!(storage.list(Folder::Documents, None).await.unwrap().keys.len(), 1003);
    assert_eq!(asked(&dropbox), routes([("files/list_folder", 1)]));

    let keys: Vec<_> = items(1000).into_iter().map(|(key, _)| key).collect();
    assert!(storage.delete_many(&keys[..2]).await.iter().all(Result::is_ok));
    assert_eq!(asked(&dropbox), routes([("files/delete_v2", 2)]));
    assert!(storage.delete_many(&keys).await.iter().all(Result::is_ok));
    let deleted = asked(&dropbox);
    assert_eq!(deleted["files/delete_batch"], 1);
    assert!(deleted["files/delete_batch/check"] <= 3 && deleted.len() == 2, "{deleted:?}");
    assert_eq!(dropbox.files(), 3);
}

/// The table of the protocol, in requests on the wire.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_keeps_the_budgets_of_the_protocol() {
    let dropbox = Dropbox::start().await;
    let (alice, bob) =
        (Device::new("alice", shared(&dropbox)), Device::new("bob", shared(&dropbox)));
    alice.edit("first", "x").await;
    alice.sync().await;
    bob.sync().await;
    let total = |dropbox: &Dropbox| asked(dropbox).values().sum::<usize>();

    asked(&dropbox);
    alice.sync().await;
    assert_eq!(total(&dropbox), 2, "an idle sync: the anchor and the slot after it");

    alice.edit("second", "x").await;
    assert_eq!(alice.sync().await.pushed, 1);
    assert_eq!(total(&dropbox), 4, "a push of one: two reads, the document, the commit");
    bob.sync().await;
    assert_eq!(total(&dropbox), 3, "a pull of it");

    for i in 0..100 {
        alice.edit(&format!("note {i}"), "small").await;
    }
    assert_eq!(alice.sync().await.pushed, 100);
    assert_eq!(total(&dropbox), 6, "a push of 100: two reads, one batch, the commit");
    assert_eq!(bob.sync().await.pulled, 100);
    assert_eq!(total(&dropbox), 3, "a pull of one commit of small documents");

    for i in 0..20 {
        alice.edit(&format!("large {i}"), &"x".repeat(10_000)).await;
    }
    assert_eq!(alice.sync().await.pushed, 20);
    assert_eq!(total(&dropbox), 6, "a push of 20 larger documents");
    assert_eq!(bob.sync().await.pulled, 20);
    assert_eq!(total(&dropbox), 3 + 20, "a pull of larger documents");
}

/// Of each device: three races of 8, who comes late, a look and a delete.
#[tokio::test(flavor = "multi_thread")]
async fn the_first_push_of_a_device_races_too() {
    let dropbox = Dropbox::start().await;
    for (name, others) in [("alice", 0), ("bob", 1)] {
        let device = Device::new(name, shared(&dropbox));
        device.edit(name, "x").await;
        device.sync().await;
        let asked = asked(&dropbox);
        println!("{name}: {asked:?}");
        assert_eq!(asked["files/delete_v2"], 3, "{asked:?}");
        let beside = asked.values().sum::<usize>() - 3 * (8 + 1 + 1 + 1);
        assert!(beside <= 5 + others, "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_small_documents_are_pushed_in_at_most_eight_requests() {
    let dropbox = Dropbox::start().await;
    let alice = Device::new("alice", shared(&dropbox));
    alice.edit("first", "x").await;
    alice.sync().await;
    for i in 0..1000 {
        alice.edit(&format!("note {i}"), &"small ".repeat(50)).await;
    }
    asked(&dropbox);
    assert_eq!(alice.sync().await.pushed, 1000);
    let asked = asked(&dropbox);
    println!("{asked:?}");
    assert!(asked.values().sum::<usize>() <= 8, "{asked:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_documents_are_pushed_and_pulled_in_few_requests() {
    let dropbox = Dropbox::start().await;
    let alice = Device::new("alice", shared(&dropbox));
    alice.edit("first", "x").await;
    alice.sync().await;
    for i in 0..10_000 {
        alice.edit(&format!("note {i}"), "small").await;
    }
    asked(&dropbox);
    assert_eq!(alice.sync().await.pushed, 10_000);
    let pushed = asked(&dropbox);
    println!("pushed by {pushed:?}");
    // 40 for the documents, 20 commits, and a snapshot of them.
    assert!(pushed.values().sum::<usize>() <= 100, "{pushed:?}");
    let bob = Device::new("bob", shared(&dropbox));
    assert_eq!(bob.sync().await.pulled, 10_001);
    let pulled = asked(&dropbox);
    println!("pulled by {pulled:?}");
    assert!(pulled.values().sum::<usize>() <= 40, "{pulled:?}");
}
