//! What goes wrong with real servers, and what the errors say.

use std::time::Duration;

use db_to_cloud::{Adapter, Created, Effect, Error, ErrorKind, Folder, Key};
use db_to_cloud_s3::{Credentials, S3Adapter};
use db_to_cloud_test_servers::{Fault, FaultProxy, Faults, KEY_ID, stories};

use crate::support::{config, localstack, minio, new_bucket, open, unreachable};

/// Every method fails so.
async fn fails(storage: &S3Adapter, kind: ErrorKind, advice: &str) {
    let (key, bytes) = (Key::change(1), "x");
    let errors: Vec<Error> = vec![
        storage.get(&key).await.unwrap_err(),
        storage.put(&key, bytes.into()).await.unwrap_err(),
        storage.create(&key, bytes.into()).await.unwrap_err(),
        storage.delete(&key).await.unwrap_err(),
        storage.list(Folder::Changes, None).await.unwrap_err(),
        storage.get_start(&key, 10).await.unwrap_err(),
        storage.names(Some(Folder::Changes), 10).await.unwrap_err(),
        storage.names(None, 10).await.unwrap_err(),
        storage.get_many(std::slice::from_ref(&key)).await.remove(0).unwrap_err(),
        storage.put_many(vec![(key.clone(), bytes.into())]).await.remove(0).unwrap_err(),
        storage.delete_many(&[key]).await.remove(0).unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!format!("{error:?}").contains("hunter2"), "{error:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_told_and_not_shown() {
    let config = new_bucket(minio()).await;
    for (key_id, secret) in [(KEY_ID, "hunter2-hunter2"), ("nobody", "hunter2-hunter2")] {
        let wrong = config.clone().with_credentials(Credentials::explicit(key_id, secret));
        fails(&open(&wrong), ErrorKind::Unauthorized, "check the access key id").await;
    }
}

#[tokio::test]
async fn a_missing_bucket_is_an_error_not_an_empty_storage() {
    for server in [minio(), localstack()] {
        let missing = open(&config(server));
        fails(&missing, ErrorKind::InvalidInput, "no such bucket: create it").await;
        assert!(missing.create_bucket_if_missing().await.unwrap());
        assert!(!missing.create_bucket_if_missing().await.unwrap());
        assert_eq!(missing.get(&Key::change(1)).await.unwrap(), None);
    }
}

#[tokio::test]
async fn a_wrong_region_is_told() {
    let config = new_bucket(minio()).await.with_region("eu-central-1");
    fails(&open(&config), ErrorKind::InvalidInput, "wrong region").await;
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    let away = unreachable(&config(minio()));
    fails(&away, ErrorKind::Unavailable, "check the network").await;
}

#[tokio::test]
async fn https_where_http_is_spoken_is_told() {
    let url = minio().url().replace("http://", "https://");
    fails(
        &open(&config(minio()).with_endpoint(url)),
        ErrorKind::Unavailable,
        "no secure connection",
    )
    .await;
}

#[tokio::test]
async fn a_name_that_no_server_has_is_unavailable() {
    let config = config(minio()).with_endpoint("http://no-such-host.invalid");
    fails(&open(&config), ErrorKind::Unavailable, "check the network").await;
}

/// A storage behind a proxy, and the proxy's faults.
async fn troubled() -> (FaultProxy, Faults, S3Adapter) {
    let faults = Faults::default();
    let config = new_bucket(minio()).await;
    let proxy = FaultProxy::start(minio().port(), faults.clone()).await.unwrap();
    let config = config.with_endpoint(proxy.url()).with_request_timeout(Duration::from_secs(2));
    (proxy, faults, open(&config))
}

#[tokio::test]
async fn an_unclear_create_is_never_new_nor_occupied() {
    let (_proxy, faults, storage) = troubled().await;
    let unclear = [
        (Fault::DropBefore, false),
        (Fault::DropAfter, true),
        (Fault::HangBefore, false),
        (Fault::HangAfter, true),
        (Fault::FailBefore, false),
        (Fault::FailAfter, true),
        (Fault::SlowDown, false),
        (Fault::Conflict, false),
        (Fault::Portal, false),
    ];
    for (slot, (fault, stored)) in (1..).zip(unclear) {
        let key = Key::change(slot);
        faults.fail("PUT", "/changes/", fault);
        let error = storage.create(&key, "mine".into()).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{fault:?}: {error:?}");
        assert!(error.is_transient(), "{fault:?}: {error:?}");
        assert_eq!(storage.get(&key).await.unwrap().is_some(), stored, "{fault:?}");
        let again = storage.create(&key, "mine".into()).await.unwrap();
        assert_eq!(again == Created::Occupied, stored, "{fault:?}");
        assert_eq!(storage.get(&key).await.unwrap().unwrap(), "mine");
    }
}

#[tokio::test]
async fn an_unclear_get_is_never_an_absence_nor_other_bytes() {
    let (_proxy, faults, storage) = troubled().await;
    let key = Key::change(1);
    let bytes = "x".repeat(100_000);
    storage.put(&key, bytes.clone().into()).await.unwrap();
    assert_eq!(storage.get(&key).await.unwrap().unwrap(), bytes);
    let (get, list) = (("GET", "/changes/"), ("GET", "list-type"));
    stories::an_unclear_read_is_never_a_lie(&storage, &faults, &key, get, list).await;
}

#[tokio::test]
async fn an_unclear_delete_is_never_done() {
    let (_proxy, faults, storage) = troubled().await;
    let key = Key::change(1);
    storage.put(&key, "x".into()).await.unwrap();
    for fault in [Fault::Portal, Fault::DropBefore, Fault::FailBefore, Fault::SlowDown] {
        faults.fail("DELETE", "/changes/", fault);
        assert!(storage.delete(&key).await.unwrap_err().is_transient(), "{fault:?}");
        faults.fail("POST", "delete", fault);
        let answer = storage.delete_many(std::slice::from_ref(&key)).await.remove(0);
        assert!(answer.unwrap_err().is_transient(), "{fault:?}");
        assert!(storage.get(&key).await.unwrap().is_some());
    }
}
