//! What went wrong, and what it means to the core.

use std::time::Duration;

use db_to_cloud::{Effect, Error, ErrorKind};
use db_to_cloud_http::{NoAnswer, Paused, chain};

use crate::refusal::Refusal;

/// A setting that makes no sense.
pub(crate) fn invalid(setting: &str, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "configure dropbox").with_key(setting).with_message(why)
}

/// A failure below the trait; [`Failure::at`] makes the public error of it.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// No token to sign in with: kind, pause and text of the provider's error. Nothing was sent.
    NoToken(ErrorKind, Option<Duration>, String),
    /// The token cannot be a header. Nothing was sent.
    BadToken,
    /// There is no answer.
    NoAnswer(NoAnswer),
    /// An answer that is none of Dropbox's, or half of one.
    NotDropbox(&'static str),
    /// An answer that says no.
    Refused(Refusal),
    /// A list that can only begin anew.
    ListChanged,
}

impl Failure {
    pub(crate) fn of_token(error: &Error) -> Self {
        Self::NoToken(error.kind(), error.retry_after(), chain(error))
    }

    /// Nothing was sent: the service asked for a pause.
    pub(crate) fn paused(pause: Paused) -> Self {
        Self::Refused(Refusal::paused(pause.left))
    }

    /// The refusal of one entry of a batch.
    pub(crate) fn of_entry(failure: &serde_json::Value) -> Self {
        Self::Refused(Refusal::of_entry(failure))
    }

    /// Whether the service refused for this reason, by the first tags.
    pub(crate) fn says(&self, tags: &[&str]) -> bool {
        matches!(self, Self::Refused(r) if r.status == 409 && r.tags.begin(tags))
    }

    /// Whether there certainly is no such object: never by the status, always by the tags.
    pub(crate) fn is_absence(&self) -> bool {
        self.says(&["path", "not_found"]) || self.says(&["path_lookup", "not_found"])
    }

    /// Whether a file has the name that was to be new.
    pub(crate) fn is_conflict(&self) -> bool {
        self.says(&["path", "conflict", "file"])
    }

    /// Whether a cursor is of no use any more: told so, or not understood.
    pub(crate) fn is_lost_cursor(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        self.says(&["reset"]) || refusal.status == 400 && !refusal.is_about_token()
    }

    /// Whether a machine on the way may not have taken the header. What Dropbox itself does not
    /// understand it answers in words of its own.
    pub(crate) fn is_long_header(&self) -> bool {
        matches!(self, Self::Refused(r)
            if matches!(r.status, 400 | 413 | 414 | 431) && !r.is_of_dropbox())
    }

    /// Whether the service asks for fewer requests.
    pub(crate) fn is_too_much(&self) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.is_too_much())
    }

    /// The pause that is asked for.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.pause,
            _ => None,
        }
    }

    /// Whether the service refuses such a request for good, to this app or to all.
    pub(crate) fn is_for_good(&self) -> bool {
        let Self::Refused(refusal) = self else { return false };
        matches!(refusal.meaning().0, ErrorKind::Forbidden | ErrorKind::Unsupported)
    }

    /// The public error of this operation on this key.
    pub(crate) fn at(self, operation: &'static str, key: impl std::fmt::Display) -> Error {
        let (kind, advice) = self.meaning();
        let error = Error::new(kind, operation).with_key(key).with_effect(self.effect());
        match self {
            Self::NoAnswer(NoAnswer::TimedOut(limit)) => {
                error.with_message(format!("no answer within {} s: {advice}", limit.as_secs()))
            }
            Self::NotDropbox(why) => error.with_message(format!("{why}: {advice}")),
            Self::NoAnswer(
                NoAnswer::NotConnected(text) | NoAnswer::Line(text) | NoAnswer::Tls(text),
            ) => error.with_message(advice).with_source(text),
            Self::NoToken(_, pause, text) => {
                let error = pause.into_iter().fold(error, Error::with_retry_after);
                error.with_message(advice).with_source(text)
            }
            Self::Refused(refusal) => refusal.explain(error, advice),
            Self::BadToken | Self::ListChanged => error.with_message(advice),
        }
    }

    /// What the failed write left behind.
    fn effect(&self) -> Effect {
        let nothing = match self {
            Self::NoToken(..) | Self::BadToken => true,
            Self::NoAnswer(why) => !why.was_sent(),
            Self::Refused(refusal) => refusal.left_nothing(),
            Self::NotDropbox(_) | Self::ListChanged => false,
        };
        if nothing { Effect::None } else { Effect::Unknown }
    }

    /// What it means and what to do.
    fn meaning(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::{InvalidInput, TimedOut, Unauthorized, Unavailable};
        match self {
            Self::NoToken(kind, ..) => (*kind, "no token to sign in to Dropbox with"),
            Self::BadToken => (Unauthorized, "the access token is malformed: sign in again"),
            Self::NoAnswer(NoAnswer::NotConnected(_) | NoAnswer::Line(_)) => {
                (Unavailable, "check the network")
            }
            Self::NoAnswer(NoAnswer::TimedOut(_)) => (TimedOut, "check the network"),
            Self::NoAnswer(NoAnswer::Tls(_)) => (
                Unavailable,
                "no secure connection: check the network and the clock of this device",
            ),
            Self::NotDropbox(_) => {
                (Unavailable, "is this Dropbox? a sign-in page of a network answers so, too")
            }
            // The core begins the list anew.
            Self::ListChanged => (InvalidInput, "the list has to begin anew"),
            Self::Refused(refusal) => refusal.meaning(),
        }
    }
}

#[cfg(test)]
mod tests;
