use bytes::Bytes;
use db_to_cloud_http::Answer;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use super::*;

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Answer {
    let header = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let headers: HeaderMap = headers.iter().map(header).collect();
    Answer { status, headers, body: Bytes::from_static(body.as_bytes()) }
}

fn error(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Error {
    Failure::Refused(Refusal::of(&answer(status, headers, body))).at("put", "docs/a")
}

/// Bodies as recorded from the service (`shared/facts`, 1.1, 2.1, 3.1) or from its specification.
#[test]
fn each_answer_has_a_meaning() {
    use ErrorKind::*;
    let cases = [
        (
            409,
            r#"{"error_summary": "path/insufficient_space/", "error": {".tag": "path", "reason": {".tag": "insufficient_space"}, "upload_session_id": "pid_upload_session:ABIKTyOkskLN"}}"#,
            Full,
            "make room",
        ),
        (
            409,
            r#"{"error_summary": "path/no_write_permission/..", "error": {".tag": "path", "reason": {".tag": "no_write_permission"}}}"#,
            Forbidden,
            "allow this app to write",
        ),
        (
            409,
            r#"{"error_summary": "path/disallowed_name/..", "error": {".tag": "path", "reason": {".tag": "disallowed_name"}}}"#,
            InvalidInput,
            "name",
        ),
        (
            409,
            r#"{"error_summary": "path/malformed_path/..", "error": {".tag": "path", "path": {".tag": "malformed_path", "malformed_path": "x"}}}"#,
            InvalidInput,
            "path",
        ),
        (
            409,
            r#"{"error_summary": "path/conflict/folder/", "error": {".tag": "path", "reason": {".tag": "conflict", "conflict": {".tag": "folder"}}}}"#,
            InvalidInput,
            "move it away",
        ),
        (
            409,
            r#"{"error_summary": "path/not_file/", "error": {".tag": "path", "path": {".tag": "not_file"}}}"#,
            InvalidInput,
            "move it away",
        ),
        (
            409,
            r#"{"error_summary": "path/restricted_content/", "error": {".tag": "path", "path": {".tag": "restricted_content"}}}"#,
            Forbidden,
            "does not give",
        ),
        (
            409,
            r#"{"error_summary": "unsupported_file/", "error": {".tag": "unsupported_file"}}"#,
            Unsupported,
            "cannot",
        ),
        (
            409,
            r#"{"error_summary": "payload_too_large/", "error": {".tag": "payload_too_large"}}"#,
            Unsupported,
            "too large",
        ),
        (
            409,
            r#"{"error_summary": "content_hash_mismatch/", "error": {".tag": "content_hash_mismatch"}}"#,
            Unavailable,
            "damaged",
        ),
        (
            409,
            r#"{"error_summary": "path/operation_suppressed/", "error": {".tag": "path", "reason": {".tag": "operation_suppressed"}}}"#,
            Unavailable,
            "busy",
        ),
        (409, r#"{"error_summary": "news/", "error": {".tag": "news"}}"#, Unavailable, "(news)"),
        (409, "<html>", Unavailable, "none of Dropbox's"),
        (
            401,
            r#"{"error_summary": "expired_access_token/.", "error": {".tag": "expired_access_token"}}"#,
            Unauthorized,
            "sign in",
        ),
        (
            401,
            r#"{"error_summary": "invalid_access_token/.", "error": {".tag": "invalid_access_token"}}"#,
            Unauthorized,
            "sign in",
        ),
        (
            401,
            r#"{"error_summary": "user_suspended/.", "error": {".tag": "user_suspended"}}"#,
            Unauthorized,
            "suspended",
        ),
        (
            401,
            r#"{"error_summary": "missing_scope/...", "error": {".tag": "missing_scope", "required_scope": "files.content.write"}}"#,
            Forbidden,
            "it needs files.content.write",
        ),
        (
            400,
            r#"Error in call to API function "files/upload": The given OAuth 2 access token is malformed."#,
            Unauthorized,
            "sign in",
        ),
        (
            400,
            r#"Error in call to API function "files/upload": Invalid authorization value in HTTP header/URL parameter"#,
            Unauthorized,
            "sign in",
        ),
        (
            400,
            r#"Error in call to API function "files/upload": HTTP header "Dropbox-API-Arg": mode: unknown tag"#,
            Unsupported,
            "does not understand",
        ),
        (
            403,
            r#"{"error_summary": "no_permission/", "error": {".tag": "no_permission"}}"#,
            Forbidden,
            "account",
        ),
        (
            422,
            r#"{"error_summary": "invalid_root/", "error": {".tag": "invalid_root", "invalid_root": {".tag": "user", "root_namespace_id": "1", "home_namespace_id": "1"}}}"#,
            InvalidInput,
            "namespace",
        ),
        (500, "<html>", Unavailable, "failed"),
        (503, "", Unavailable, "failed"),
        (408, "", TimedOut, "later"),
        (302, "", Unavailable, "redirect"),
        (404, "", Unsupported, "address"),
        (429, "too_many_requests", Throttled, "fewer requests"),
    ];
    for (status, body, kind, advice) in cases {
        let error = error(status, &[], body);
        assert_eq!(error.kind(), kind, "{status} {body}: {error}");
        assert!(error.to_string().contains(advice), "{status} {body}: {error}");
    }
}

#[test]
fn a_pause_is_found_wherever_it_stands() {
    let requests = r#"{"error_summary": "too_many_requests/..", "error": {"reason": {".tag": "too_many_requests"}, "retry_after": 300}}"#;
    let writes = r#"{"error_summary": "too_many_write_operations/", "error": {"reason": {".tag": "too_many_write_operations"}}}"#;
    let date = [
        ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"),
        ("date", "Wed, 21 Oct 2026 07:28:00 GMT"),
    ];
    let pauses = [
        (error(429, &[], requests), 300),
        (error(429, &[("retry-after", "15")], requests), 15),
        (error(429, &[], writes), 1),
        (error(429, &[("retry-after", "7")], "too_many_requests"), 7),
        (error(429, &date, "too_many_requests"), 30),
        (error(503, &[("retry-after", "9")], ""), 9),
    ];
    for (error, seconds) in pauses {
        assert_eq!(error.kind(), ErrorKind::Throttled, "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(seconds)), "{error}");
    }
}

#[test]
fn only_a_clear_refusal_left_nothing() {
    let conflict = r#"{"error": {".tag": "path", "reason": {".tag": "no_write_permission"}}}"#;
    for (status, body, effect) in [
        (409, conflict, Effect::None),
        (401, "", Effect::None),
        (400, "", Effect::None),
        (403, "", Effect::None),
        (409, "", Effect::Unknown),
        (409, r#"{"error": {".tag": "other"}}"#, Effect::Unknown),
        (429, "", Effect::Unknown),
        (500, "", Effect::Unknown),
        (408, "", Effect::Unknown),
    ] {
        assert_eq!(error(status, &[], body).effect(), effect, "{status} {body}");
    }
}

/// By its tags: the summary is for people and ends with a random number of dots.
#[test]
fn an_absence_is_told_by_tags_alone() {
    let failure = |body| Failure::Refused(Refusal::of(&answer(409, &[], body)));
    let absent =
        r#"{"error_summary": "", "error": {".tag": "path", "path": {".tag": "not_found"}}}"#;
    let other = r#"{"error_summary": "path/not_found/..", "error": {".tag": "path", "path": {".tag": "not_file"}}}"#;
    assert!(failure(absent).is_absence());
    assert!(!failure(other).is_absence());
    assert!(!Failure::Refused(Refusal::of(&answer(404, &[], absent))).is_absence());
}
