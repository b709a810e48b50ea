//! Copies of documents: one file with a reserved id, proven by its checksum.

use std::time::Duration;

use db_to_cloud::{Adapter, Copied, Created, DocumentId, Effect, Key, VersionId};
use db_to_cloud_test_doubles::drive::{Space, backend_error, user_rate_limit};
use db_to_cloud_test_doubles::{Answer, Drive, Fault};

use crate::support::{config, open};

fn document(name: &str, n: u128) -> Key {
    Key::document(&DocumentId::from(name), VersionId::from(n))
}

/// An entry, as far as this adapter looks into it.
fn entry(n: u128) -> String {
    format!("{{\"changes\":[{{\"vid\":\"{}\"}}]}}", VersionId::from(n))
}

fn files(double: &Drive, name: &str) -> usize {
    let prefix = format!("{name}.");
    double.stored(Space::Drive).iter().filter(|file| file.name.starts_with(&prefix)).count()
}

#[tokio::test]
async fn a_copy_is_two_requests_and_its_commit_tells_where_it_is() {
    let double = Drive::start().await;
    let config = config(&double);
    let (alice, bob) = (open(&config), open(&config));
    alice.create(&Key::change(1), "first".into()).await.unwrap();
    bob.get(&Key::change(1)).await.unwrap().unwrap();
    double.set_list_lag(Duration::from_secs(3600));
    let (old, new) = (document("old", 1), document("new", 2));
    alice.put(&old, "text".into()).await.unwrap();
    double.requests().forget();
    assert_eq!(alice.copy(&old, &new).await.unwrap(), Copied::Done);
    assert_eq!((double.requests().of("files.get"), double.requests().of("files.copy")), (1, 1));
    assert_eq!(double.requests().total(), 2);
    assert_eq!(alice.create(&Key::change(2), entry(2).into()).await.unwrap(), Created::New);
    alice.delete(&old).await.unwrap();
    bob.get(&Key::change(2)).await.unwrap().unwrap();
    double.requests().forget();
    assert_eq!(bob.get(&new).await.unwrap().unwrap(), "text");
    assert_eq!(double.requests().total(), 1);
}

/// One that has just started looks once for all of them.
#[tokio::test]
async fn originals_that_nobody_told_of_are_listed_once() {
    let double = Drive::start().await;
    let config = config(&double);
    let first = open(&config);
    for n in 0..20 {
        first.put(&document("old", n), "text".into()).await.unwrap();
    }
    let other = open(&config);
    other.list(db_to_cloud::Folder::Changes, None).await.unwrap();
    other.put(&document("any", 99), "text".into()).await.unwrap();
    double.requests().forget();
    let pairs = (0..20).map(|n| (document("old", n), document("new", 100 + n))).collect();
    let answers = other.copy_many(pairs).await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Copied::Done))), "{answers:?}");
    assert_eq!(double.requests().of("files.list"), 1);
    assert_eq!(files(&double, "new"), 20);
}

/// Whatever becomes of the answers, there is one file in the end, and it is whole.
#[tokio::test]
async fn a_repeated_copy_makes_no_second_file() {
    let double = Drive::start().await;
    let config = config(&double).with_request_timeout(Duration::from_secs(1));
    let storage = open(&config);
    let old = document("old", 1);
    storage.put(&old, "text".into()).await.unwrap();
    let faults = [
        Fault::DropBefore,
        Fault::DropAfter,
        Fault::HangAfter,
        Fault::Late(Duration::from_millis(200)),
        Fault::AnswerAfter(backend_error()),
        Fault::Truncated,
        // It says no, and did it all the same.
        Fault::AnswerAfter(user_rate_limit()),
    ];
    for (n, fault) in (1..).zip(faults) {
        let (text, new) = (format!("{fault:?}"), document("new", 100 + n));
        double.faults().fail("files.copy", "", fault);
        let failed = storage.copy(&old, &new).await.unwrap_err();
        assert!(failed.is_transient() && failed.effect() == Effect::Unknown, "{text}: {failed:?}");
        tokio::time::sleep(Duration::from_millis(400)).await;
        // Either way: asked for again, or uploaded.
        match n % 2 {
            0 => assert_eq!(storage.copy(&old, &new).await.unwrap(), Copied::Done, "{text}"),
            _ => storage.put(&new, "text".into()).await.unwrap(),
        }
        assert_eq!(storage.get(&new).await.unwrap().unwrap(), "text", "{text}");
        assert_eq!(files(&double, "new"), n as usize, "{text}");
    }
}

#[tokio::test]
async fn what_is_there_with_another_content_is_uploaded_by_the_caller() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let (old, new) = (document("old", 1), document("new", 2));
    storage.put(&old, "text".into()).await.unwrap();
    storage.put(&new, "another".into()).await.unwrap();
    assert_eq!(storage.copy(&old, &new).await.unwrap(), Copied::Unsupported);
    assert_eq!(storage.get(&new).await.unwrap().unwrap(), "another");
}

#[tokio::test]
async fn a_drive_that_does_not_copy_is_asked_once() {
    let refusal = r#"{"error":{"code":403,"errors":[{"reason":"cannotCopyFile"}],"message":"no"}}"#;
    for status in [400, 403] {
        let double = Drive::start().await;
        let storage = open(&config(&double));
        let (old, new) = (document("old", 1), document("new", 2));
        storage.put(&old, "text".into()).await.unwrap();
        let answer = Answer::new(status, "application/json", refusal);
        double.faults().fail_every(1, "files.copy", "", Fault::Answer(answer));
        let copied = storage.copy(&old, &new).await;
        assert_eq!(copied.unwrap(), Copied::Unsupported, "{status}");
        assert_eq!(storage.copy(&old, &new).await.unwrap(), Copied::Unsupported);
        assert_eq!(double.requests().of("files.copy"), 1);
        storage.put(&new, "text".into()).await.unwrap();
        assert_eq!(files(&double, "new"), 1);
    }
}

/// To this adapter a version has one file, whatever its key.
#[tokio::test]
async fn two_keys_of_one_version_are_not_copied() {
    let double = Drive::start().await;
    let storage = open(&config(&double));
    let (old, new) = (document("old", 1), document("new", 1));
    storage.put(&old, "text".into()).await.unwrap();
    assert_eq!(storage.copy(&old, &new).await.unwrap(), Copied::Unsupported);
    for other in [Key::metadata(), Key::change(1), Key::parse("probe/x").unwrap()] {
        assert_eq!(storage.copy(&old, &other).await.unwrap(), Copied::Unsupported);
    }
    assert_eq!(double.requests().of("files.copy"), 0);
}
