//! Copies: one in a request, many in one job, and what is there already is proven or uploaded.

use bytes::Bytes;
use db_to_cloud::{Adapter, Copied, Effect, Error, ErrorKind, Key};
use db_to_cloud_dropbox::DropboxAdapter;
use db_to_cloud_test_doubles::{Answer, Dropbox, Fault};

use crate::support::{config, open};

const ONE: &str = "files/copy_v2";
const MANY: &str = "files/copy_batch_v2";
const CHECK: &str = "files/copy_batch/check_v2";
const LOOK: &str = "files/get_metadata";

fn key(name: &str, i: usize) -> Key {
    Key::parse(&format!("docs/{name}{i}")).unwrap()
}

fn pairs(n: usize) -> Vec<(Key, Key)> {
    (0..n).map(|i| (key("old", i), key("new", i))).collect()
}

fn content(i: usize) -> Bytes {
    Bytes::from(format!("content {i}"))
}

/// A double with so many originals.
async fn double(n: usize) -> (Dropbox, DropboxAdapter) {
    let dropbox = Dropbox::start().await;
    let storage = open(&config(&dropbox));
    let items = (0..n).map(|i| (key("old", i), content(i))).collect();
    assert!(storage.put_many(items).await.iter().all(Result::is_ok));
    dropbox.requests().forget();
    (dropbox, storage)
}

fn kinds(answers: Vec<Result<Copied, Error>>) -> Vec<Result<Copied, ErrorKind>> {
    answers.into_iter().map(|answer| answer.map_err(|error| error.kind())).collect()
}

async fn all_there(storage: &DropboxAdapter, n: usize) {
    for i in 0..n {
        assert_eq!(storage.get(&key("new", i)).await.unwrap(), Some(content(i)), "{i}");
    }
}

#[tokio::test]
async fn a_thousand_copies_are_one_job_and_no_bytes() {
    let (dropbox, storage) = double(1000).await;
    assert_eq!(kinds(storage.copy_many(pairs(2)).await), [Ok(Copied::Done); 2]);
    assert_eq!(dropbox.requests().of(ONE), 2);
    let others = pairs(1000).split_off(2);
    assert_eq!(kinds(storage.copy_many(others).await), vec![Ok(Copied::Done); 998]);
    let asked = dropbox.requests().by_route();
    assert_eq!((asked[ONE], asked[MANY]), (2, 1), "{asked:?}");
    assert!(asked[CHECK] <= 3 && asked.len() == 3, "{asked:?}");
    all_there(&storage, 1000).await;
}

#[tokio::test]
async fn each_of_a_batch_is_answered_for() {
    let (dropbox, storage) = double(6).await;
    storage.delete(&key("old", 1)).await.unwrap();
    storage.put(&key("new", 3), content(3)).await.unwrap();
    storage.put(&key("new", 4), "another".into()).await.unwrap();
    dropbox.refuse_entries("docs/new5", 1);
    let done = Ok(Copied::Done);
    let (missing, unsupported) = (Ok(Copied::Missing), Ok(Copied::Unsupported));
    let throttled = Err(ErrorKind::Throttled);
    let answers = kinds(storage.copy_many(pairs(6)).await);
    assert_eq!(answers, [done, missing, done, done, unsupported, throttled]);
    assert_eq!(storage.get(&key("new", 4)).await.unwrap().unwrap(), "another");
    assert_eq!(storage.get(&key("new", 1)).await.unwrap(), None);
    // What the core repeats.
    assert_eq!(storage.copy(&key("old", 5), &key("new", 5)).await.unwrap(), Copied::Done);
}

/// Dropbox does not take it as a copy of its own; the bytes are uploaded.
#[tokio::test]
async fn one_original_is_copied_once_in_a_batch() {
    let (_dropbox, storage) = double(3).await;
    let mut pairs = pairs(3);
    pairs.push((key("old", 0), key("twin", 0)));
    let answers = kinds(storage.copy_many(pairs).await);
    let done = Ok(Copied::Done);
    assert_eq!(answers, [done, done, done, Ok(Copied::Unsupported)]);
    assert_eq!(storage.copy(&key("old", 0), &key("twin", 0)).await.unwrap(), Copied::Done);
}

#[tokio::test]
async fn a_copy_whose_answer_was_lost_is_looked_at() {
    let (dropbox, storage) = double(4).await;
    for (route, n) in [(ONE, 1), (CHECK, 4)] {
        for fault in [Fault::DropBefore, Fault::DropAfter, Fault::Truncated] {
            let fresh: Vec<_> = pairs(n);
            dropbox.faults().fail(route, "", fault.clone());
            for error in storage.copy_many(fresh.clone()).await.into_iter().map(Result::unwrap_err)
            {
                assert!(error.is_transient(), "{fault:?}: {error:?}");
                assert_eq!(error.effect(), Effect::Unknown, "{fault:?}: {error:?}");
                assert!(error.key().unwrap().starts_with("docs/new"), "{error:?}");
            }
            let again = kinds(storage.copy_many(fresh.clone()).await);
            assert_eq!(again, vec![Ok(Copied::Done); n], "{route} {fault:?}");
            all_there(&storage, n).await;
            let made: Vec<_> = fresh.into_iter().map(|(_, to)| to).collect();
            assert!(storage.delete_many(&made).await.iter().all(Result::is_ok));
        }
    }
}

/// Each look is two requests: a whole job is cheaper uploaded again.
#[tokio::test]
async fn of_many_that_are_there_already_few_are_looked_at() {
    let (dropbox, storage) = double(50).await;
    assert_eq!(kinds(storage.copy_many(pairs(50)).await), vec![Ok(Copied::Done); 50]);
    let again = kinds(storage.copy_many(pairs(50)).await);
    let done = again.iter().filter(|answer| **answer == Ok(Copied::Done)).count();
    let left = again.iter().filter(|answer| **answer == Ok(Copied::Unsupported)).count();
    assert_eq!((done, left, dropbox.requests().of(LOOK)), (20, 30, 40));
}

#[tokio::test]
async fn an_app_that_may_not_copy_asks_once() {
    for (route, n) in [(ONE, 1), (MANY, 3)] {
        let scope = r#"{"error": {".tag": "missing_scope", "required_scope": "x"}}"#;
        let no_scope = Answer::new(401, "application/json", scope);
        let no_route = Answer::new(404, "text/plain", "Unknown API function");
        for answer in [no_scope, no_route, Answer::new(403, "text/plain", "no")] {
            let (dropbox, storage) = double(3).await;
            dropbox.faults().fail(route, "", Fault::Answer(answer));
            for _ in 0..2 {
                let answers = kinds(storage.copy_many(pairs(n)).await);
                assert_eq!(answers, vec![Ok(Copied::Unsupported); n], "{route}");
            }
            assert_eq!(dropbox.requests().of(route), 1);
        }
    }
}

#[tokio::test]
async fn answers_of_another_shape_are_no_success() {
    let file = |name: &str| {
        let fields = format!(r#"".tag": "file", "name": "{name}", "size": 1, "content_hash": "0""#);
        format!("{{{fields}}}")
    };
    let complete = |entries: String| format!(r#"{{".tag": "complete", "entries": [{entries}]}}"#);
    let success = |file: String| format!(r#"{{".tag": "success", "success": {file}}}"#);
    let three = |file: String| complete([0; 3].map(|_| success(file.clone())).join(","));
    let bodies = [
        (ONE, 1, "{}".to_owned()),
        // Renamed by itself.
        (ONE, 1, format!(r#"{{"metadata": {}}}"#, file("new0 (1)"))),
        (ONE, 1, r#"{"metadata": {".tag": "file", "name": "new0"}}"#.to_owned()),
        (MANY, 3, three(file("new9"))),
        (MANY, 3, complete(success(file("new0")))),
        (CHECK, 3, three(file("new9"))),
        (CHECK, 3, r#"{".tag": "news"}"#.to_owned()),
        (CHECK, 3, r#"{".tag": "failed", "failed": {".tag": "other"}}"#.to_owned()),
    ];
    for (route, n, body) in bodies {
        let (dropbox, storage) = double(3).await;
        let answer = Answer::new(200, "application/json", &body);
        dropbox.faults().fail(route, "", Fault::Answer(answer));
        for error in storage.copy_many(pairs(n)).await.into_iter().filter_map(Result::err) {
            assert!(error.is_transient() && error.effect() == Effect::Unknown, "{body}: {error:?}");
        }
        dropbox.faults().fail(
            route,
            "",
            Fault::Answer(Answer::new(200, "application/json", &body)),
        );
        let answers = storage.copy_many(pairs(n)).await;
        assert!(!answers.iter().all(Result::is_ok), "{body}");
    }
}
