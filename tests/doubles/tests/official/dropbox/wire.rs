//! The bytes of answers, and which requests are not understood.

use db_to_cloud_test_doubles::Dropbox;
use db_to_cloud_test_doubles::dropbox::{APP_KEY, Host};
use reqwest::redirect::Policy;

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
    let (status, text) = caller.rpc("copy_reference/get", "{}").await.unwrap();
    assert_eq!(
        (status, text.as_str()),
        (404, "Unknown API function: \"files/copy_reference/get\"")
    );
}

#[tokio::test]
async fn every_host_has_its_own_routes() {
    let double = Dropbox::start().await;
    for (here, routes) in [
        (Host::Api, ["files/list_folder", "files/upload_session/finish_batch_v2"].as_slice()),
        (Host::Content, &["files/upload", "files/download", "files/upload_session/append_batch"]),
        (Host::Notify, &["files/list_folder/longpoll"]),
    ] {
        for (host, route) in [Host::Api, Host::Content, Host::Notify]
            .into_iter()
            .flat_map(|host| routes.iter().map(move |route| (host, route)))
        {
            let url = format!("{}/2/{route}", double.host(host));
            let answer = reqwest::Client::new().post(url).send().await.unwrap();
            let (_, text) = read(answer).await.unwrap();
            let is_elsewhere = text.ends_with("this function is on another host");
            assert_eq!(is_elsewhere, host != here, "{route} at {host:?}: {text}");
        }
    }
}

#[tokio::test]
async fn a_header_may_be_too_long() {
    let caller = Caller::new().await;
    caller.double.set_header_limit(200);
    assert_eq!(caller.upload("/short", "x").await.unwrap().0, 200);
    assert_eq!(caller.upload(&format!("/{}", "x".repeat(200)), "x").await.unwrap().0, 431);
}

#[tokio::test]
async fn the_browser_is_sent_back_with_a_code_or_a_no() {
    let double = Dropbox::start().await;
    let http = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let page = |challenge: &str, redirect: &str| {
        let fields = format!("client_id={APP_KEY}&response_type=code&token_access_type=offline");
        let challenge = format!("code_challenge_method=S256&code_challenge={challenge}");
        let back = format!("redirect_uri={redirect}&state=s%26t");
        http.get(format!("{}/oauth2/authorize?{fields}&{challenge}&{back}", double.url()))
    };
    let (challenge, redirect) = ("c".repeat(43), "http%3A%2F%2Flocalhost%3A53682%2F");
    let yes = page(&challenge, redirect).send().await.unwrap();
    assert_eq!(yes.status(), 302);
    let to = yes.headers()["location"].to_str().unwrap().to_owned();
    assert!(
        to.starts_with("http://localhost:53682/?code=") && to.ends_with("&state=s%26t"),
        "{to}"
    );
    double.refuse_consent();
    let no = page(&challenge, redirect).send().await.unwrap();
    assert_eq!(no.headers()["location"], "http://localhost:53682/?error=access_denied&state=s%26t");
    assert_eq!(page("short", redirect).send().await.unwrap().status(), 400);
    assert_eq!(page(&challenge, "https%3A%2F%2Fexample.com").send().await.unwrap().status(), 400);
}
