//! The start of an object, and the names of what lies around.

use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::{Adapter, Created, Error, ErrorKind, Folder, Key};
use db_to_cloud_test_servers::{FaultProxy, Faults, Server};
use db_to_cloud_webdav::{Slots, WebDavConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::support::{apache, config_at, credentials, nginx, open, rclone};

/// Somebody else's objects and collections, and those by which slots are made.
async fn names_of_others_are_seen_and_own_ones_are_not(server: &Server) {
    let url = format!("{}/around", server.url());
    let config =
        |path: &str| WebDavConfig::new(format!("{url}{path}")).with_credentials(credentials());
    let storage = open(&config("").with_slots(Slots::Move));
    let put = async |path: &str| {
        open(&config(path)).put(&Key::metadata(), "{}".into()).await.unwrap();
    };
    put("").await;
    for path in ["/slots-move", "/My Photos", "/docs/Ümläute & more"] {
        put(path).await;
    }
    // As a client leaves it that stops before the MOVE.
    for folder in ["", "/changes"] {
        put(&format!("{folder}/tmp-{}", "0a".repeat(16))).await;
    }
    assert_eq!(storage.create(&Key::lock(), "x".into()).await.unwrap(), Created::New);
    assert_eq!(storage.create(&Key::change(1), "x".into()).await.unwrap(), Created::New);
    let names = async |folder| {
        let mut names = storage.names(folder, 100).await.unwrap();
        names.sort();
        names
    };
    let around = ["My Photos/", "changes/", "docs/", "lock.json", "meta.json"];
    assert_eq!(names(None).await, around, "{}", server.name());
    assert_eq!(names(Some(Folder::Changes)).await, ["1.json"], "{}", server.name());
    assert_eq!(names(Some(Folder::Documents)).await, ["Ümläute & more/"], "{}", server.name());
    assert_eq!(names(Some(Folder::Snapshots)).await, [""; 0], "{}", server.name());
}

#[tokio::test]
async fn a_slot_has_its_name_and_what_it_is_made_of_has_none() {
    for server in [apache(), nginx(), rclone()] {
        names_of_others_are_seen_and_own_ones_are_not(server).await;
    }
}

#[tokio::test]
async fn a_look_is_one_request() {
    let faults = Faults::default();
    let proxy = FaultProxy::start(apache().port(), faults.clone()).await.unwrap();
    let storage = open(&config_at(apache(), &proxy.url()).with_slots(Slots::Move));
    storage.create(&Key::change(1), "entry".into()).await.unwrap();
    let before = faults.counts().1;
    assert_eq!(storage.get_start(&Key::change(1), 2).await.unwrap().unwrap(), "en");
    assert_eq!(storage.get_start(&Key::change(2), 2).await.unwrap(), None);
    assert_eq!(faults.counts().1 - before, 2);
    storage.names(None, 10).await.unwrap();
    storage.names(Some(Folder::Changes), 10).await.unwrap();
    assert_eq!(faults.counts().1 - before, 4);
}

/// What the adapter makes of an answer, word for word, to a request for 10 bytes. The connection stays open.
async fn start_from(answer: &'static str) -> Result<Option<Bytes>, Error> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/notes", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"\r\n\r\n") {
            request.push(stream.read_u8().await.unwrap());
        }
        assert!(String::from_utf8(request).unwrap().contains("range: bytes=0-9\r\n"));
        stream.write_all(answer.as_bytes()).await.unwrap();
        std::future::pending::<()>().await;
    });
    let storage = WebDavConfig::new(url).with_slots(Slots::Move).build().unwrap();
    let (key, patience) = (Key::metadata(), Duration::from_secs(5));
    let start = tokio::time::timeout(patience, storage.get_start(&key, 10));
    let start = start.await.expect("more is read than was asked for");
    server.abort();
    start
}

#[tokio::test]
async fn a_server_that_sends_all_is_not_heard_to_the_end() {
    let all = "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n0123456789abcdef";
    assert_eq!(start_from(all).await.unwrap().unwrap(), "0123456789");
    let short = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\n012";
    assert_eq!(start_from(short).await.unwrap().unwrap(), "012");
}

#[tokio::test]
async fn an_empty_file_has_no_first_byte() {
    let empty = "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-range: bytes */0\r\n\
                 content-length: 5\r\n\r\nempty";
    assert_eq!(start_from(empty).await.unwrap().unwrap(), "");
    let other = "HTTP/1.1 416 Range Not Satisfiable\r\ncontent-range: bytes */7\r\n\
                 content-length: 0\r\n\r\n";
    start_from(other).await.unwrap_err();
}

/// Fewer bytes would be taken for the whole entry.
#[tokio::test]
async fn another_part_than_was_asked_for_is_an_error() {
    for answer in [
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 4-9/20\r\ncontent-length: 6\r\n\r\n456789",
        "HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 0-4/20\r\ncontent-length: 5\r\n\r\n01234",
        "HTTP/1.1 206 Partial Content\r\ncontent-length: 5\r\n\r\n01234",
        "HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: 7\r\n\r\nsign in",
    ] {
        let error = start_from(answer).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{answer}: {error}");
    }
}
