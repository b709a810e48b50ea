//! The names of what lies around.

use db_to_cloud::{Adapter, Folder, Key};
use db_to_cloud_google_drive::{GoogleDriveAdapter, GoogleDriveConfig};
use db_to_cloud_test_doubles::Drive;

use crate::support::{config, open, token};

fn at(double: &Drive, path: &str) -> GoogleDriveAdapter {
    let config = GoogleDriveConfig::visible(path, token(&double.token()));
    open(&config.with_root_url(double.url()).with_settle(std::time::Duration::ZERO))
}

async fn names(storage: &impl Adapter, folder: Option<Folder>) -> Vec<String> {
    let mut names = storage.names(folder, 100).await.unwrap();
    names.sort();
    names
}

/// The folder that a storage would be made in holds something else, also under our names.
#[tokio::test]
async fn a_look_before_the_first_write_sees_what_others_have_and_makes_nothing() {
    let double = Drive::start().await;
    for path in ["Apps/my notes/My Photos", "Apps/my notes/docs"] {
        let other = at(&double, path);
        other.put(&Key::parse("letter.odt").unwrap(), "x".into()).await.unwrap();
    }
    double.requests().forget();
    let storage = open(&config(&double));
    assert_eq!(names(&storage, None).await, ["My Photos/", "docs/"]);
    let documents = names(&storage, Some(Folder::Documents)).await;
    assert_eq!(documents, ["db-to-cloud.json", "letter.odt"]);
    assert_eq!(names(&storage, Some(Folder::Changes)).await, [""; 0]);
    assert_eq!(storage.names(None, 1).await.unwrap().len(), 1);
    assert_eq!(names(&at(&double, "Apps/nobody"), None).await, [""; 0]);
    let requests = double.requests();
    assert_eq!(requests.of("files.list"), requests.total(), "{:?}", requests.by_route());
}

#[tokio::test]
async fn the_own_files_are_left_out() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    storage.create(&Key::lock(), "x".into()).await.unwrap();
    storage.create(&Key::change(1), "x".into()).await.unwrap();
    storage.put(&Key::metadata(), "{}".into()).await.unwrap();
    at(&double, "Apps/my notes/My Photos").put(&Key::metadata(), "{}".into()).await.unwrap();
    double.requests().forget();
    assert_eq!(names(&storage, None).await, ["My Photos/", "changes/", "meta.json"]);
    assert_eq!(names(&storage, Some(Folder::Changes)).await, ["1.json"]);
    assert_eq!(double.requests().total(), 2);
    // The own ones do not count.
    assert_eq!(storage.names(None, 3).await.unwrap().len(), 3);
    assert_eq!(double.requests().total(), 3);
    double.set_pages(1, true);
    assert_eq!(names(&storage, None).await, ["My Photos/", "changes/", "meta.json"]);
}
