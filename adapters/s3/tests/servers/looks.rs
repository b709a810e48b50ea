//! The start of an object, and the names of what lies around.

use db_to_cloud::{Adapter, Folder, Key};
use db_to_cloud_s3::S3Config;
use db_to_cloud_test_servers::{FaultProxy, Faults};

use crate::support::{localstack, minio, moto, new_bucket, open};

/// An object at the top of the storage with this prefix.
async fn put(config: &S3Config, prefix: &str) {
    let storage = open(&config.clone().with_prefix(prefix));
    storage.put(&Key::metadata(), "{}".into()).await.unwrap();
}

async fn names(config: &S3Config, prefix: &str, folder: Option<Folder>) -> Vec<String> {
    let mut names = open(&config.clone().with_prefix(prefix)).names(folder, 100).await.unwrap();
    names.sort();
    names
}

/// What others keep in the bucket is seen from the storage around it, and from no other.
#[tokio::test]
async fn names_are_those_below_the_prefix() {
    for server in [minio(), localstack(), moto()] {
        let config = new_bucket(server).await;
        for prefix in ["apps/notes", "apps/notes/My Photos", "apps/notes/docs/Ümläute & more"] {
            put(&config, prefix).await;
        }
        assert_eq!(names(&config, "apps/notes", None).await, ["My Photos/", "docs/", "meta.json"]);
        let documents = names(&config, "apps/notes", Some(Folder::Documents)).await;
        assert_eq!(documents, ["Ümläute & more/"]);
        assert_eq!(names(&config, "apps/notes", Some(Folder::Changes)).await, [""; 0]);
        assert_eq!(names(&config, "apps", None).await, ["notes/"]);
        assert_eq!(names(&config, "", None).await, ["apps/"]);
        assert_eq!(names(&config, "apps/no", None).await, [""; 0]);
    }
}

#[tokio::test]
async fn a_look_is_one_request() {
    let config = new_bucket(minio()).await;
    put(&config, "apps/notes").await;
    let faults = Faults::default();
    let proxy = FaultProxy::start(minio().port(), faults.clone()).await.unwrap();
    let storage = open(&config.with_endpoint(proxy.url()));
    storage.get_start(&Key::metadata(), 1).await.unwrap();
    assert_eq!(faults.counts().1, 1);
    storage.get_start(&Key::change(1), 4096).await.unwrap();
    assert_eq!(faults.counts().1, 2);
    storage.names(None, 10).await.unwrap();
    assert_eq!(faults.counts().1, 3);
    storage.names(None, 1).await.unwrap();
    assert_eq!(faults.counts().1, 4);
    storage.names(Some(Folder::Changes), 10).await.unwrap();
    assert_eq!(faults.counts().1, 5);
}
