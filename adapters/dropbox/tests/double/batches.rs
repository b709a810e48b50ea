//! Many files in three requests: each is answered for on its own, whatever goes wrong with others.

use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::{Adapter, Effect, Error, ErrorKind, Folder, Key};
use db_to_cloud_dropbox::DropboxAdapter;
use db_to_cloud_test_doubles::dropbox::answers;
use db_to_cloud_test_doubles::{Answer, Dropbox, Fault};

use crate::support::{FOLDER, config, open};

const START: &str = "files/upload_session/start_batch";
const APPEND: &str = "files/upload_session/append_batch";
const FINISH: &str = "files/upload_session/finish_batch_v2";

fn key(i: usize) -> Key {
    Folder::Documents.key(&format!("x{i}")).unwrap()
}

fn items(n: usize) -> Vec<(Key, Bytes)> {
    (0..n).map(|i| (key(i), Bytes::from(format!("content {i}")))).collect()
}

async fn double() -> (Dropbox, DropboxAdapter) {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    (dropbox, storage)
}

fn errors(answers: Vec<Result<(), Error>>) -> Vec<(usize, Error)> {
    answers.into_iter().enumerate().filter_map(|(i, answer)| Some((i, answer.err()?))).collect()
}

async fn all_there(storage: &DropboxAdapter, n: usize) {
    for (key, bytes) in items(n) {
        assert_eq!(storage.get(&key).await.unwrap(), Some(bytes), "{key}");
    }
}

#[tokio::test]
async fn a_file_that_is_refused_is_told_of_and_the_others_are_stored() {
    let (dropbox, storage) = double().await;
    // A folder has the name of the third.
    let inside = format!("{FOLDER}/docs/x2/inside");
    let elsewhere = db_to_cloud_dropbox::DropboxConfig::new(
        format!("{FOLDER}/docs/x2"),
        crate::support::fixed(&dropbox.token()),
    );
    let url = dropbox.url();
    let elsewhere = elsewhere.with_endpoints(&url, &url, &url).build().unwrap();
    elsewhere.put(&Key::parse("inside").unwrap(), "x".into()).await.unwrap();
    assert!(dropbox.content(&inside).is_some());

    let errors = errors(storage.put_many(items(6)).await);
    let [(2, error)] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!((error.kind(), error.effect()), (ErrorKind::InvalidInput, Effect::None));
    assert!(error.to_string().contains("docs/x2") && error.to_string().contains("conflict/folder"));
    assert_eq!(dropbox.files(), 5 + 1);
}

#[tokio::test]
async fn entries_refused_for_too_many_writes_are_committed_again_without_their_bytes() {
    let (dropbox, storage) = double().await;
    dropbox.refuse_entries("docs/x1", 1);
    dropbox.refuse_entries("docs/x4", 2);
    let errors = errors(storage.put_many(items(6)).await);
    assert!(errors.is_empty(), "{errors:?}");
    let requests = dropbox.requests();
    assert_eq!((requests.of(APPEND), requests.of(FINISH)), (1, 3));
    all_there(&storage, 6).await;
}

#[tokio::test]
async fn entries_refused_for_long_are_told_of_one_by_one() {
    let (dropbox, storage) = double().await;
    dropbox.refuse_entries("docs/x1", 1000);
    let errors = errors(storage.put_many(items(4)).await);
    let [(1, error)] = &errors[..] else { panic!("{errors:?}") };
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert!(error.retry_after().is_some());
    assert_eq!(dropbox.files(), 3);
}

#[tokio::test]
async fn a_whole_batch_that_is_refused_for_too_many_writes_is_committed_again() {
    let (dropbox, storage) = double().await;
    let refused = Fault::Answer(answers::too_many_write_operations(None));
    dropbox.faults().fail(FINISH, "", refused);
    assert!(errors(storage.put_many(items(3)).await).is_empty());
    assert_eq!((dropbox.requests().of(APPEND), dropbox.requests().of(FINISH)), (1, 2));
    all_there(&storage, 3).await;
}

#[tokio::test]
async fn a_lost_answer_to_the_commit_is_unknown_for_each() {
    let (dropbox, storage) = double().await;
    for fault in [Fault::DropBefore, Fault::DropAfter, Fault::Truncated] {
        dropbox.faults().fail(FINISH, "", fault.clone());
        let errors = errors(storage.put_many(items(5)).await);
        assert_eq!(errors.len(), 5, "{fault:?}");
        for (i, error) in errors {
            assert!(error.is_transient(), "{fault:?}: {error:?}");
            assert_eq!(error.effect(), Effect::Unknown, "{fault:?}: {error:?}");
            assert_eq!(error.key(), Some(key(i).as_str()));
        }
        // The core repeats it.
        assert!(errors_of_a_repetition(&storage).await.is_empty());
        all_there(&storage, 5).await;
    }
}

async fn errors_of_a_repetition(storage: &DropboxAdapter) -> Vec<(usize, Error)> {
    errors(storage.put_many(items(5)).await)
}

#[tokio::test]
async fn sessions_that_end_on_the_way_are_begun_anew_by_who_repeats() {
    for route in [APPEND, FINISH] {
        let (dropbox, storage) = double().await;
        let late = Fault::Delay(Duration::from_millis(300));
        dropbox.faults().fail(route, "", late);
        let writing = tokio::spawn({
            let storage = storage.clone();
            async move { storage.put_many(items(3)).await }
        });
        while dropbox.requests().of(route) == 0 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        dropbox.forget_sessions();
        let errors = errors(writing.await.unwrap());
        assert_eq!(errors.len(), 3, "{route}");
        let cut_short = |error: &Error| {
            error.is_transient()
                && error.effect() == Effect::None
                && error.to_string().contains("the upload was cut short")
        };
        assert!(errors.iter().all(|(_, error)| cut_short(error)), "{errors:?}");
        assert_eq!(dropbox.files(), 0);
        let again = storage.put_many(items(3)).await;
        assert!(again.iter().all(Result::is_ok), "{again:?}");
    }
}

#[tokio::test]
async fn answers_of_another_shape_are_no_success() {
    let ok = |body: &str| Fault::Answer(Answer::new(200, "application/json", body));
    for (route, body) in [
        (START, r#"{"session_ids": ["pid_upload_session:a"]}"#),
        (APPEND, r#"{"entries": []}"#),
        (FINISH, r#"{"entries": [{".tag": "success"}, {".tag": "success"}, {".tag": "success"}]}"#),
        (FINISH, r#"{"entries": [{".tag": "success", "size": 9, "content_hash": "00"}]}"#),
        (FINISH, r#"{"entries": [{".tag": "news"}, {".tag": "news"}, {".tag": "news"}]}"#),
        (FINISH, r#"{".tag": "async_job_id", "async_job_id": "x"}"#),
    ] {
        let (dropbox, storage) = double().await;
        dropbox.faults().fail(route, "", ok(body));
        let errors = errors(storage.put_many(items(3)).await);
        assert_eq!(errors.len(), 3, "{body}");
        for (_, error) in errors {
            assert!(error.is_transient() && error.effect() == Effect::Unknown, "{error:?}");
        }
    }
}

/// How long a header may be is not documented.
#[tokio::test]
async fn a_header_that_is_too_long_is_cut_in_two() {
    let (dropbox, storage) = double().await;
    dropbox.set_header_limit(16_000);
    assert!(errors(storage.put_many(items(400)).await).is_empty());
    let first = dropbox.requests().of(APPEND);
    assert!(errors(storage.put_many(items(400)).await).is_empty());
    let second = dropbox.requests().of(APPEND) - first;
    assert!(
        4 <= second && second < first && first <= 16,
        "{first}, then {second}: it is remembered"
    );
    assert_eq!(dropbox.requests().of(FINISH), 2);
}

/// A line may break for the header, too: who repeats does not meet it for ever.
#[tokio::test]
async fn after_a_broken_line_headers_are_shorter() {
    let (dropbox, storage) = double().await;
    dropbox.faults().fail(APPEND, "", Fault::DropBefore);
    assert_eq!(errors(storage.put_many(items(400)).await).len(), 400);
    assert!(errors(storage.put_many(items(400)).await).is_empty());
    assert_eq!(dropbox.requests().of(APPEND), 1 + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_is_committed_alone() {
    let (dropbox, storage) = double().await;
    dropbox.set_batch_time(Duration::from_millis(100));
    let batch = |n: usize| {
        let storage = storage.clone();
        let item = move |i| (key(100 * n + i), Bytes::from("x"));
        async move { storage.put_many((0..50).map(item).collect()).await }
    };
    let single = |n: usize| {
        let (storage, dropbox) = (storage.clone(), &dropbox);
        async move {
            // In the middle of a commit of a batch.
            while dropbox.requests().of(FINISH) <= n {
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
            storage.create(&Key::change(n as u64 + 1), "x".into()).await
        }
    };
    let batches = futures::future::join_all((0..4).map(batch));
    let singles = futures::future::join_all((0..3).map(single));
    let (batches, singles) = futures::future::join(batches, singles).await;
    assert!(batches.iter().flatten().all(Result::is_ok) && singles.iter().all(Result::is_ok));
    let requests = dropbox.requests();
    assert_eq!((requests.of(FINISH), requests.most_at_once(FINISH)), (4, 1));
    assert_eq!(requests.of("files/upload"), 3, "none was refused");
}

#[tokio::test]
async fn deletes_are_told_of_one_by_one() {
    let (dropbox, storage) = double().await;
    assert!(errors(storage.put_many(items(6)).await).is_empty());
    dropbox.refuse_entries("docs/x3", 1);
    // Two of them are not there.
    let keys: Vec<_> = (0..8).map(key).collect();
    let refused = errors(storage.delete_many(&keys).await);
    let [(3, error)] = &refused[..] else { panic!("{refused:?}") };
    assert_eq!(error.kind(), ErrorKind::Throttled);
    assert_eq!(dropbox.files(), 1);
    assert!(errors(storage.delete_many(&keys).await).is_empty());
    assert_eq!(dropbox.files(), 0);
}

#[tokio::test]
async fn a_job_whose_fate_is_not_known_is_no_success() {
    let (dropbox, storage) = double().await;
    let ok = |body: &str| Answer::new(200, "application/json", body);
    for answer in [
        ok(r#"{".tag": "failed", "failed": {".tag": "too_many_write_operations"}}"#),
        ok(r#"{".tag": "failed", "failed": {".tag": "other"}}"#),
        ok(r#"{".tag": "complete", "entries": []}"#),
        ok(r#"{".tag": "news"}"#),
        answers::internal_error(),
        answers::server_error(503),
    ] {
        assert!(errors(storage.put_many(items(3)).await).is_empty());
        dropbox.faults().fail("files/delete_batch/check", "", Fault::Answer(answer.clone()));
        let keys: Vec<_> = (0..3).map(key).collect();
        let errors = errors(storage.delete_many(&keys).await);
        assert_eq!(errors.len(), 3, "{answer:?}");
        assert!(errors.iter().all(|(_, error)| error.is_transient()), "{answer:?}: {errors:?}");
    }
}

#[tokio::test]
async fn empty_files_among_others_are_stored() {
    let (dropbox, storage) = double().await;
    let bytes = |i: usize| if i.is_multiple_of(4) { Bytes::new() } else { Bytes::from("x") };
    let items: Vec<_> = (0..12).map(|i| (key(i), bytes(i))).collect();
    assert!(errors(storage.put_many(items.clone()).await).is_empty());
    for (key, bytes) in items {
        assert_eq!(storage.get(&key).await.unwrap(), Some(bytes), "{key}");
    }
    assert_eq!((dropbox.requests().of(FINISH), dropbox.requests().of("files/upload")), (3, 3));
}
