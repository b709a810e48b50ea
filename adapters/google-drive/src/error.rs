//! What went wrong, and what it means to the core.

use std::time::Duration;

use db_to_cloud::{Effect, Error, ErrorKind};
use db_to_cloud_http::{Answer, NoAnswer, Paused};
use serde_json::Value;

/// A setting that makes no sense.
pub(crate) fn invalid(setting: &str, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "configure google drive")
        .with_key(setting)
        .with_message(why)
}

/// A failure below the trait; [`Failure::at`] makes the public error of it.
#[derive(Debug)]
pub(crate) struct Failure {
    cause: Cause,
    effect: Effect,
}

#[derive(Debug)]
enum Cause {
    /// There is no answer.
    NoAnswer(NoAnswer),
    /// An answer that is none of Drive's, or half of one.
    NotDrive(&'static str),
    /// An answer that says no.
    Refused(Refusal),
    /// No token could be had.
    Token(Error),
    /// The storage itself is not as it should be.
    Storage(ErrorKind, &'static str),
}

/// What an answer that says no says.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The first of `errors[].reason`, by which Google decides; the status says less.
    pub(crate) reason: String,
    message: String,
    pub(crate) pause: Option<Duration>,
}

impl Refusal {
    pub(crate) fn of(answer: &Answer) -> Self {
        let body = serde_json::from_slice::<Value>(&answer.body).unwrap_or_default();
        let error = &body["error"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Self {
            status: answer.status,
            reason: text(&error["errors"][0]["reason"]),
            message: text(&error["message"]),
            pause: answer.retry_after(),
        }
    }

    /// Whether Google asks for fewer requests: also with a 403.
    pub(crate) fn is_too_much(&self) -> bool {
        const REASONS: [&str; 3] =
            ["userRateLimitExceeded", "rateLimitExceeded", "sharingRateLimitExceeded"];
        self.status == 429 || self.status == 403 && REASONS.contains(&self.reason.as_str())
    }

    /// Whether a file with this id is there, or was.
    pub(crate) fn is_id_in_use(&self) -> bool {
        let says = self.message.contains("already exists with the provided ID");
        self.status == 409 && (self.reason == "fileIdInUse" || says)
    }
}

impl Failure {
    fn new(cause: Cause) -> Self {
        let refused = match &cause {
            Cause::NoAnswer(why) => !why.was_sent(),
            Cause::Token(_) | Cause::Storage(..) => true,
            // Inserts that Google refused for their rate were there all the same (facts, trap 3).
            Cause::Refused(refusal) if refusal.is_too_much() => false,
            Cause::Refused(refusal) => matches!(refusal.status, 300..=407 | 410..=417),
            _ => false,
        };
        Self { cause, effect: if refused { Effect::None } else { Effect::Unknown } }
    }

    pub(crate) fn no_answer(why: NoAnswer) -> Self {
        Self::new(Cause::NoAnswer(why))
    }

    pub(crate) fn not_drive(why: &'static str) -> Self {
        Self::new(Cause::NotDrive(why))
    }

    pub(crate) fn token(error: Error) -> Self {
        Self::new(Cause::Token(error))
    }

    pub(crate) fn storage(kind: ErrorKind, why: &'static str) -> Self {
        Self::new(Cause::Storage(kind, why))
    }

    /// An answer that says no, or a success that is none of Drive's.
    pub(crate) fn of(answer: &Answer) -> Self {
        match answer.status {
            200..=299 => Self::not_drive("an answer that Drive does not give"),
            _ => Self::new(Cause::Refused(Refusal::of(answer))),
        }
    }

    /// Nothing was sent: Google asked for a pause.
    pub(crate) fn paused(pause: Paused) -> Self {
        let (reason, message) = Default::default();
        let refusal = Refusal { status: 429, reason, message, pause: Some(pause.left) };
        Self { cause: Cause::Refused(refusal), effect: Effect::None }
    }

    /// The same failure of a later request, after one that may have had an effect.
    pub(crate) fn after_sending(mut self) -> Self {
        self.effect = Effect::Unknown;
        self
    }

    /// The pause that goes with a refusal for the rate.
    pub(crate) fn with_pause(mut self, pause: Duration) -> Self {
        if let Cause::Refused(refusal) = &mut self.cause {
            refusal.pause = refusal.pause.max(Some(pause));
        }
        self
    }

    pub(crate) fn has_status(&self, status: u16) -> bool {
        matches!(&self.cause, Cause::Refused(refusal) if refusal.status == status)
    }

    pub(crate) fn is_id_in_use(&self) -> bool {
        matches!(&self.cause, Cause::Refused(refusal) if refusal.is_id_in_use())
    }

    /// Whether Drive refuses such a request for good, to this application or to all.
    pub(crate) fn is_for_good(&self) -> bool {
        let Cause::Refused(refusal) = &self.cause else { return false };
        matches!(refusal.meaning().0, ErrorKind::Forbidden | ErrorKind::Unsupported)
    }

    /// The public error of this operation on this key.
    pub(crate) fn at(self, operation: &'static str, key: impl std::fmt::Display) -> Error {
        let (kind, advice) = self.meaning();
        let error = Error::new(kind, operation).with_key(key).with_effect(self.effect);
        match self.cause {
            Cause::Token(error) => error,
            Cause::NoAnswer(NoAnswer::TimedOut(limit)) => {
                error.with_message(format!("no answer within {} s: {advice}", limit.as_secs()))
            }
            Cause::NotDrive(why) => error.with_message(format!("{why}: {advice}")),
            Cause::NoAnswer(
                NoAnswer::NotConnected(text) | NoAnswer::Line(text) | NoAnswer::Tls(text),
            ) => error.with_message(advice).with_source(text),
            Cause::Storage(_, why) => error.with_message(why),
            Cause::Refused(refusal) => refusal.explain(error, advice),
        }
    }

    /// What it means and what to do.
    fn meaning(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::{TimedOut, Unavailable};
        match &self.cause {
            Cause::NoAnswer(NoAnswer::TimedOut(_)) => (TimedOut, "check the network"),
            Cause::NoAnswer(_) => (Unavailable, "check the network"),
            Cause::NotDrive(_) => (Unavailable, "a sign-in page of a network answers so"),
            Cause::Token(error) => (error.kind(), ""),
            Cause::Storage(kind, why) => (*kind, why),
            Cause::Refused(refusal) => refusal.meaning(),
        }
    }
}

impl Refusal {
    fn explain(self, error: Error, advice: &'static str) -> Error {
        let reason = if self.reason.is_empty() { "no reason given" } else { &self.reason };
        let error = error.with_message(format!("{advice} ({}: {reason})", self.status));
        let error = match self.pause.filter(|_| error.is_transient()) {
            Some(pause) => error.with_retry_after(pause),
            None => error,
        };
        if self.message.is_empty() { error } else { error.with_source(self.message) }
    }

    /// The one place where a status and a reason become a kind.
    fn meaning(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::*;
        if self.is_too_much() {
            return (Throttled, "Google asks for fewer requests: try again later");
        }
        match (self.status, self.reason.as_str()) {
            (401, _) => (Unauthorized, "sign in again"),
            (403, "storageQuotaExceeded") => {
                (Full, "make room in the Google account: Drive, Gmail and Photos share it")
            }
            (403, "appNotAuthorizedToFile") => (
                Forbidden,
                "the file was not made by this application: sign in with the client id that made \
                 the storage",
            ),
            (403, "insufficientFilePermissions") => {
                (Forbidden, "this account may not write the file: sign in as its owner")
            }
            (
                403,
                "insufficientPermissions"
                | "insufficientScopes"
                | "ACCESS_TOKEN_SCOPE_INSUFFICIENT",
            ) => (Forbidden, "sign in again and allow the application its files in Drive"),
            (403, "accessNotConfigured" | "SERVICE_DISABLED") => {
                (Forbidden, "enable the Drive API in the Google Cloud project of the client id")
            }
            (403, "dailyLimitExceeded" | "quotaExceeded") => {
                (Throttled, "the quota of today is used up: try again later")
            }
            (403, "numChildrenInNonRootLimitExceeded") => {
                (Full, "the folder has as many files as Drive allows: use another one")
            }
            (403, _) => (Forbidden, "Google does not allow it"),
            // A get of an absent object never comes here.
            (404 | 410, _) => (Unavailable, "the folder is gone: try again"),
            (405, _) => (Unavailable, "Google takes this for abuse for now: try again later"),
            (408, _) => (TimedOut, "try again later"),
            (409 | 412, _) => (Unavailable, "something changed meanwhile: try again"),
            (413, _) => (Unsupported, "the object is too large for Drive"),
            (500..=599, _) => (Unavailable, "Google failed: try again later"),
            (300..=399, _) => (Unavailable, "a sign-in page of a network answers so"),
            _ => (Unsupported, "Google does not understand the request"),
        }
    }
}

#[cfg(test)]
#[path = "error/tests.rs"]
mod tests;
