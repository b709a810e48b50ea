//! What Dropbox answers when it refuses, word for word (facts 2.1, 3.1, 5.1); for [`crate::Fault`]s too.

use std::time::{Duration, SystemTime};

use super::json::Json;
use crate::Answer;

/// A refusal that every endpoint may answer.
pub(crate) fn error(status: u16, error: Json) -> Answer {
    let dots = ".".repeat(fastrand::usize(..4));
    let summary = format!("{}/{dots}", error.tags().join("/"));
    let body = Json::object().with("error_summary", summary).with("error", error);
    Answer::new(status, "application/json", body.to_string())
}

/// 400 as text: the request is not well-formed.
pub(crate) fn bad_request(route: &str, why: &str) -> Answer {
    text(400, format!("Error in call to API function \"{route}\": {why}"))
}

/// No such route.
pub(crate) fn unknown_function(name: &str) -> Answer {
    text(404, format!("Unknown API function: \"{name}\""))
}

/// 431, from a machine on the way to the service.
pub fn header_too_long() -> Answer {
    text(431, "Request Header Fields Too Large")
}

fn text(status: u16, body: impl Into<String>) -> Answer {
    Answer::new(status, "text/plain; charset=utf-8", body)
}

/// 429 as JSON, with the seconds in the body and in `Retry-After`.
pub fn rate_limited(seconds: u64) -> Answer {
    let reason = Json::object().with("reason", Json::tag("too_many_requests"));
    error(429, reason.with("retry_after", seconds)).with("retry-after", seconds)
}

/// 429 as text, with the seconds in `Retry-After` alone.
pub fn rate_limited_text(seconds: u64) -> Answer {
    text(429, "too_many_requests").with("retry-after", seconds)
}

/// 429 as text, with a date in `Retry-After`.
pub fn rate_limited_until(wait: Duration) -> Answer {
    // The date has whole seconds: never less than what was asked for.
    let until = SystemTime::now() + wait + Duration::from_secs(1);
    text(429, "too_many_requests").with("retry-after", httpdate::fmt_http_date(until))
}

/// 429: others write to the same account; with or without seconds.
pub fn too_many_write_operations(seconds: Option<u64>) -> Answer {
    let reason = Json::object().with("reason", Json::tag("too_many_write_operations"));
    match seconds {
        None => error(429, reason),
        Some(seconds) => error(429, reason.with("retry_after", seconds)),
    }
}

/// 401: the access token has ended.
pub fn expired_access_token() -> Answer {
    error(401, Json::tag("expired_access_token"))
}

/// 401: the access token is not known, or was revoked.
pub fn invalid_access_token() -> Answer {
    error(401, Json::tag("invalid_access_token"))
}

/// 409: the cursor is void, list again.
pub fn reset() -> Answer {
    error(409, Json::tag("reset"))
}

/// 409 of a job: nobody knows what became of it.
pub fn internal_error() -> Answer {
    error(409, Json::tag("internal_error"))
}

/// 200 of a job's check: it failed as a whole, for others wrote.
pub fn job_failed() -> Answer {
    let failed = Json::nested("failed", Json::tag("too_many_write_operations"));
    Answer::new(200, "application/json", failed.to_string())
}

/// 500, 502, 503: a page for people.
pub fn server_error(status: u16) -> Answer {
    let page = "<!DOCTYPE html><html><body>Something went wrong</body></html>";
    Answer::new(status, "text/html; charset=utf-8", page)
}
