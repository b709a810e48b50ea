//! What goes wrong with real servers, and what the errors say.

use db_to_cloud::{Adapter, Error, ErrorKind, Folder, Key};
use db_to_cloud_test_servers::{PASSWORD, Server};
use db_to_cloud_webdav::{Credentials, Slots, WebDavAdapter, WebDavConfig};

use crate::support::{
    apache, apache_with_digest, config, lighttpd, nginx, open, rclone, sabre, unreachable, wsgidav,
};

/// Every method fails so.
async fn fails(storage: &WebDavAdapter, kind: ErrorKind, advice: &str) {
    let (key, document, bytes) = (Key::change(1), Key::metadata(), "x");
    let errors: Vec<Error> = vec![
        storage.get(&key).await.unwrap_err(),
        storage.get(&document).await.unwrap_err(),
        storage.put(&document, bytes.into()).await.unwrap_err(),
        storage.create(&key, bytes.into()).await.unwrap_err(),
        storage.delete(&key).await.unwrap_err(),
        storage.list(Folder::Changes, None).await.unwrap_err(),
        storage.get_start(&key, 10).await.unwrap_err(),
        storage.names(Some(Folder::Changes), 10).await.unwrap_err(),
        storage.names(None, 10).await.unwrap_err(),
        storage.get_many(std::slice::from_ref(&key)).await.remove(0).unwrap_err(),
        storage.slots().await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!format!("{error:?} {storage:?}").contains("hunter2"), "{error:?}");
    }
}

async fn a_wrong_password_is_told(server: &Server) {
    for user in ["ada", "nobody"] {
        let wrong = config(server).with_credentials(Credentials::password(user, "hunter2"));
        fails(&open(&wrong), ErrorKind::Unauthorized, "check the user and the password").await;
    }
    let token = config(server).with_credentials(Credentials::bearer("hunter2"));
    fails(&open(&token), ErrorKind::Unauthorized, "check the user and the password").await;
    let nobody = config(server).with_credentials(Credentials::Anonymous);
    fails(&open(&nobody), ErrorKind::Unauthorized, "check the user and the password").await;
}

#[tokio::test]
async fn wrong_credentials_are_told_and_not_shown() {
    let servers = [apache(), apache_with_digest(), nginx(), lighttpd(), wsgidav(), sabre()];
    for server in servers.into_iter().chain([rclone()]) {
        a_wrong_password_is_told(server).await;
    }
}

/// The first request shows what the server wants; the password goes into the line only then.
#[tokio::test]
async fn digest_never_shows_the_password() {
    let storage = open(&config(apache_with_digest()));
    storage.put(&Key::metadata(), "{}".into()).await.unwrap();
    assert_eq!(storage.get(&Key::metadata()).await.unwrap().unwrap(), "{}");
    assert!(!format!("{storage:?}").contains(PASSWORD));
}

#[tokio::test]
async fn a_server_that_is_away_is_unavailable() {
    fails(&unreachable(), ErrorKind::Unavailable, "check the network").await;
}

#[tokio::test]
async fn https_where_http_is_spoken_is_told() {
    let url = apache().url().replace("http://", "https://");
    let storage = WebDavConfig::new(url).build().unwrap();
    fails(&storage, ErrorKind::Unavailable, "no secure connection").await;
}

/// A web server without WebDAV.
#[tokio::test]
async fn what_is_no_webdav_is_told() {
    let storage = open(&config(apache()).with_slots(Slots::Move));
    let server = config(nginx()).with_credentials(Credentials::Anonymous);
    let error = open(&server).put(&Key::metadata(), "x".into()).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized, "{error}");
    // A document where a collection should be.
    storage.put(&Key::metadata(), "x".into()).await.unwrap();
    let error = storage.put(&Key::parse("meta.json/x").unwrap(), "x".into()).await.unwrap_err();
    assert!(!error.to_string().is_empty());
}
