//! What went wrong, and what it means to the core.

use std::time::Duration;

use db_to_cloud::{Effect, Error, ErrorKind};
use db_to_cloud_http::{Answer, NoAnswer, Paused};

/// A setting that makes no sense.
pub(crate) fn invalid(setting: &str, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "configure webdav").with_key(setting).with_message(why)
}

/// A failure below the trait; [`Failure::at`] makes the public error of it.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    cause: Cause,
    effect: Effect,
}

#[derive(Clone, Debug)]
enum Cause {
    /// There is no answer.
    NoAnswer(NoAnswer),
    /// An answer that is none of WebDAV's, or half of one.
    NotDav(&'static str),
    /// An answer that says no.
    Refused(Refusal),
    /// This server cannot make log slots.
    NoSlots,
    /// The storage says two things about how slots are made.
    Torn,
    /// Somebody else is in the middle of making or releasing the same slot.
    Contended(&'static str),
}

/// What an answer that says no says.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// Where a redirect to another server led to.
    place: Option<String>,
    pub(crate) pause: Option<Duration>,
    /// Why, if the server is one of the kind that tells.
    text: String,
}

impl Refusal {
    pub(crate) fn of(answer: &Answer) -> Self {
        Self {
            status: answer.status,
            place: answer.header("location").filter(|_| answer.status < 400).map(without_query),
            pause: answer.retry_after(),
            text: crate::multistatus::error_text(&answer.body),
        }
    }

    /// Whether the server asks for fewer requests.
    pub(crate) fn is_too_much(&self) -> bool {
        // 503 is also the answer of a cloud in maintenance, without a pause.
        self.status == 429 || self.status == 503 && self.pause.is_some()
    }
}

impl Failure {
    fn new(cause: Cause) -> Self {
        // What was refused before anything was done; a 5xx or 409 may come after it or be a proxy's.
        let refused = match &cause {
            Cause::NoAnswer(why) => !why.was_sent(),
            Cause::NoSlots | Cause::Torn | Cause::Contended(_) => true,
            Cause::Refused(r) => matches!(r.status, 300..=407 | 411..=417 | 423 | 429 | 501 | 507),
            _ => false,
        };
        Self { cause, effect: if refused { Effect::None } else { Effect::Unknown } }
    }

    pub(crate) fn no_answer(why: NoAnswer) -> Self {
        Self::new(Cause::NoAnswer(why))
    }

    pub(crate) fn timed_out(limit: Duration) -> Self {
        Self::no_answer(NoAnswer::TimedOut(limit))
    }

    pub(crate) fn not_dav(why: &'static str) -> Self {
        Self::new(Cause::NotDav(why))
    }

    pub(crate) fn no_slots() -> Self {
        Self::new(Cause::NoSlots)
    }

    pub(crate) fn torn() -> Self {
        Self::new(Cause::Torn)
    }

    pub(crate) fn contended(why: &'static str) -> Self {
        Self::new(Cause::Contended(why))
    }

    pub(crate) fn of_refusal(refusal: Refusal) -> Self {
        Self::new(Cause::Refused(refusal))
    }

    /// Nothing was sent: the server asked for a pause.
    pub(crate) fn paused(pause: Paused) -> Self {
        let pause = Some(pause.left);
        Self::of_refusal(Refusal { status: 429, place: None, pause, text: String::new() })
    }

    /// An inner status of a 207.
    pub(crate) fn of_status(status: u16) -> Self {
        Self::of_refusal(Refusal { status, place: None, pause: None, text: String::new() })
    }

    /// The same failure of a later request, after one that may have had an effect.
    pub(crate) fn after_sending(mut self) -> Self {
        self.effect = Effect::Unknown;
        self
    }

    pub(crate) fn has_status(&self, status: u16) -> bool {
        matches!(&self.cause, Cause::Refused(refusal) if refusal.status == status)
    }

    /// Whether nothing is known about what the request did.
    pub(crate) fn is_unknown(&self) -> bool {
        self.effect == Effect::Unknown
    }

    /// Whether the answer may mean that the collection around is missing: 409 by the standard, 404
    /// from sabre/dav, 403 from others, 500 from nginx.
    pub(crate) fn may_lack_collection(&self) -> bool {
        matches!(&self.cause, Cause::Refused(r) if matches!(r.status, 403 | 404 | 409 | 500))
    }

    pub(crate) fn is_transient(&self) -> bool {
        use ErrorKind::{Throttled, TimedOut, Unavailable};
        matches!(self.meaning().0, Unavailable | Throttled | TimedOut)
    }

    /// The public error of this operation on this key.
    pub(crate) fn at(self, operation: &'static str, key: impl std::fmt::Display) -> Error {
        let (kind, advice) = self.meaning();
        let error = Error::new(kind, operation).with_key(key).with_effect(self.effect);
        match self.cause {
            Cause::NoAnswer(NoAnswer::TimedOut(limit)) => {
                error.with_message(format!("no answer within {} s: {advice}", limit.as_secs()))
            }
            Cause::NotDav(why) | Cause::Contended(why) => {
                error.with_message(format!("{why}: {advice}"))
            }
            Cause::NoAnswer(
                NoAnswer::NotConnected(text) | NoAnswer::Line(text) | NoAnswer::Tls(text),
            ) => error.with_message(advice).with_source(text),
            Cause::Refused(refusal) => refusal.explain(error, advice),
            Cause::NoSlots | Cause::Torn => error.with_message(advice),
        }
    }

    /// What it means and what to do.
    fn meaning(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::{InvalidInput, TimedOut, Unavailable, Unsupported};
        match &self.cause {
            Cause::NoAnswer(NoAnswer::NotConnected(_) | NoAnswer::Line(_)) => {
                (Unavailable, "check the network and the address of the server")
            }
            Cause::NoAnswer(NoAnswer::TimedOut(_)) => {
                (TimedOut, "check the network and the address of the server")
            }
            Cause::NoAnswer(NoAnswer::Tls(_)) => (
                Unavailable,
                "no secure connection: check that the server speaks https, its certificate, and the \
                 clock of this device",
            ),
            Cause::NotDav(_) => (
                Unavailable,
                "is this the address of WebDAV? a sign-in page of a network answers so, too",
            ),
            Cause::Contended(_) => (Unavailable, "try again"),
            Cause::NoSlots => (Unsupported, "this server cannot make log slots"),
            Cause::Torn => (
                InvalidInput,
                "the storage holds more than one collection whose name begins with slots-: two \
                 devices found different ways to write the log. Stop all devices, keep the one that \
                 they all can use, delete the others",
            ),
            Cause::Refused(refusal) if refusal.is_too_much() => meaning(429),
            Cause::Refused(refusal) => meaning(refusal.status),
        }
    }
}

impl Refusal {
    fn explain(self, error: Error, advice: &'static str) -> Error {
        let place = self.place.map(|place| format!("; it points to {place}")).unwrap_or_default();
        let error = error.with_message(format!("{advice}{place} ({})", self.status));
        let error = match self.pause.filter(|_| error.is_transient()) {
            Some(pause) => error.with_retry_after(pause),
            None => error,
        };
        if self.text.is_empty() { error } else { error.with_source(self.text) }
    }
}

/// What an answer that says no means. The one place where a status becomes a kind.
fn meaning(status: u16) -> (ErrorKind, &'static str) {
    use ErrorKind::*;
    match status {
        // Redirects within the server are followed.
        300..=399 => (InvalidInput, "the server wants another address: use that"),
        401 => (Unauthorized, "check the user and the password"),
        // copyparty answers a wrong password so when it is written to.
        403 => (Forbidden, "allow this user to read, write and delete here"),
        // A get of an absent object never comes here.
        404 | 410 => (Unavailable, "the collection is gone: is this the right address?"),
        405 | 501 => (Unsupported, "this server cannot do that: is this the address of WebDAV?"),
        408 => (TimedOut, "try again later"),
        // A collection was missing, or somebody changed the same object meanwhile.
        409 | 412 => (Unavailable, "something changed meanwhile: try again"),
        413 | 414 => (Unsupported, "the object is too large for this server: raise its limit"),
        // Not only by clients: Nextcloud and rclone lock what they work on. 424: something in it is.
        423 | 424 => (Unavailable, "locked by somebody else: try again"),
        425 | 429 => (Throttled, "the server asks for fewer requests: try again later"),
        507 => (Full, "make room on the server or raise the quota"),
        503 => (Unavailable, "the server is busy or in maintenance: try again later"),
        500..=599 => (Unavailable, "the server failed: try again later"),
        400 | 415 | 422 => (Unsupported, "the server does not understand: is this WebDAV?"),
        _ => (Unsupported, "an answer that is not known"),
    }
}

/// Where a sign-in page is, without what it may be told.
fn without_query(place: &str) -> String {
    place.split(['?', '#']).next().unwrap_or_default().to_owned()
}

#[cfg(test)]
#[path = "error/tests.rs"]
mod tests;
