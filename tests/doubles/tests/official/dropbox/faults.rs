//! What goes wrong when a test wants it to.

use std::time::Duration;

use db_to_cloud_test_doubles::Fault;
use db_to_cloud_test_doubles::dropbox::answers;

use super::caller::Caller;

#[tokio::test]
async fn an_answer_is_lost_before_or_after_the_write() {
    let caller = Caller::new().await;
    let faults = caller.double.faults();
    faults.fail("files/upload", "/a", Fault::DropBefore);
    // Only what was meant fails.
    assert_eq!(caller.upload("/b", "b").await.unwrap().0, 200);
    assert!(caller.upload("/a", "a").await.is_err());
    assert_eq!(caller.content("/a"), None);
    for (fault, path) in [
        (Fault::DropAfter, "/dropped"),
        (Fault::HangAfter, "/hanging"),
        (Fault::Truncated, "/truncated"),
    ] {
        faults.fail("files/upload", "", fault);
        assert!(caller.upload(path, "x").await.is_err(), "{path}");
        assert_eq!(caller.content(path).as_deref(), Some("x"));
    }
    faults.fail("files/upload", "", Fault::AnswerAfter(answers::server_error(500)));
    assert_eq!(caller.upload("/failed", "x").await.unwrap().0, 500);
    assert!(caller.content("/failed").is_some());
    assert_eq!(faults.happened(), 5);
}

#[tokio::test]
async fn a_write_may_come_later() {
    let caller = Caller::new().await;
    caller.double.faults().fail("files/upload", "", Fault::Late(Duration::from_secs(1)));
    assert!(caller.upload("/a", "a").await.is_err());
    assert_eq!(caller.content("/a"), None);
    caller.wait_until("/a", Some("a")).await;
}

#[tokio::test]
async fn faults_come_every_so_often_or_by_a_seed() {
    let caller = Caller::new().await;
    let faults = caller.double.faults();
    faults.fail_every(3, "get_metadata", "", Fault::Answer(answers::server_error(503)));
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(caller.rpc("get_metadata", r#"{"path": "/a"}"#).await.unwrap().0);
    }
    assert_eq!(statuses, [409, 409, 503, 409, 409, 503]);
    faults.heal();

    let mut runs = Vec::new();
    for _ in 0..2 {
        let ways = vec![Fault::Answer(answers::server_error(500)), Fault::DropBefore];
        faults.random_on("get_metadata", "/a", 7, 300, ways);
        let mut run = Vec::new();
        for _ in 0..40 {
            let answer = caller.rpc("get_metadata", r#"{"path": "/a"}"#).await;
            run.push(answer.map_or(0, |(status, _)| status));
        }
        faults.heal();
        runs.push(run);
    }
    assert_eq!(runs[0], runs[1]);
    assert!([0, 409, 500].iter().all(|status| runs[0].contains(status)), "{:?}", runs[0]);
}

#[tokio::test]
async fn limits_may_be_dates() {
    let caller = Caller::new().await;
    let limit = answers::rate_limited_until(Duration::from_secs(90));
    caller.double.faults().fail("get_metadata", "", Fault::Answer(limit));
    let request = caller.request("get_metadata").header("content-type", "application/json");
    let answer = request.body(r#"{"path": "/a"}"#).send().await.unwrap();
    assert_eq!(answer.status(), 429);
    assert!(answer.headers()["retry-after"].to_str().unwrap().ends_with(" GMT"));
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("text/plain"));
}

#[tokio::test]
async fn two_who_write_at_once_are_in_each_others_way() {
    let caller = Caller::new().await;
    caller.double.set_batch_time(Duration::from_millis(1500));
    let ids = caller.sessions(&["one", "two"]).await;
    let later = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let batch = caller.finish(&ids[1], 3, "/two").await;
        let upload = caller.upload("/three", "three").await.unwrap();
        (batch, upload, caller.rpc("delete_v2", r#"{"path": "/one"}"#).await.unwrap())
    };
    let (first, (batch, upload, delete)) = tokio::join!(caller.finish(&ids[0], 3, "/one"), later);
    assert!(first.1.contains(r#"".tag": "success", "name": "one""#), "{}", first.1);
    let failure = r#"{".tag": "failure", "failure": {".tag": "too_many_write_operations"}}"#;
    assert_eq!(batch, (200, format!(r#"{{"entries": [{failure}]}}"#)));
    let limit = r#""error": {"reason": {".tag": "too_many_write_operations"}}}"#;
    assert!(upload.0 == 429 && upload.1.ends_with(limit), "{}", upload.1);
    assert_eq!((delete.0, caller.double.files()), (409, 1));
    let finishes = "files/upload_session/finish_batch_v2";
    assert_eq!(caller.double.requests().most_at_once(finishes), 2);
    caller.double.set_batch_time(Duration::ZERO);
    // It can be tried again: the session is still there.
    assert!(caller.finish(&ids[1], 3, "/two").await.1.contains("success"));
    assert_eq!(caller.double.requests().of(finishes), 3);
}
