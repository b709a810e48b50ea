//! Copies that a service makes, refuses, or does not know.

use std::time::Duration;

use db_to_cloud::{Adapter, Copied, Effect, ErrorKind, Key};
use db_to_cloud_s3::{S3Adapter, S3Config};
use db_to_cloud_test_servers::{Fault, FaultProxy, Faults};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use crate::support::{credentials, minio, new_bucket, open, rclone};

fn key(name: &str) -> Key {
    Key::parse(&format!("docs/{name}")).unwrap()
}

/// A service that gives these answers, one for each connection, and then what it was asked.
async fn answering(answers: &[(u16, &str)]) -> (S3Adapter, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let answers: Vec<_> =
        answers.iter().map(|(status, body)| (*status, body.to_string())).collect();
    let asked = tokio::spawn(async move {
        let mut asked = Vec::new();
        for (status, body) in answers {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 8192];
            let length = stream.read(&mut request).await.unwrap();
            asked.push(String::from_utf8_lossy(&request[..length]).into_owned());
            let head = "content-type: application/xml\r\nconnection: close\r\netag: \"e\"";
            let length = body.len();
            let answer =
                format!("HTTP/1.1 {status} x\r\n{head}\r\ncontent-length: {length}\r\n\r\n{body}");
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
        asked
    });
    let config = S3Config::other(format!("http://127.0.0.1:{port}"), "bucket");
    (open(&config.with_prefix("a b+c").with_credentials(credentials())), asked)
}

fn refusal(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>no</Message></Error>")
}

const DONE: &str = "<?xml version=\"1.0\"?><CopyObjectResult><ETag>\"e\"</ETag></CopyObjectResult>";

#[tokio::test]
async fn the_source_is_named_with_bucket_and_prefix_escaped() {
    let (storage, asked) = answering(&[(200, DONE)]).await;
    assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), Copied::Done);
    let asked = asked.await.unwrap();
    assert!(asked[0].starts_with("PUT /bucket/a%20b%2Bc/docs/new"), "{asked:?}");
    assert!(asked[0].contains("x-amz-copy-source: bucket/a%20b%2Bc/docs/old\r\n"), "{asked:?}");
}

#[tokio::test]
async fn a_service_that_does_not_copy_is_asked_once() {
    let refusals = [
        (501, refusal("NotImplemented")),
        (405, refusal("MethodNotAllowed")),
        (403, refusal("AccessDenied")),
        (400, refusal("InvalidArgument")),
        // An upload of nothing: the header of a copy is not known.
        (200, String::new()),
        (200, "<?xml version=\"1.0\"?><CopyObjectResult/>".to_owned()),
    ];
    for (status, body) in refusals {
        // A second request would find nobody.
        let (storage, asked) = answering(&[(status, body.as_str())]).await;
        for _ in 0..2 {
            let copied = storage.copy(&key("old"), &key("new")).await;
            assert_eq!(copied.unwrap(), Copied::Unsupported, "{status} {body}");
        }
        let many = storage.copy_many(vec![(key("old"), key("new")); 3]).await;
        assert!(many.iter().all(|copied| matches!(copied, Ok(Copied::Unsupported))), "{many:?}");
        assert_eq!(asked.await.unwrap().len(), 1);
    }
}

/// The next copy is asked for.
#[tokio::test]
async fn an_answer_about_one_copy_is_not_remembered() {
    use ErrorKind::{Throttled, Unauthorized, Unavailable};
    let expected = [
        (404, refusal("NoSuchKey"), Ok(Copied::Missing)),
        (413, refusal("EntityTooLarge"), Ok(Copied::Unsupported)),
        (404, refusal("NoSuchBucket"), Err((ErrorKind::InvalidInput, Effect::None))),
        (404, String::new(), Err((Unavailable, Effect::None))),
        (403, refusal("SignatureDoesNotMatch"), Err((Unauthorized, Effect::None))),
        (500, refusal("InternalError"), Err((Unavailable, Effect::Unknown))),
        // An error that came after the head of the answer.
        (200, refusal("InternalError"), Err((Unavailable, Effect::Unknown))),
        (200, refusal("SlowDown"), Err((Throttled, Effect::Unknown))),
        (200, "<?xml version=\"1.0\"?><CopyObj".to_owned(), Err((Unavailable, Effect::Unknown))),
    ];
    for (status, body, want) in expected {
        let (storage, asked) = answering(&[(status, body.as_str()), (200, DONE)]).await;
        let copied = storage.copy(&key("old"), &key("new")).await;
        assert_eq!(copied.map_err(|e| (e.kind(), e.effect())), want, "{status} {body}");
        tokio::time::sleep(Duration::from_millis(1100)).await;
        assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), Copied::Done);
        assert_eq!(asked.await.unwrap().len(), 2);
    }
}

#[tokio::test]
async fn an_unclear_copy_is_unknown_and_may_be_repeated() {
    let faults = Faults::default();
    let config = new_bucket(minio()).await;
    let proxy = FaultProxy::start(minio().port(), faults.clone()).await.unwrap();
    let config = config.with_endpoint(proxy.url()).with_request_timeout(Duration::from_secs(2));
    let storage = open(&config);
    let old = key("old");
    storage.put(&old, "content".into()).await.unwrap();
    let unclear = [
        (Fault::DropBefore, false),
        (Fault::DropAfter, true),
        (Fault::HangAfter, true),
        (Fault::FailAfter, true),
        (Fault::Conflict, false),
        (Fault::SlowDown, false),
        (Fault::Portal, false),
    ];
    for (n, (fault, stored)) in unclear.into_iter().enumerate() {
        let new = key(&format!("new{n}"));
        faults.fail("PUT", "/docs/new", fault);
        let error = storage.copy(&old, &new).await.unwrap_err();
        assert_eq!(error.effect(), Effect::Unknown, "{fault:?}: {error:?}");
        assert!(error.is_transient(), "{fault:?}: {error:?}");
        assert_eq!(error.key(), Some(new.as_str()));
        assert_eq!(storage.get(&new).await.unwrap().is_some(), stored, "{fault:?}");
        assert_eq!(storage.copy(&old, &new).await.unwrap(), Copied::Done);
        assert_eq!(storage.get(&new).await.unwrap().unwrap(), "content");
    }
}

/// A large object that was sent in parts.
#[tokio::test]
async fn what_was_sent_in_parts_is_copied() {
    let storage = open(&new_bucket(minio()).await);
    let bytes = "0123456789".repeat(2 * 1024 * 1024);
    storage.put(&key("old"), bytes.clone().into()).await.unwrap();
    assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), Copied::Done);
    assert_eq!(storage.get(&key("new")).await.unwrap().unwrap(), bytes);
}

/// A weak server is not among those that all cases run at.
#[tokio::test]
async fn rclone_copies() {
    let storage = open(&new_bucket(rclone()).await);
    storage.put(&key("old"), "content".into()).await.unwrap();
    for _ in 0..2 {
        assert_eq!(storage.copy(&key("old"), &key("new")).await.unwrap(), Copied::Done);
        assert_eq!(storage.get(&key("new")).await.unwrap().unwrap(), "content");
    }
    assert_eq!(storage.copy(&key("none"), &key("other")).await.unwrap(), Copied::Missing);
}
