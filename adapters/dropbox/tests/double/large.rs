//! Files that are too large for one request go in pieces.

use bytes::Bytes;
use db_to_cloud::{Adapter, Created, Effect, Key};
use db_to_cloud_dropbox::DropboxAdapter;
use db_to_cloud_test_doubles::{Dropbox, Fault};

use crate::support::config;

const PIECE: usize = 4 * 1024 * 1024;

async fn double() -> (Dropbox, DropboxAdapter) {
    let dropbox = Dropbox::start().await;
    let storage = config(&dropbox).with_piece_size(PIECE).build().unwrap();
    (dropbox, storage)
}

fn content(length: usize) -> Bytes {
    (0..length).map(|i| (i / 1000) as u8).collect::<Vec<_>>().into()
}

#[tokio::test]
async fn each_piece_is_a_request_and_one_commits_them() {
    for (length, requests) in [(PIECE, 1), (PIECE + 1, 3), (2 * PIECE, 3), (2 * PIECE + 5, 4)] {
        let (dropbox, storage) = double().await;
        storage.put(&Key::metadata(), content(length)).await.unwrap();
        assert_eq!(dropbox.requests().total(), requests, "{length} bytes");
        let stored = storage.get(&Key::metadata()).await.unwrap().unwrap();
        assert!(stored == content(length), "{length} bytes");
    }
}

#[tokio::test]
async fn a_large_create_is_exclusive_too() {
    let (_dropbox, storage) = double().await;
    let (key, mine, theirs) = (Key::change(1), content(PIECE + 1), content(PIECE + 2));
    let (one, other) =
        tokio::join!(storage.create(&key, mine.clone()), storage.create(&key, theirs.clone()));
    let won = one.unwrap() == Created::New;
    assert_eq!(other.unwrap() == Created::New, !won);
    let stored = storage.get(&key).await.unwrap().unwrap();
    assert!(stored == if won { mine } else { theirs });
    assert_eq!(storage.create(&key, stored).await.unwrap(), Created::Occupied, "the same bytes");
}

#[tokio::test]
async fn nothing_is_there_until_all_of_it_is() {
    for route in ["upload_session/start", "append_v2", "upload_session/finish"] {
        for fault in [Fault::DropBefore, Fault::DropAfter] {
            let (dropbox, storage) = double().await;
            dropbox.faults().fail(route, "", fault.clone());
            let error = storage.put(&Key::metadata(), content(3 * PIECE)).await.unwrap_err();
            assert_eq!(error.effect(), Effect::Unknown, "{route} {fault:?}");
            let stored = storage.get(&Key::metadata()).await.unwrap();
            assert!(stored.is_none_or(|stored| stored == content(3 * PIECE)), "{route} {fault:?}");
            storage.put(&Key::metadata(), content(3 * PIECE)).await.unwrap();
            assert_eq!(dropbox.files(), 1);
        }
    }
}
