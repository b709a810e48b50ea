//! The one public error.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Divergence;

/// An error of the application or of a library below, of any type.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// What went wrong, answering "what must I do?".
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ErrorKind {
    /// The storage does not know who we are: sign in again or mend the credentials.
    Unauthorized,
    /// The sign-in is valid and the storage refuses: fix the permissions.
    Forbidden,
    /// The storage could not be reached or failed for now: try again later.
    Unavailable,
    /// The storage asks for fewer requests: try again later, not before [`Error::retry_after`].
    Throttled,
    /// No answer in time: try again later.
    TimedOut,
    /// The storage has no room left: make some.
    Full,
    /// The storage cannot do what is asked of it, such as hold a file of this size.
    Unsupported,
    /// An object in the storage cannot be understood: it was truncated or overwritten by others.
    Corrupt,
    /// An object was written by a newer version of this library: upgrade.
    NewerFormat,
    /// The storage is not as this device left it: it was emptied, exchanged, restored from a backup, or
    /// copied. [`Error::divergence`] says what it is and which ways on there are: let the user decide.
    Diverged,
    /// At this place is something else than a storage of ours, or one for another kind of documents:
    /// choose another place.
    Foreign,
    /// This device and the storage both have documents and have few in common: let the user decide, then
    /// sync with [`SyncOptions::join`](crate::SyncOptions::join).
    Unrelated,
    /// The sync would delete a large part of the documents, or replace it by older versions: let the user
    /// decide, then sync with
    /// [`SyncOptions::accept_deletes`](crate::SyncOptions::accept_deletes).
    TooManyDeletes,
    /// The sync was asked to end before it was done: sync again to go on.
    Stopped,
    /// Another sync is running on the same client state: wait for it.
    Busy,
    /// Another client holds the lock, or keeps winning the races: try again later.
    Locked,
    /// The storage has no atomic create and a strong one was asked for.
    WeakStorage,
    /// The application's database failed.
    Database,
    /// The client state could not be read or written.
    State,
    /// An argument makes no sense.
    InvalidInput,
}

/// What a failed write leaves behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Effect {
    /// Nothing was written.
    None,
    /// The write may have happened, may yet happen, or may never happen: read it back.
    Unknown,
}

/// An error: what was done, on which object, what went wrong and what to do about it.
///
/// The text never repeats its source and never holds credentials or document contents.
pub struct Error(Box<Inner>);

struct Inner {
    kind: ErrorKind,
    operation: &'static str,
    key: Option<String>,
    message: Cow<'static, str>,
    effect: Effect,
    retry_after: Option<Duration>,
    divergence: Option<Divergence>,
    source: Option<BoxError>,
}

/// Whose error it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Of one document, such as that it is too large.
    Document,
    /// Of the storage as a whole.
    Storage,
    /// Of either: a request may fail for one document or for all.
    Unknown,
}

impl Error {
    /// An error of this kind in this operation. A write that failed with a kind that
    /// [may pass](Error::is_transient) has an [unknown effect](Effect::Unknown) unless
    /// [`Error::with_effect`] says otherwise.
    pub fn new(kind: ErrorKind, operation: &'static str) -> Self {
        let mut inner = Inner {
            kind,
            operation,
            key: None,
            message: Cow::Borrowed(""),
            effect: Effect::None,
            retry_after: None,
            divergence: None,
            source: None,
        };
        if matches!(kind, ErrorKind::Unavailable | ErrorKind::TimedOut) {
            inner.effect = Effect::Unknown;
        }
        Self(Box::new(inner))
    }

    /// Names the object, document or setting concerned.
    #[must_use]
    pub fn with_key(mut self, key: impl fmt::Display) -> Self {
        self.0.key = Some(key.to_string());
        self
    }

    /// Says why, and what to do: lower case, no full stop, no secret.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<Cow<'static, str>>) -> Self {
        self.0.message = message.into();
        self
    }

    /// Says more, after what is said already.
    #[must_use]
    pub(crate) fn and_message(mut self, more: String) -> Self {
        self.0.message = format!("{}{more}", self.0.message).into();
        self
    }

    /// Says what the failed write left behind.
    #[must_use]
    pub fn with_effect(mut self, effect: Effect) -> Self {
        self.0.effect = effect;
        self
    }

    /// The storage asked for this pause before the next request.
    #[must_use]
    pub fn with_retry_after(mut self, pause: Duration) -> Self {
        self.0.retry_after = Some(pause);
        self
    }

    /// Says in which way the storage is not as it was.
    #[must_use]
    pub(crate) fn with_divergence(mut self, divergence: Divergence) -> Self {
        self.0.divergence = Some(divergence);
        self
    }

    /// Keeps the error below.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<BoxError>) -> Self {
        self.0.source = Some(source.into());
        self
    }

    /// Whose error it is: that of one document, or of the storage, so that each other document would
    /// fail in the same way.
    pub(crate) fn scope(&self) -> Scope {
        match self.kind() {
            // Of the last two: an adapter found that this is another storage than before.
            ErrorKind::Unauthorized
            | ErrorKind::Full
            | ErrorKind::Throttled
            | ErrorKind::NewerFormat
            | ErrorKind::Foreign
            | ErrorKind::Unrelated
            | ErrorKind::Diverged => Scope::Storage,
            ErrorKind::Unsupported | ErrorKind::InvalidInput => Scope::Document,
            _ => Scope::Unknown,
        }
    }

    /// What kind of error this is.
    pub fn kind(&self) -> ErrorKind {
        self.0.kind
    }

    /// The operation that failed, such as `put`.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// The object, document or setting concerned.
    pub fn key(&self) -> Option<&str> {
        self.0.key.as_deref()
    }

    /// What the failed write left behind.
    pub fn effect(&self) -> Effect {
        self.0.effect
    }

    /// The pause the storage asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.0.retry_after
    }

    /// In which way the storage is not as it was, of an error of the kind [`ErrorKind::Diverged`]. `None`
    /// also if only the adapter noticed it.
    pub fn divergence(&self) -> Option<Divergence> {
        self.0.divergence
    }

    /// Whether the same request may succeed later without anybody's help.
    pub fn is_transient(&self) -> bool {
        matches!(self.0.kind, ErrorKind::Unavailable | ErrorKind::Throttled | ErrorKind::TimedOut)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.operation)?;
        if let Some(key) = &self.0.key {
            write!(f, " {key:?}")?;
        }
        write!(f, ": {}", self.0.kind.text())?;
        if !self.0.message.is_empty() {
            write!(f, ": {}", self.0.message)?;
        }
        Ok(())
    }
}

impl ErrorKind {
    /// The word for programs, as `--json` prints it.
    pub fn code(self) -> &'static str {
        match self {
            Self::Unauthorized => "unauthorized",
            Self::Forbidden => "forbidden",
            Self::Unavailable => "unavailable",
            Self::Throttled => "throttled",
            Self::TimedOut => "timed-out",
            Self::Full => "full",
            Self::Unsupported => "unsupported",
            Self::Corrupt => "corrupt",
            Self::NewerFormat => "newer-format",
            Self::Diverged => "diverged",
            Self::Foreign => "foreign",
            Self::Unrelated => "unrelated",
            Self::TooManyDeletes => "too-many-deletes",
            Self::Stopped => "stopped",
            Self::Busy => "busy",
            Self::Locked => "locked",
            Self::WeakStorage => "weak-storage",
            Self::Database => "database",
            Self::State => "state",
            Self::InvalidInput => "invalid-input",
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::Unauthorized => "not signed in",
            Self::Forbidden => "not permitted",
            Self::Unavailable => "storage unavailable",
            Self::Throttled => "too many requests",
            Self::TimedOut => "timed out",
            Self::Full => "storage full",
            Self::Unsupported => "not supported",
            Self::Corrupt => "damaged object",
            Self::NewerFormat => "newer format",
            Self::Diverged => "not the storage last synced with",
            Self::Foreign => "not a storage for these documents",
            Self::Unrelated => "documents of this device and of the storage are not the same",
            Self::TooManyDeletes => "too many deletes",
            Self::Stopped => "stopped",
            Self::Busy => "another sync is running",
            Self::Locked => "locked by another client",
            Self::WeakStorage => "storage without atomic create",
            Self::Database => "application database",
            Self::State => "client state",
            Self::InvalidInput => "invalid input",
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error")
            .field("kind", &self.0.kind)
            .field("operation", &self.0.operation)
            .field("key", &self.0.key)
            .field("message", &self.0.message)
            .field("effect", &self.0.effect)
            .field("source", &self.0.source)
            .finish()
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        self.0.source.as_deref().map(|e| e as _)
    }
}

/// An error with what caused it, as one text.
pub(crate) fn with_causes(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_names_operation_key_and_reason_but_not_the_source() {
        let error = Error::new(ErrorKind::Forbidden, "put")
            .with_key("docs/a")
            .with_message("allow this user to write")
            .with_source("inner detail");
        assert_eq!(error.to_string(), "put \"docs/a\": not permitted: allow this user to write");
        assert_eq!(std::error::Error::source(&error).unwrap().to_string(), "inner detail");
        assert_eq!(with_causes(&error), format!("{error}: inner detail"));
    }

    #[test]
    fn a_lost_answer_is_unknown_and_a_refusal_is_not() {
        assert_eq!(Error::new(ErrorKind::TimedOut, "create").effect(), Effect::Unknown);
        assert_eq!(Error::new(ErrorKind::Forbidden, "create").effect(), Effect::None);
        assert_eq!(Error::new(ErrorKind::Throttled, "create").effect(), Effect::None);
    }
}
