//! An answer that says no: which one it is, and what it means.

use std::time::Duration;

use db_to_cloud::{Error, ErrorKind};
use db_to_cloud_http::{Answer, retry_after};
use serde_json::Value;

use crate::tags::Tags;

/// What an answer that says no says.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    /// The HTTP status; 409 for an entry of a batch.
    pub(crate) status: u16,
    /// What went wrong, from the outside in.
    pub(crate) tags: Tags,
    pub(crate) pause: Option<Duration>,
    /// Whether the request left this device.
    pub(crate) sent: bool,
    /// What is missing, if it is a permission.
    scope: Option<String>,
    /// Words of the service, for people.
    text: String,
}

/// The pause after a `too_many_write_operations`, which seldom names one.
const PAUSE: Duration = Duration::from_secs(1);

/// Texts of the service for people are cut here.
const LONGEST_TEXT: usize = 300;

impl Refusal {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let error = body.as_ref().and_then(|body| body.get("error"));
        let tags = error.map(Tags::of).unwrap_or_default();
        let seconds = error.and_then(|error| error.get("retry_after")).and_then(Value::as_f64);
        let seconds = seconds.and_then(|seconds| retry_after(&seconds.to_string(), None));
        let scope = error.and_then(|error| error.get("required_scope")).and_then(Value::as_str);
        let mut refusal = Self {
            status: answer.status,
            pause: answer.retry_after().or(seconds),
            sent: true,
            scope: scope.map(str::to_owned),
            text: text_of(answer, &tags),
            tags,
        };
        if refusal.is_too_much() {
            refusal.pause = refusal.pause.or(Some(PAUSE));
        }
        refusal
    }

    pub(crate) fn of_entry(failure: &Value) -> Self {
        let tags = Tags::of(failure);
        let pause = (tags.last() == "too_many_write_operations").then_some(PAUSE);
        Self { status: 409, tags, pause, sent: true, scope: None, text: String::new() }
    }

    /// Nothing was sent: the service asked for a pause that is not over.
    pub(crate) fn paused(left: Duration) -> Self {
        let (tags, text) = (Tags::default(), String::new());
        Self { status: 429, tags, pause: Some(left), sent: false, scope: None, text }
    }

    /// Whether the service asks for fewer requests.
    pub(crate) fn is_too_much(&self) -> bool {
        // 503 is also the answer of a service in trouble, without a pause.
        self.status == 429
            || self.status == 503 && self.pause.is_some()
            || matches!(self.tags.last(), "too_many_write_operations" | "too_many_requests")
    }

    /// Whether a 400 is about who we are.
    pub(crate) fn is_about_token(&self) -> bool {
        let text = self.text.to_ascii_lowercase();
        text.contains("access token") || text.contains("authorization")
    }

    /// Whether these are Dropbox's own words.
    pub(crate) fn is_of_dropbox(&self) -> bool {
        !self.tags.is_empty() || self.text.starts_with("Error in call to API function")
    }

    /// Whether another token may help.
    pub(crate) fn is_of_token(&self) -> bool {
        self.status == 401
            && (self.tags.has("expired_access_token") || self.tags.has("invalid_access_token"))
    }

    /// Whether nothing was written for certain. A 429 or 5xx may come after the write.
    pub(crate) fn left_nothing(&self) -> bool {
        match self.status {
            _ if !self.sent => true,
            // Without tags it is not Dropbox that speaks; `other` may be anything.
            // A session that is gone may be a file already, by a commit whose answer said otherwise.
            409 if self.tags.has("lookup_failed") => false,
            409 => !matches!(self.tags.last(), "" | "other" | "internal_error"),
            status => matches!(status, 300..=407 | 410..=428),
        }
    }

    pub(crate) fn explain(self, error: Error, advice: &'static str) -> Error {
        let what = match (self.status, self.tags.to_string()) {
            (status, tags) if tags.is_empty() => status.to_string(),
            (_, tags) => tags,
        };
        let scope = self.scope.map(|scope| format!(": it needs {scope}")).unwrap_or_default();
        let error = error.with_message(format!("{advice}{scope} ({what})"));
        let error = match self.pause.filter(|_| error.is_transient()) {
            Some(pause) => error.with_retry_after(pause),
            None => error,
        };
        if self.text.is_empty() { error } else { error.with_source(self.text) }
    }

    /// What it means and what to do. The one place where an answer becomes a kind.
    pub(crate) fn meaning(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::*;
        if self.is_too_much() {
            return (Throttled, "Dropbox asks for fewer requests: try again later");
        }
        match self.status {
            // Dropbox does not redirect.
            300..=399 => (Unavailable, "a redirect: a sign-in page of a network answers so"),
            // Not 401: a token that cannot be one.
            400 if self.is_about_token() => (Unauthorized, "sign in to Dropbox again"),
            401 => self.of_401(),
            403 => (Forbidden, "this account or app may not do that"),
            408 => (TimedOut, "try again later"),
            409 => self.of_409(),
            413 => (Unsupported, "the file is too large for Dropbox"),
            // A home of a team that is not that of this user.
            422 => (InvalidInput, "the namespace of this account is another: sign in again"),
            500..=599 => (Unavailable, "Dropbox failed: try again later"),
            _ => (Unsupported, "Dropbox does not understand: is this its address?"),
        }
    }

    fn of_401(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::{Forbidden, Unauthorized};
        match self.tags.last() {
            "missing_scope" => {
                (Forbidden, "allow the app to do that in Dropbox's App Console and sign in again")
            }
            "user_suspended" => (Unauthorized, "this Dropbox account is suspended"),
            _ => (Unauthorized, "sign in to Dropbox again"),
        }
    }

    /// By what really happened; what was asked for is in the tags before.
    fn of_409(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::*;
        let tag = |tag| self.tags.has(tag);
        match self.tags.last() {
            "" => (Unavailable, "an answer that is none of Dropbox's: try again"),
            "insufficient_space" | "insufficient_quota" => (Full, "make room in this Dropbox"),
            "no_write_permission" | "access_restricted" | "team_folder" | "no_permission" => {
                (Forbidden, "allow this app to write in this folder")
            }
            "restricted_content" => (Forbidden, "Dropbox does not give this file out any more"),
            "file" | "folder" | "file_ancestor" if tag("conflict") => {
                (InvalidInput, "something of another kind has this name: move it away")
            }
            "not_file" | "not_folder" => {
                (InvalidInput, "something of another kind has this name: move it away")
            }
            "disallowed_name" => (InvalidInput, "Dropbox does not allow this name"),
            _ if tag("malformed_path") => (InvalidInput, "Dropbox does not allow this path"),
            "unsupported_file"
            | "unsupported_content_type"
            | "unsupported_extension"
            | "encryption_not_supported" => (Unsupported, "Dropbox cannot store or read this"),
            "payload_too_large" | "too_large" => (Unsupported, "too large for Dropbox"),
            "content_hash_mismatch" | "length_mismatch" => {
                (Unavailable, "the upload was damaged on its way: try again")
            }
            // The session of an upload: it is begun anew.
            "incorrect_offset" | "closed" | "not_closed" => {
                (Unavailable, "the upload was cut short: try again")
            }
            "not_found" if tag("lookup_failed") || self.tags.begin(&["not_found"]) => {
                (Unavailable, "the upload was cut short: try again")
            }
            // A get of an absent object never comes here.
            "not_found" => (Unavailable, "it is gone: try again"),
            "locked" | "operation_suppressed" | "too_many_files" => {
                (Unavailable, "Dropbox is busy with it: try again")
            }
            _ => (Unavailable, "Dropbox refuses for a reason that is not known: try again later"),
        }
    }
}

/// What the service says in words: all of a text, of JSON only what is no tag.
fn text_of(answer: &Answer, tags: &Tags) -> String {
    if answer.is_page() || !tags.is_empty() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&answer.body);
    text.trim().chars().take(LONGEST_TEXT).collect()
}
