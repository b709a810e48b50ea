//! The start of an object, and the names of what lies around.

use db_to_cloud::{Adapter, ErrorKind, Folder, Key};
use db_to_cloud_dropbox::DropboxConfig;
use db_to_cloud_test_doubles::dropbox::Host;
use db_to_cloud_test_doubles::{Answer, Dropbox, Fault};

use crate::support::{FOLDER, config, fixed, open, shared};

/// An object at the top of the storage in this folder.
async fn put(dropbox: &Dropbox, folder: &str) {
    in_folder(dropbox, folder).put(&Key::metadata(), "{}".into()).await.unwrap();
}

fn in_folder(dropbox: &Dropbox, folder: &str) -> impl Adapter {
    let [api, content, notify] =
        [Host::Api, Host::Content, Host::Notify].map(|host| dropbox.host(host));
    let config = DropboxConfig::new(folder, fixed(&dropbox.token()));
    config.with_endpoints(api, content, notify).build().unwrap()
}

async fn names(storage: &impl Adapter, folder: Option<Folder>) -> Vec<String> {
    let mut names = storage.names(folder, 100).await.unwrap();
    names.sort();
    names
}

#[tokio::test]
async fn names_of_others_are_seen() {
    let dropbox = Dropbox::start().await;
    // The case of a name does not matter to Dropbox, and the first who uses it decides.
    for folder in ["", "/My Photos", "/Docs", "/docs/日本"] {
        put(&dropbox, &format!("{FOLDER}{folder}")).await;
    }
    let storage = open(&config(&dropbox));
    assert_eq!(names(&storage, None).await, ["My Photos/", "docs/", "meta.json"]);
    assert_eq!(names(&storage, Some(Folder::Documents)).await, ["meta.json", "日本/"]);
    assert_eq!(names(&storage, Some(Folder::Changes)).await, [""; 0]);
    assert_eq!(names(&in_folder(&dropbox, ""), None).await, ["Apps of Zoë/"]);
    assert_eq!(names(&in_folder(&dropbox, "/nobody"), None).await, [""; 0]);
}

#[tokio::test]
async fn a_look_is_one_request() {
    let dropbox = Dropbox::start().await;
    let storage = shared(&dropbox);
    storage.put(&Key::change(1), "entry".into()).await.unwrap();
    dropbox.requests().forget();
    assert_eq!(storage.get_start(&Key::change(1), 2).await.unwrap().unwrap(), "en");
    assert_eq!(storage.get_start(&Key::change(2), 2).await.unwrap(), None);
    assert_eq!(dropbox.requests().of("files/download"), 2);
    storage.names(None, 10).await.unwrap();
    storage.names(Some(Folder::Changes), 1).await.unwrap();
    assert_eq!(dropbox.requests().of("files/list_folder"), 2);
    assert_eq!(dropbox.requests().total(), 4);
}

/// What may come instead of the start of a file of 20 bytes.
#[tokio::test]
async fn a_start_is_never_shorter_than_the_file() {
    let dropbox = Dropbox::start().await;
    let storage = shared(&dropbox);
    storage.put(&Key::change(1), "0123456789abcdefghij".into()).await.unwrap();
    let result = r#"{"size":20,"content_hash":"x"}"#;
    let answer = |status, range: &str, body: &str| {
        let answer = Answer::new(status, "application/octet-stream", body);
        let answer = answer.with("dropbox-api-result", result);
        if range.is_empty() { answer } else { answer.with("content-range", range) }
    };
    let wrong = [
        Fault::Truncated,
        Fault::Answer(answer(200, "", "0123")),
        Fault::Answer(answer(206, "bytes 0-3/20", "0123")),
        Fault::Answer(answer(206, "bytes 10-19/20", "abcdefghij")),
        Fault::Answer(Answer::new(200, "text/html", "<html>Please sign in</html>")),
    ];
    for fault in wrong {
        dropbox.faults().fail("files/download", "", fault.clone());
        let error = storage.get_start(&Key::change(1), 10).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{fault:?}: {error}");
    }
    // A service that does not know ranges, and one that answers 416 for an empty file.
    let whole = answer(200, "", "0123456789abcdefghij");
    dropbox.faults().fail("files/download", "", Fault::Answer(whole));
    assert_eq!(storage.get_start(&Key::change(1), 10).await.unwrap().unwrap(), "0123456789");
    let empty = Answer::new(416, "text/plain", "Range Not Satisfiable");
    dropbox.faults().fail("files/download", "", Fault::Answer(empty));
    assert_eq!(storage.get_start(&Key::change(1), 10).await.unwrap().unwrap(), "");
}
