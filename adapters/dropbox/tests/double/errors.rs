//! What goes wrong at Dropbox, and what the errors say.

use db_to_cloud::{Adapter, Effect, Error, ErrorKind, Folder, Key};
use db_to_cloud_dropbox::DropboxAdapter;
use db_to_cloud_test_doubles::{Answer, Dropbox, Fault};
use db_to_cloud_test_servers::Device;

use crate::support::{FOLDER, config, fixed, open, shared, unreachable};

/// Every method fails so.
async fn fails(storage: &DropboxAdapter, kind: ErrorKind, advice: &str) {
    let key = Key::change(1);
    let errors: Vec<Error> = vec![
        storage.get(&key).await.unwrap_err(),
        storage.put(&key, "x".into()).await.unwrap_err(),
        storage.create(&key, "x".into()).await.unwrap_err(),
        storage.delete(&key).await.unwrap_err(),
        storage.list(Folder::Changes, None).await.unwrap_err(),
        storage.get_start(&key, 10).await.unwrap_err(),
        storage.names(Some(Folder::Changes), 10).await.unwrap_err(),
        storage.names(None, 10).await.unwrap_err(),
        storage.get_many(std::slice::from_ref(&key)).await.remove(0).unwrap_err(),
        storage.wait_for_change(std::time::Duration::from_secs(5)).await.unwrap_err(),
    ];
    for error in errors {
        assert_eq!(error.kind(), kind, "{error:?}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(!format!("{error:?} {storage:?}").contains("sl."), "{error:?}");
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_unavailable() {
    fails(&unreachable(), ErrorKind::Unavailable, "check the network").await;
}

#[tokio::test]
async fn https_where_http_is_spoken_is_told() {
    let dropbox = Dropbox::start().await;
    let url = dropbox.url().replace("http://", "https://");
    let storage = config(&dropbox).with_endpoints(&url, &url, &url).build().unwrap();
    fails(&storage, ErrorKind::Unavailable, "no secure connection").await;
}

#[tokio::test]
async fn pages_for_people_and_redirects_are_no_answers() {
    let page = "<html><body>Please sign in</body></html>";
    for answer in [
        Answer::new(200, "text/html", page),
        Answer::new(204, "text/html", ""),
        Answer::new(302, "text/html", page).with("location", "http://127.0.0.1:1/portal"),
        Answer::new(409, "text/html", page),
        Answer::new(502, "text/html", page),
    ] {
        let dropbox = Dropbox::start().await;
        let storage = open(&config(&dropbox));
        storage.put(&Key::change(1), "x".into()).await.unwrap();
        dropbox.faults().fail_every(1, "", "", Fault::Answer(answer));
        fails(&storage, ErrorKind::Unavailable, "").await;
    }
}

/// The status of an absence without its tags, and tags of an absence of something else.
#[tokio::test]
async fn no_other_409_is_an_absence() {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    for body in [
        "",
        "{}",
        r#"{"error_summary": "path/not_found/.", "error": {".tag": "other"}}"#,
        r#"{"error_summary": "path/not_found/.", "error": {".tag": "path"}}"#,
        r#"{"error_summary": "from_lookup/not_found/.",
            "error": {".tag": "from_lookup", "from_lookup": {".tag": "not_found"}}}"#,
    ] {
        let answer = Answer::new(409, "application/json", body);
        for route in ["files/download", "files/list_folder", "files/delete_v2"] {
            dropbox.faults().fail(route, "", Fault::Answer(answer.clone()));
        }
        storage.get(&Key::change(1)).await.unwrap_err();
        storage.list(Folder::Changes, None).await.unwrap_err();
        storage.delete(&Key::change(1)).await.unwrap_err();
    }
    for status in [404, 410] {
        let answer = Answer::new(status, "text/plain", "path/not_found/");
        dropbox.faults().fail("files/download", "", Fault::Answer(answer));
        storage.get(&Key::change(1)).await.unwrap_err();
    }
    assert_eq!(storage.get(&Key::change(1)).await.unwrap(), None);
}

#[tokio::test]
async fn bytes_that_changed_on_the_way_are_noticed_both_ways() {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    let key = Key::change(1);
    storage.create(&key, "as it was".into()).await.unwrap();
    let stored = |hash: &str, size: usize| {
        format!(r#"{{"name": "1.json", "size": {size}, "content_hash": "{hash}"}}"#)
    };
    let wrong = stored(&"0".repeat(64), 9);
    let answer = Answer::new(200, "application/octet-stream", "as it was");
    for answer in [answer.clone(), answer.with("dropbox-api-result", &wrong)] {
        dropbox.faults().fail("files/download", "", Fault::Answer(answer));
        assert!(storage.get(&key).await.unwrap_err().is_transient());
    }
    let answer = Answer::new(200, "application/json", wrong);
    dropbox.faults().fail("files/upload", "", Fault::AnswerAfter(answer));
    let error = storage.create(&Key::change(2), "x".into()).await.unwrap_err();
    assert_eq!((error.is_transient(), error.effect()), (true, Effect::Unknown));
}

#[tokio::test]
async fn a_dropbox_without_room_is_full() {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    dropbox.set_space(10);
    let bytes = bytes::Bytes::from(vec![b'x'; 20]);
    let error = storage.put(&Key::metadata(), bytes.clone()).await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Full, Effect::None));
    let items = (1..5).map(|n| (Key::change(n), bytes.clone())).collect();
    for answer in storage.put_many(items).await {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Full);
    }
}

#[tokio::test]
async fn something_of_another_kind_in_the_way_is_told() {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    storage.put(&Key::metadata(), "x".into()).await.unwrap();
    // A folder for a file, and a file for a folder.
    let url = dropbox.url();
    let inside = format!("{FOLDER}/meta.json");
    let inside = db_to_cloud_dropbox::DropboxConfig::new(inside, fixed(&dropbox.token()));
    let inside = inside.with_endpoints(&url, &url, &url).build().unwrap();
    let errors = [
        storage.get(&Key::parse("changes").unwrap()).await.err(),
        inside.put(&Key::metadata(), "x".into()).await.err(),
        inside.list(Folder::Changes, None).await.err(),
    ];
    // There is no `changes` yet, and nothing below a file.
    let [None, Some(error), None] = errors else { panic!("{errors:?}") };
    assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidInput, Effect::None));
    storage.put(&Key::change(1), "x".into()).await.unwrap();
    let folder = Key::parse("changes").unwrap();
    for error in [
        storage.get(&folder).await.unwrap_err(),
        storage.put(&folder, "x".into()).await.unwrap_err(),
        storage.create(&folder, "x".into()).await.unwrap_err(),
    ] {
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
    }
}

/// Paths are the same in any case; so are those of another device that wrote the folder otherwise.
#[tokio::test]
async fn the_case_of_the_folder_does_not_matter() {
    let dropbox = Dropbox::start().await;
    let url = dropbox.url();
    let open = |folder: &str| {
        let config = db_to_cloud_dropbox::DropboxConfig::new(folder, fixed(&dropbox.token()));
        config.with_endpoints(&url, &url, &url).build().unwrap()
    };
    let (one, other) = (open("/Notes"), open("/nOTES"));
    one.create(&Key::change(1), "x".into()).await.unwrap();
    assert_eq!(other.get(&Key::change(1)).await.unwrap().unwrap(), "x");
    assert_eq!(other.list(Folder::Changes, None).await.unwrap().keys, [Key::change(1)]);
    assert_eq!(
        other.create(&Key::change(1), "x".into()).await.unwrap(),
        db_to_cloud::Created::Occupied
    );
}

/// All of the Dropbox, or the folder of an app that has no more.
#[tokio::test]
async fn the_root_is_a_storage_too() {
    let dropbox = Dropbox::start().await;
    let url = dropbox.url();
    let config = db_to_cloud_dropbox::DropboxConfig::new("", fixed(&dropbox.token()));
    let storage = config.with_endpoints(&url, &url, &url).build().unwrap();
    storage.create(&Key::change(1), "x".into()).await.unwrap();
    storage.put(&Key::metadata(), "y".into()).await.unwrap();
    assert_eq!(dropbox.paths(), ["/changes/1.json", "/meta.json"]);
    assert_eq!(storage.list(Folder::Changes, None).await.unwrap().keys, [Key::change(1)]);
}

/// A cursor that is void half way: the rest of the list cannot be had, nor is it empty.
#[tokio::test]
async fn a_list_that_has_to_begin_anew_says_so() {
    let dropbox = Dropbox::start().await;
    dropbox.set_page_size(2);
    let storage = open(&config(&dropbox));
    for n in 1..6 {
        storage.create(&Key::change(n), "x".into()).await.unwrap();
    }
    let page = storage.list(Folder::Changes, None).await.unwrap();
    assert_eq!(page.keys.len(), 2);
    dropbox.reset_cursors();
    for cursor in [page.next.as_deref(), Some("nonsense")] {
        let error = storage.list(Folder::Changes, cursor).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{error}");
        assert!(error.to_string().contains("begin anew"), "{error}");
    }
}

/// A sync says what to do, and the next goes on.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_that_could_not_write_goes_on_when_there_is_room() {
    let dropbox = Dropbox::start().await;
    let alice = Device::new("alice", shared(&dropbox));
    alice.edit("first", "x").await;
    alice.sync().await;
    dropbox.set_space(3000);
    for i in 0..20 {
        alice.edit(&format!("note {i}"), &"x".repeat(300)).await;
    }
    let error = alice.try_sync().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Full, "{error}");
    dropbox.set_space(usize::MAX);
    alice.sync().await;
    let bob = Device::new("bob", shared(&dropbox));
    bob.sync().await;
    assert_eq!((bob.all().len(), bob.all()), (21, alice.all()));
}
