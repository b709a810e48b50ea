//! What the service may do, done on request; and that of many who create at once one wins.

use std::time::Duration;

use db_to_cloud_test_doubles::Fault;
use db_to_cloud_test_doubles::dropbox::answers;
use tokio::task::JoinSet;

use super::caller::{Caller, read};

#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_add_at_once_one_wins() {
    let caller = Caller::new().await;
    for round in 0..20 {
        let mut adds = JoinSet::new();
        for _ in 0..8 {
            let arg = format!(r#"{{"path": "/log/{round}", "strict_conflict": true}}"#);
            let request = caller.request("upload").header("dropbox-api-arg", arg);
            let request = request.header("content-type", "application/octet-stream");
            adds.spawn(request.body("the same").send());
        }
        let answers = adds.join_all().await.into_iter().map(|answer| answer.unwrap().status());
        let mut statuses: Vec<_> = answers.map(|status| status.as_u16()).collect();
        statuses.sort_unstable();
        assert_eq!(statuses, [200, 409, 409, 409, 409, 409, 409, 409]);
    }
}

#[tokio::test]
async fn space_ends() {
    let caller = Caller::new().await;
    caller.double.set_space(10);
    assert_eq!(caller.upload("/a", "12345678").await.unwrap().0, 200);
    let (status, full) = caller.upload("/b", "123").await.unwrap();
    assert!(full.starts_with(r#"{"error_summary": "path/insufficient_space/"#), "{full}");
    assert_eq!((status, caller.double.paths()), (409, vec!["/a".to_owned()]));
    assert_eq!(caller.upload("/b", "12").await.unwrap().0, 200);
}

#[tokio::test]
async fn sessions_end_and_entries_are_refused() {
    let caller = Caller::new().await;
    let ids = caller.sessions(&["one", "two", "three"]).await;
    caller.double.refuse_every_entry(2);
    let mut texts = Vec::new();
    for _ in 0..2 {
        texts.push(caller.finish(&ids[0], 3, "/one").await.1);
        texts.push(caller.finish(&ids[1], 3, "/two").await.1);
    }
    let refused = texts.iter().map(|text| text.contains("too_many_write_operations"));
    assert_eq!(refused.collect::<Vec<_>>(), [false, true, false, true]);
    caller.double.refuse_every_entry(0);
    assert!(caller.finish(&ids[1], 3, "/two").await.1.contains("success"));
    caller.double.forget_sessions();
    assert!(caller.finish(&ids[2], 5, "/three").await.1.contains(r#"{".tag": "not_found"}"#));
}

#[tokio::test]
async fn a_longpoll_may_be_mistaken() {
    let caller = Caller::new().await;
    let arg = r#"{"path": ""}"#;
    let (_, latest) = caller.rpc("list_folder/get_latest_cursor", arg).await.unwrap();
    let cursor = latest.split('"').nth(3).unwrap();
    caller.double.set_longpoll_second(Duration::from_millis(5));
    caller.double.raise_false_alarms(1);
    let arg = format!(r#"{{"cursor": "{cursor}"}}"#);
    for changes in ["true", "false"] {
        let url = format!("{}/2/files/list_folder/longpoll", caller.double.url());
        let request = reqwest::Client::new().post(url).header("content-type", "application/json");
        let answer = read(request.body(arg.clone()).send().await.unwrap()).await.unwrap();
        assert_eq!(answer, (200, format!(r#"{{"changes": {changes}}}"#)));
    }
    let (_, page) = caller.rpc("list_folder/continue", &arg).await.unwrap();
    assert!(page.starts_with(r#"{"entries": [], "cursor": "AAH"#), "{page}");
}

#[tokio::test]
async fn a_job_takes_its_time_and_may_fail() {
    let caller = Caller::new().await;
    caller.upload("/a", "a").await.unwrap();
    caller.double.set_batch_time(Duration::from_secs(1));
    let arg = r#"{"entries": [{"path": "/a"}]}"#;
    let (_, job) = caller.rpc("delete_batch", arg).await.unwrap();
    let id = job.rsplit('"').nth(1).unwrap();
    assert_eq!(job, format!(r#"{{".tag": "async_job_id", "async_job_id": "{id}"}}"#));
    let check = format!(r#"{{"async_job_id": "{id}"}}"#);
    let faults = caller.double.faults();
    faults.fail("delete_batch/check", "", Fault::Answer(answers::internal_error()));
    faults.fail("delete_batch/check", "", Fault::Answer(answers::job_failed()));
    let mut texts = Vec::new();
    for _ in 0..4 {
        texts.push(caller.rpc("delete_batch/check", &check).await.unwrap().1);
    }
    assert!(texts[0].starts_with(r#"{"error_summary": "internal_error/"#), "{}", texts[0]);
    let failed = r#"{".tag": "failed", "failed": {".tag": "too_many_write_operations"}}"#;
    assert_eq!(texts[1..], [failed, r#"{".tag": "in_progress"}"#, r#"{".tag": "in_progress"}"#]);
    assert!(caller.content("/a").is_some());
    caller.wait_until("/a", None).await;
    let (_, done) = caller.rpc("delete_batch/check", &check).await.unwrap();
    let begin =
        r#"{".tag": "complete", "entries": [{".tag": "success", "metadata": {".tag": "file", "#;
    assert!(done.starts_with(begin), "{done}");
}
