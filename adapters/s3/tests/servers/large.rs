//! Large documents go in parts, many deletes in batches.

use db_to_cloud::{Adapter, Document, DocumentId, Folder, Key, VersionId};
use db_to_cloud_s3::S3Adapter;
use db_to_cloud_test_servers::{Fault, FaultProxy, Faults, Server};

use crate::support::{localstack, minio, new_bucket, open};

const MIB: usize = 1024 * 1024;

fn key(n: u128) -> Key {
    Key::document(&DocumentId::from("large"), VersionId::from(n))
}

/// No two parts are alike.
fn content(length: usize) -> bytes::Bytes {
    (0..length).map(|i| (i / MIB * 7 + i % 251) as u8).collect::<Vec<_>>().into()
}

async fn goes_in_parts(server: &Server) {
    let faults = Faults::default();
    let proxy = FaultProxy::start(server.port(), faults.clone()).await.unwrap();
    let config = new_bucket(server).await.with_part_size(5 * MIB);
    let storage = open(&config.with_endpoint(proxy.url()));
    for (n, length) in [(1, 5 * MIB), (2, 5 * MIB + 1), (3, 12 * MIB), (4, 15 * MIB)] {
        let document = Document::of_content(content(length));
        let before = faults.counts().1;
        storage.put(&key(n), document.bytes.clone()).await.unwrap();
        let requests = faults.counts().1 - before;
        let parts = length.div_ceil(5 * MIB);
        assert_eq!(requests, if parts == 1 { 1 } else { parts + 2 }, "{length}");
        assert_eq!(storage.get(&key(n)).await.unwrap().unwrap(), document.bytes);
    }
    a_part_that_fails_leaves_nothing(&storage, &faults).await;
}

async fn a_part_that_fails_leaves_nothing(storage: &S3Adapter, faults: &Faults) {
    for (method, path) in [("PUT", "partNumber=2"), ("POST", "uploadId=")] {
        faults.fail(method, path, Fault::FailBefore);
        let error = storage.put(&key(9), content(11 * MIB)).await.unwrap_err();
        assert!(error.is_transient(), "{error}");
        assert_eq!(storage.get(&key(9)).await.unwrap(), None);
    }
    storage.put(&key(9), content(11 * MIB)).await.unwrap();
    assert_eq!(storage.get(&key(9)).await.unwrap().unwrap(), content(11 * MIB));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_document_goes_to_minio_in_parts() {
    goes_in_parts(minio()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_document_goes_to_localstack_in_parts() {
    goes_in_parts(localstack()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_are_deleted_in_few_requests() {
    let faults = Faults::default();
    let proxy = FaultProxy::start(minio().port(), faults.clone()).await.unwrap();
    let config = new_bucket(minio()).await;
    let storage = open(&config.with_endpoint(proxy.url()));
    let keys: Vec<_> = (0..1500).map(key).collect();
    let items = keys.iter().take(60).map(|key| (key.clone(), "x".into())).collect();
    storage.put_many(items).await.into_iter().for_each(|answer| answer.unwrap());
    let before = faults.counts().1;
    // Most do not exist: they are deleted already.
    storage.delete_many(&keys).await.into_iter().for_each(|answer| answer.unwrap());
    assert_eq!(faults.counts().1 - before, 2);
    assert!(storage.list(Folder::Documents, None).await.unwrap().keys.is_empty());
}
