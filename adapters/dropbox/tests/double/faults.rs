//! A line between client and Dropbox that loses, delays and garbles.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Adapter, Created, Effect, Key};
use db_to_cloud_dropbox::DropboxAdapter;
use db_to_cloud_test_doubles::Dropbox;
use db_to_cloud_test_servers::{Fault, FaultProxy, Faults, stories};

use crate::support::{config_at, open};

/// A double behind a proxy.
async fn behind(faults: &Faults) -> (Dropbox, FaultProxy) {
    let dropbox = Dropbox::start().await;
    let proxy = FaultProxy::start(dropbox.port(), faults.clone()).await.unwrap();
    (dropbox, proxy)
}

async fn nothing_is_lost(seed: u64, trouble: impl Fn(&Dropbox)) {
    let faults = Faults::random(seed, 60);
    let (dropbox, proxy) = behind(&faults).await;
    trouble(&dropbox);
    let config = config_at(&dropbox, &proxy.url()).with_request_timeout(Duration::from_secs(1));
    let storage = || Arc::new(open(&config)) as Arc<dyn Adapter>;
    stories::nothing_is_lost(&storage, &faults, seed).await;
}

/// All at once: most of the time they wait.
#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_lost_between_here_and_dropbox() {
    let plain = nothing_is_lost(1, |_| {});
    let slow = nothing_is_lost(2, |dropbox| {
        dropbox.set_batch_time(Duration::from_millis(50));
        dropbox.set_page_size(1);
    });
    let refusing = nothing_is_lost(3, |dropbox| dropbox.refuse_every_entry(7));
    futures::future::join3(plain, slow, refusing).await;
}

async fn troubled() -> (Dropbox, FaultProxy, Faults, DropboxAdapter) {
    let faults = Faults::default();
    let (dropbox, proxy) = behind(&faults).await;
    let config = config_at(&dropbox, &proxy.url()).with_request_timeout(Duration::from_secs(2));
    let storage = open(&config);
    (dropbox, proxy, faults, storage)
}

/// Whatever goes wrong with the request that decides: the answer is what is there, or an error after
/// which the effect is unknown.
#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_create_is_never_a_lie() {
    let (_dropbox, _proxy, faults, storage) = troubled().await;
    let upload = ("POST", "files/upload");
    for (fault, created) in
        stories::an_unclear_create_is_never_a_lie(&storage, &faults, 1, upload).await
    {
        match created {
            Ok(created) => assert_eq!(created, Created::New, "{fault:?}"),
            Err(error) => assert_eq!(error.effect(), Effect::Unknown, "{fault:?}: {error:?}"),
        }
    }
}

#[tokio::test]
async fn an_unclear_get_is_never_an_absence_nor_other_bytes() {
    let (_dropbox, _proxy, faults, storage) = troubled().await;
    let key = Key::change(1);
    let bytes = "x".repeat(100_000);
    storage.create(&key, bytes.clone().into()).await.unwrap();
    assert_eq!(storage.get(&key).await.unwrap().unwrap(), bytes);
    let (get, list) = (("POST", "files/download"), ("POST", "files/list_folder"));
    stories::an_unclear_read_is_never_a_lie(&storage, &faults, &key, get, list).await;
}

#[tokio::test]
async fn an_unclear_delete_is_never_done() {
    let (_dropbox, _proxy, faults, storage) = troubled().await;
    let key = Key::change(1);
    storage.create(&key, "x".into()).await.unwrap();
    let delete = ("POST", "files/delete");
    stories::an_unclear_delete_is_never_done(&storage, &faults, &key, delete).await;
}

/// Whatever goes wrong with any of the three requests: each answer is true, and a repetition stores
/// all.
#[tokio::test(flavor = "multi_thread")]
async fn an_unclear_batch_is_never_a_lie() {
    for route in ["start_batch", "append_batch", "finish_batch_v2"] {
        for fault in Fault::ALL {
            let (dropbox, _proxy, faults, storage) = troubled().await;
            let items: Vec<_> = (1..5).map(|n| (Key::change(n), "mine".into())).collect();
            faults.fail("POST", route, fault);
            let answers = storage.put_many(items.clone()).await;
            assert_eq!(answers.len(), 4);
            for ((key, _), answer) in items.iter().zip(answers) {
                match answer {
                    Ok(()) => assert!(storage.get(key).await.unwrap().is_some(), "{fault:?}"),
                    Err(error) => assert!(error.is_transient(), "{route} {fault:?}: {error:?}"),
                }
            }
            let again = storage.put_many(items).await;
            assert!(again.iter().all(Result::is_ok), "{route} {fault:?}: {again:?}");
            assert_eq!(dropbox.files(), 4);
        }
    }
}
