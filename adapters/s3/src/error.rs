//! What went wrong, and what it means to the core.

use std::error::Error as StdError;
use std::time::Duration;

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::error::{ProvideErrorMetadata, SdkError};
use db_to_cloud::{Effect, Error, ErrorKind};
use db_to_cloud_http::{Paused, chain, is_of_tls, retry_after};

/// A setting that makes no sense.
pub(crate) fn invalid(setting: &str, why: &'static str) -> Error {
    Error::new(ErrorKind::InvalidInput, "configure s3").with_key(setting).with_message(why)
}

/// A failure below the trait; [`Failure::at`] makes the public error of it.
#[derive(Clone, Debug)]
pub(crate) enum Failure {
    /// There were no credentials to sign with, or the request could not be made. Nothing was sent.
    NotSent(String),
    /// No answer in time.
    TimedOut(Duration),
    /// Refused, dropped, unknown host: whether the request arrived is not known.
    Line(String),
    /// The handshake failed, so that nothing was sent.
    Tls(String),
    /// An answer that is none of S3's, or half of one.
    NotS3(&'static str),
    /// An answer that says no.
    Refused(Refusal),
}

/// What an answer that says no says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refusal {
    pub(crate) status: u16,
    /// The code in the body; empty for answers without one.
    pub(crate) code: String,
    pub(crate) text: String,
    /// Where the bucket is, if the answer tells.
    pub(crate) region: Option<String>,
    pub(crate) retry_after: Option<Duration>,
}

impl Failure {
    /// The answer to a get of an object that certainly does not exist. The status alone proves
    /// nothing: a proxy, a mistaken address and a missing bucket answer 404 too.
    pub(crate) fn is_no_such_key(&self) -> bool {
        matches!(self, Self::Refused(r) if r.status == 404 && r.code == "NoSuchKey")
    }

    pub(crate) fn has_status(&self, status: u16) -> bool {
        matches!(self, Self::Refused(refusal) if refusal.status == status)
    }

    /// Whether the service asks for fewer requests.
    pub(crate) fn is_too_much(&self) -> bool {
        self.meaning().0 == ErrorKind::Throttled
    }

    /// The pause it asks for.
    pub(crate) fn pause(&self) -> Option<Duration> {
        match self {
            Self::Refused(refusal) => refusal.retry_after,
            _ => None,
        }
    }

    /// Nothing was sent: the service asked for a pause.
    pub(crate) fn paused(pause: Paused) -> Self {
        let (code, retry_after) = ("SlowDown".to_owned(), Some(pause.left));
        Self::Refused(Refusal { status: 429, code, retry_after, ..Refusal::default() })
    }

    pub(crate) fn kind(&self) -> ErrorKind {
        self.meaning().0
    }

    /// An error of one key in the answer to a batch, which has a code and no status.
    pub(crate) fn of_code(code: &str, text: &str) -> Self {
        let (status, code, text) = (status_of(code), code.to_owned(), text.to_owned());
        Self::Refused(Refusal { status, code, text, ..Refusal::default() })
    }

    /// The public error of this operation on this key.
    pub(crate) fn at(self, operation: &'static str, key: impl std::fmt::Display) -> Error {
        let (kind, advice) = self.meaning();
        let error = Error::new(kind, operation).with_key(key).with_effect(self.effect());
        match self {
            Self::TimedOut(limit) => {
                error.with_message(format!("no answer within {} s: {advice}", limit.as_secs()))
            }
            Self::NotS3(why) => error.with_message(format!("{why}: {advice}")),
            Self::NotSent(text) | Self::Line(text) | Self::Tls(text) => {
                error.with_message(advice).with_source(text)
            }
            Self::Refused(refusal) => refusal.explain(error, advice),
        }
    }

    fn effect(&self) -> Effect {
        let refused = match self {
            Self::NotSent(_) | Self::Tls(_) => true,
            // A 408, 409, 412, 429 or 5xx may come from a machine in between, or after the write;
            // 501 and 507 come before it.
            Self::Refused(r) => matches!(r.status, 300..=405 | 411 | 413 | 501 | 507),
            _ => false,
        };
        if refused { Effect::None } else { Effect::Unknown }
    }

    /// What it means and what to do.
    fn meaning(&self) -> (ErrorKind, &'static str) {
        use ErrorKind::{TimedOut, Unauthorized, Unavailable};
        match self {
            Self::NotSent(_) => (Unauthorized, "no credentials to sign with: sign in anew"),
            Self::TimedOut(_) => (TimedOut, "check the network and the endpoint"),
            Self::Line(_) => (Unavailable, "check the network and the endpoint"),
            Self::Tls(_) => (
                Unavailable,
                "no secure connection: check that the endpoint speaks https, its certificate, and \
                 the clock of this device",
            ),
            Self::NotS3(_) => (
                Unavailable,
                "is this the endpoint of S3? a sign-in page of a network answers so, too",
            ),
            Self::Refused(refusal) => meaning(refusal.status, &refusal.code),
        }
    }
}

/// The status that an error would have had that came with a code alone.
fn status_of(code: &str) -> u16 {
    match code {
        "AccessDenied" => 403,
        "SlowDown" | "ServiceUnavailable" => 503,
        _ => 500,
    }
}

impl Refusal {
    fn explain(self, error: Error, advice: &'static str) -> Error {
        let place = self.region.map(|region| format!("; the bucket is in {region}"));
        let place = place.unwrap_or_default();
        let answer = format!("{} {}", self.status, self.code);
        let error = error.with_message(format!("{advice}{place} ({})", answer.trim()));
        let error = self.retry_after.into_iter().fold(error, Error::with_retry_after);
        if self.text.is_empty() { error } else { error.with_source(self.text) }
    }
}

/// What an answer that says no means. The one place where a status becomes a kind: by the status
/// first, for a code may be missing.
fn meaning(status: u16, code: &str) -> (ErrorKind, &'static str) {
    use ErrorKind::*;
    match (status, code) {
        // AWS and MinIO 403, others 400. Signatures hold for 15 minutes.
        (_, "RequestTimeTooSkewed") => (Unauthorized, "set the clock of this device right"),
        (_, "ExpiredToken" | "ExpiredTokenException" | "InvalidToken" | "TokenRefreshRequired") => {
            (Unauthorized, "the session has ended: get new credentials")
        }
        // Unlike AccessDenied, these 403 say that we are nobody.
        (401, _)
        | (_, "InvalidAccessKeyId" | "SignatureDoesNotMatch" | "NotSignedUp" | "InvalidSecurity") => {
            (Unauthorized, "check the access key id and the secret")
        }
        // 400 with MinIO and AWS, 301 with AWS. The SDK follows neither.
        (301, _) | (_, "AuthorizationHeaderMalformed" | "IllegalLocationConstraintException") => {
            (InvalidInput, "wrong region or endpoint: name those of the bucket")
        }
        // While the name of a new bucket spreads.
        (307, _) => (Unavailable, "the bucket is being moved: try again later"),
        // Limits of a bucket or account have many names and statuses.
        (507, _)
        | (
            _,
            "QuotaExceeded"
            | "StorageCapExceeded"
            | "XMinioStorageFull"
            | "XMinioAdminBucketQuotaExceeded",
        ) => (Full, "make room in the bucket or raise its quota"),
        // 400, although it is the line that was too slow or garbled the bytes.
        (400, "RequestTimeout") => (TimedOut, "the upload was too slow: try again later"),
        (400, "BadDigest" | "IncompleteBody" | "XAmzContentChecksumMismatch") => {
            (Unavailable, "the upload was damaged on its way: try again")
        }
        (413, _) | (_, "EntityTooLarge" | "KeyTooLongError" | "MaxMessageLengthExceeded") => {
            (Unsupported, "the object or its name is too large for this service")
        }
        // Also the answer to a get of an object that does not exist, if listing is not permitted.
        (403, _) | (_, "AccessDenied") => (
            Forbidden,
            "allow s3:GetObject, s3:PutObject, s3:DeleteObject on the objects and s3:ListBucket on \
             the bucket (without it, a missing object is answered so)",
        ),
        (404, "NoSuchBucket") => {
            (InvalidInput, "there is no such bucket: create it or mend its name")
        }
        // Parts that a lifecycle rule removed meanwhile, or that are complete already.
        (404, "NoSuchUpload") => (Unavailable, "the upload was cut short: try again"),
        // An object's NoSuchKey never comes here. The rest is not about objects.
        (404, _) => (Unavailable, "is this the endpoint of S3?"),
        (408, _) => (TimedOut, "try again later"),
        // ConditionalRequestConflict and OperationAborted: nothing is decided. Not "lost"!
        (409, _) => (Unavailable, "others write the same object right now: try again"),
        // In the answer to a create it is `Occupied`; nothing else is conditional.
        (412, _) => (Unsupported, "the service set a condition of its own"),
        (429, _)
        | (503, "SlowDown" | "SlowDownRead" | "SlowDownWrite" | "RequestLimitExceeded") => {
            (Throttled, "the service asks for fewer requests: try again later")
        }
        // Backblaze B2 for If-None-Match, old R2 for checksums.
        (501, _) => (Unsupported, "this service cannot do that, such as conditional writes"),
        (500..=599, _) => (Unavailable, "the service failed: try again later"),
        (400, _) => (InvalidInput, "the service does not understand: check endpoint and settings"),
        _ => (Unsupported, "an answer that is not known"),
    }
}

impl<E> From<SdkError<E, HttpResponse>> for Failure
where
    E: ProvideErrorMetadata + StdError + Send + Sync + 'static,
{
    fn from(error: SdkError<E, HttpResponse>) -> Self {
        // The errors of the SDK themselves would show whole answers.
        let text = chain(&error);
        match &error {
            SdkError::ConstructionFailure(_) => Self::NotSent(text),
            SdkError::TimeoutError(_) => Self::Line(text),
            SdkError::DispatchFailure(_) => Self::of_dispatch(text),
            SdkError::ServiceError(service) => Self::Refused(refusal(service.err(), service.raw())),
            SdkError::ResponseError(response) if response.raw().status().is_success() => {
                Self::NotS3("the answer cannot be read")
            }
            SdkError::ResponseError(response) => {
                let refusal = Refusal {
                    status: response.raw().status().as_u16(),
                    text,
                    ..Refusal::default()
                };
                Self::Refused(refusal)
            }
            _ => Self::Line(text),
        }
    }
}

impl Failure {
    /// The SDK has no types for these: the texts below it tell.
    fn of_dispatch(text: String) -> Self {
        if is_of_tls(&text) {
            return Self::Tls(text);
        }
        let lower = text.to_ascii_lowercase();
        // Asked for just before a request is sent.
        if ["credential", "identity"].iter().any(|word| lower.contains(word)) {
            return Self::NotSent(text);
        }
        Self::Line(text)
    }
}

fn refusal(error: &impl ProvideErrorMetadata, answer: &HttpResponse) -> Refusal {
    let header = |name| answer.headers().get(name).map(str::to_owned);
    let pause =
        header("retry-after").and_then(|text| retry_after(&text, header("date").as_deref()));
    let (status, code) = (answer.status().as_u16(), error.code().unwrap_or_default());
    Refusal {
        // A copy, or an upload in parts, that fails late says so in the body of a 200.
        status: if answer.status().is_success() { status_of(code) } else { status },
        code: code.to_owned(),
        text: error.message().unwrap_or_default().to_owned(),
        region: header("x-amz-bucket-region"),
        retry_after: pause,
    }
}

#[cfg(test)]
#[path = "error/tests.rs"]
mod tests;
