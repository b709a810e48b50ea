//! The bytes of answers, and which requests are not understood.

use super::caller::{Caller, read};

#[tokio::test]
async fn metadata_has_a_tag_only_where_it_may_be_any() {
    let caller = Caller::new().await;
    let (status, uploaded) = caller.upload("/Log/1", "one").await.unwrap();
    assert_eq!(status, 200);
    let begin = r#"{"name": "1", "path_lower": "/log/1", "path_display": "/Log/1", "id": "id:"#;
    assert!(uploaded.starts_with(begin), "{uploaded}");
    let (_, looked_up) = caller.rpc("get_metadata", r#"{"path": "/LOG/1"}"#).await.unwrap();
    assert_eq!(looked_up, uploaded.replacen('{', r#"{".tag": "file", "#, 1));
    let (_, deleted) = caller.rpc("delete_v2", r#"{"path": "/log/1"}"#).await.unwrap();
    assert_eq!(deleted, format!(r#"{{"metadata": {looked_up}}}"#));
    let arg = r#"{"path": "/log/1", "include_deleted": true}"#;
    let (_, gone) = caller.rpc("get_metadata", arg).await.unwrap();
    let deleted =
        r#"{".tag": "deleted", "name": "1", "path_lower": "/log/1", "path_display": "/Log/1"}"#;
    assert_eq!(gone, deleted);
}

#[tokio::test]
async fn a_conflict_of_an_upload_is_flat_and_that_of_a_batch_is_nested() {
    let caller = Caller::new().await;
    caller.upload("/log/1", "one").await.unwrap();
    let (status, conflict) = caller.upload("/log/1", "one").await.unwrap();
    let reason = r#"{".tag": "conflict", "conflict": {".tag": "file"}}"#;
    assert_eq!(status, 409);
    assert!(conflict.starts_with(r#"{"error_summary": "path/conflict/file/"#), "{conflict}");
    let error = format!(
        r#", "error": {{".tag": "path", "reason": {reason}, "upload_session_id": "pid_upload_session:"#
    );
    assert!(conflict.contains(&error), "{conflict}");

    let id = caller.sessions(&["two"]).await.remove(0);
    let (status, refused) = caller.finish(&id, 3, "/log/1").await;
    let failure = format!(r#"{{".tag": "path", "path": {reason}}}"#);
    let entries = format!(r#"{{"entries": [{{".tag": "failure", "failure": {failure}}}]}}"#);
    assert_eq!((status, refused), (200, entries));
}

#[tokio::test]
async fn an_offset_stands_beside_its_tag() {
    let caller = Caller::new().await;
    let id = caller.sessions(&["one"]).await.remove(0);
    let (_, refused) = caller.finish(&id, 2, "/log/1").await;
    let lookup = r#"{".tag": "incorrect_offset", "correct_offset": 3}"#;
    let failure = format!(r#"{{".tag": "lookup_failed", "lookup_failed": {lookup}}}"#);
    let entries = format!(r#"{{"entries": [{{".tag": "failure", "failure": {failure}}}]}}"#);
    assert_eq!(refused, entries);
}

#[tokio::test]
async fn a_download_may_be_a_part_or_known() {
    let caller = Caller::new().await;
    let (_, uploaded) = caller.upload("/a", "0123456789").await.unwrap();
    let download = || caller.request("download").header("dropbox-api-arg", r#"{"path": "/a"}"#);
    let whole = download().send().await.unwrap();
    assert_eq!(whole.headers()["dropbox-api-result"], uploaded.as_str());
    let etag = whole.headers()["etag"].clone();
    assert_eq!(read(whole).await.unwrap(), (200, "0123456789".to_owned()));
    let part = download().header("range", "bytes=2-4").send().await.unwrap();
    assert_eq!(part.headers()["content-range"], "bytes 2-4/10");
    assert_eq!(read(part).await.unwrap(), (206, "234".to_owned()));
    let known = download().header("if-none-match", etag).send().await.unwrap();
    assert_eq!(read(known).await.unwrap(), (304, String::new()));
}

#[tokio::test]
async fn what_is_not_of_the_form_is_refused_as_text() {
    let caller = Caller::new().await;
    let json = |route| caller.request(route).header("content-type", "application/json");
    let octets = || caller.request("upload").header("content-type", "application/octet-stream");
    let without_token = format!("{}/2/files/list_folder", caller.double.url());
    for (request, why) in [
        (json("get_metadata").body(r#"{"path": "/a", "x": 1}"#), "unknown field `x`"),
        (json("get_metadata").body(r#"{"path": "a"}"#), "did not match pattern"),
        (json("delete_v2").body(r#"{"path": "/a", "parent_rev": "12"}"#), "rev: '12'"),
        (json("list_folder").body("{}"), "missing field `path`"),
        (json("list_folder").body(""), "could not decode input as JSON"),
        (json("list_folder").body(r#"{"path": "", "limit": 2001}"#), "limit: "),
        (json("list_folder/longpoll").body(r#"{"cursor": "x"}"#), "does not take an authorization"),
        (
            json("upload").header("dropbox-api-arg", r#"{"path": "/a"}"#),
            "Bad HTTP \"Content-Type\"",
        ),
        (octets(), "Must provide HTTP header \"Dropbox-API-Arg\""),
        (octets().header("dropbox-api-arg", r#"{"path": "/é"}"#), "could not decode input as JSON"),
        (
            octets().header("dropbox-api-arg", r#"{"path": "/a", "mode": "append"}"#),
            "unknown tag 'append'",
        ),
        (caller.request("download").body("x"), "takes no request body"),
        (reqwest::Client::new().post(&without_token), "Must provide HTTP header \"Authorization\""),
        (
            reqwest::Client::new().post(&without_token).bearer_auth("nonsense"),
            "The given OAuth 2 access token is malformed.",
        ),
    ] {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
        let (status, text) = read(answer).await.unwrap();
        assert!(text.starts_with("Error in call to API function \"files/"), "{text}");
        assert!(status == 400 && text.contains(why), "{status} {text}");
    }
    let (status, text) = caller.rpc("copy_v2", "{}").await.unwrap();
    assert_eq!((status, text.as_str()), (404, "Unknown API function: \"files/copy_v2\""));
}
