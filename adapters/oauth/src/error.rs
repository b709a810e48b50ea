//! What went wrong, and what it means to the core.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Effect, Error, ErrorKind};

use crate::provider::Service;

/// A failure below the public functions; [`Failure::at`] makes the public error of it. It holds no
/// token, no code and no verifier. Callers that wait for one renewal share it.
#[derive(Clone, Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error("no connection: {0}")]
    NotConnected(String),
    #[error("no answer within {} s", .0.as_secs())]
    TimedOut(Duration),
    #[error("the line broke: {0}")]
    Line(String),
    #[error("the service is busy or failed ({status})")]
    Busy { status: u16, pause: Option<Duration> },
    #[error("an answer that is none of the service's ({0})")]
    NotAnAnswer(u16),
    /// An error of RFC 6749, 5.2.
    #[error("{error}: {description}")]
    Refused { error: String, description: String },
    /// An error of RFC 6749, 4.1.2.1: that of the page on which the user says yes or no.
    #[error("{error}: {description}")]
    Denied { error: String, description: String },
    #[error("the user did not allow {0}")]
    NotAllowed(String),
    #[error("the code is not whole, too old, or was used before")]
    BadCode,
    #[error("the service gave no refresh token")]
    NoRefreshToken,
    #[error("nobody came within {} s", .0.as_secs())]
    NobodyCame(Duration),
    #[error("{0}")]
    NoListener(String),
    #[error("{0}")]
    BadPaste(&'static str),
    #[error("nobody is signed in: nothing is kept in {0}")]
    NobodySignedIn(String),
    #[error("what is kept in {place} is a sign-in at {other}")]
    OtherProvider { place: String, other: String },
    #[error(transparent)]
    Store(Arc<Error>),
    #[error("{1}")]
    Invalid(&'static str, &'static str),
    #[error("{0}")]
    Broken(&'static str),
}

/// What the error is told of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place<'a> {
    pub(crate) operation: &'static str,
    pub(crate) service: Service,
    pub(crate) title: &'static str,
    /// How the user signs in anew.
    pub(crate) advice: &'a str,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Store(Arc::new(error))
    }
}

impl Failure {
    pub(crate) fn is_transient(&self) -> bool {
        use ErrorKind::{Throttled, TimedOut, Unavailable};
        matches!(self.kind(), Unavailable | Throttled | TimedOut)
    }

    /// Whether the service says that the refresh token is no longer one.
    pub(crate) fn has_ended(&self) -> bool {
        matches!(self, Self::Refused { error, .. } if error == "invalid_grant")
    }

    /// The public error. Whatever it was told in, no document was written.
    pub(crate) fn at(self, place: Place<'_>) -> Error {
        let error = Error::new(self.kind(), place.operation)
            .with_key(self.key(place))
            .with_effect(Effect::None)
            .with_message(self.message(place));
        match self {
            Self::Busy { pause: Some(pause), .. } => error.with_retry_after(pause),
            Self::Store(below) => error.with_source(below),
            Self::NotConnected(text) | Self::Line(text) => error.with_source(text),
            refused @ Self::Refused { .. } => error.with_source(refused.to_string()),
            _ => error,
        }
    }

    fn key(&self, place: Place<'_>) -> &'static str {
        match self {
            Self::Invalid(setting, _) => setting,
            _ => place.title,
        }
    }

    fn kind(&self) -> ErrorKind {
        use ErrorKind::{InvalidInput, Throttled, TimedOut, Unauthorized, Unavailable};
        match self {
            Self::NotConnected(_) | Self::Line(_) | Self::NotAnAnswer(_) => Unavailable,
            Self::TimedOut(_) | Self::NobodyCame(_) => TimedOut,
            Self::Busy { status: 429, .. } => Throttled,
            Self::Busy { .. } | Self::Broken(_) => Unavailable,
            Self::Refused { error, .. } => of_refusal(error),
            Self::Denied { error, .. } if error == "access_denied" => Unauthorized,
            Self::Denied { error, .. } => of_refusal(error),
            Self::NotAllowed(_) | Self::NoRefreshToken | Self::BadCode => Unauthorized,
            Self::NobodySignedIn(_) | Self::OtherProvider { .. } => Unauthorized,
            Self::NoListener(_) | Self::BadPaste(_) | Self::Invalid(..) => InvalidInput,
            Self::Store(error) => error.kind(),
        }
    }

    fn message(&self, place: Place<'_>) -> String {
        let (service, advice) = (place.service, place.advice);
        match self {
            Self::Refused { error, .. } => match error.as_str() {
                "invalid_grant" => {
                    format!("the sign-in has ended: {}; {advice}", service.why_it_ended())
                }
                "invalid_client" | "unauthorized_client" => {
                    format!("the service does not know the application: {}", service.why_unknown())
                }
                "invalid_request" => {
                    format!("the service refuses the request: {}", service.why_unknown())
                }
                _ => "the service refuses the request".to_owned(),
            },
            Self::Denied { error, .. } if error == "access_denied" => {
                "access was denied on the page of the service: nothing was stored".to_owned()
            }
            Self::NotAllowed(_) => format!("{self}: {advice} and allow all that is asked for"),
            Self::NobodySignedIn(_)
            | Self::OtherProvider { .. }
            | Self::NoRefreshToken
            | Self::BadCode => format!("{self}: {advice}"),
            Self::NotConnected(_) | Self::Line(_) => {
                "the sign-in service cannot be reached: check the network, and the clock of this \
                 device"
                    .to_owned()
            }
            Self::NotAnAnswer(_) => {
                format!("{self}: a sign-in page of a network answers so, too")
            }
            Self::Store(_) => "the stored sign-in cannot be used".to_owned(),
            _ => self.to_string(),
        }
    }
}

/// What an error code of the service means. Those that a later request may not meet are transient.
fn of_refusal(error: &str) -> ErrorKind {
    match error {
        "invalid_grant" | "invalid_client" | "unauthorized_client" => ErrorKind::Unauthorized,
        "temporarily_unavailable" | "server_error" | "internal_failure" => ErrorKind::Unavailable,
        "slow_down" | "rate_limit_exceeded" => ErrorKind::Throttled,
        _ => ErrorKind::InvalidInput,
    }
}
