//! Answers as servers give them, and what is made of them.

use bytes::Bytes;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use std::error::Error as StdError;

use super::*;

fn answer(status: u16, headers: &[(&'static str, &'static str)], body: &'static str) -> Answer {
    let header = |(name, value): &(&'static str, &'static str)| {
        (HeaderName::from_static(name), HeaderValue::from_static(value))
    };
    let headers: HeaderMap = headers.iter().map(header).collect();
    Answer { status, headers, body: Bytes::from_static(body.as_bytes()) }
}

fn error(status: u16) -> Error {
    Failure::of_refusal(Refusal::of(&answer(status, &[], ""))).at("put", "docs/a.1")
}

#[test]
fn each_status_says_what_to_do_and_what_it_left_behind() {
    use Effect::{None, Unknown};
    use ErrorKind::*;
    let known = [
        (301, InvalidInput, None, "another address"),
        (400, Unsupported, None, "WebDAV"),
        (401, Unauthorized, None, "password"),
        (403, Forbidden, None, "allow this user"),
        (404, Unavailable, None, "right address"),
        (405, Unsupported, None, "WebDAV"),
        (408, TimedOut, Unknown, "later"),
        (409, Unavailable, Unknown, "try again"),
        (412, Unavailable, None, "try again"),
        (413, Unsupported, None, "too large"),
        (423, Unavailable, None, "locked"),
        (424, Unavailable, Unknown, "locked"),
        (429, Throttled, None, "fewer requests"),
        (500, Unavailable, Unknown, "failed"),
        (501, Unsupported, None, "WebDAV"),
        (503, Unavailable, Unknown, "maintenance"),
        (507, Full, None, "room"),
    ];
    for (status, kind, effect, advice) in known {
        let error = error(status);
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{status}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(error.to_string().contains(&format!("({status})")), "{error}");
    }
}

#[test]
fn a_pause_makes_a_busy_server_one_that_asks_for_less() {
    let pause = [
        ("retry-after", "Wed, 21 Oct 2026 07:28:30 GMT"),
        ("date", "Wed, 21 Oct 2026 07:28:00 GMT"),
    ];
    let refusal = Refusal::of(&answer(503, &pause, ""));
    assert!(refusal.is_too_much());
    let error = Failure::of_refusal(refusal).at("get", "meta.json");
    assert_eq!(
        (error.kind(), error.retry_after()),
        (ErrorKind::Throttled, Some(Duration::from_secs(30)))
    );
    assert!(!Refusal::of(&answer(503, &[], "")).is_too_much(), "a cloud in maintenance");
}

#[test]
fn what_the_server_says_is_kept_as_the_source() {
    let body = "<d:error xmlns:d=\"DAV:\"><s:message>The disk is full</s:message></d:error>";
    let error = Failure::of_refusal(Refusal::of(&answer(507, &[], body))).at("put", "docs/a.1");
    assert_eq!(StdError::source(&error).unwrap().to_string(), "The disk is full");
    assert!(!error.to_string().contains("The disk is full"));
}

#[test]
fn a_later_failure_leaves_unknown_what_was_sent_before() {
    let failure = Failure::of_refusal(Refusal::of(&answer(403, &[], "")));
    assert_eq!(failure.clone().at("create", "x").effect(), Effect::None);
    assert_eq!(failure.after_sending().at("create", "x").effect(), Effect::Unknown);
}
