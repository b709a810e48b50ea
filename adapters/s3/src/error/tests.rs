//! Answers as servers gave them.

use aws_sdk_s3::config::http::HttpResponse;
use aws_sdk_s3::operation::get_object::GetObjectError;
use aws_sdk_s3::operation::put_object::PutObjectError;
use aws_sdk_s3::primitives::SdkBody;
use db_to_cloud::Key;

use super::*;

/// A status, headers and the body that came with them.
type Recorded = (u16, &'static [(&'static str, &'static str)], &'static str);

const WRONG_SECRET: Recorded = (403, &[], "SignatureDoesNotMatch");
const WRONG_KEY_ID: Recorded = (403, &[], "InvalidAccessKeyId");
const ENDED: Recorded = (400, &[], "ExpiredToken");
const NO_LIST: Recorded = (403, &[], "AccessDenied");
const NO_BODY: Recorded = (403, &[], "");
const SKEWED: Recorded = (403, &[], "RequestTimeTooSkewed");
const NO_BUCKET: Recorded = (404, &[], "NoSuchBucket");
const A_404: Recorded = (404, &[], "");
const REGION_301: Recorded = (301, &[("x-amz-bucket-region", "eu-central-1")], "PermanentRedirect");
const REGION_400: Recorded = (400, &[], "AuthorizationHeaderMalformed");
const CONFLICT: Recorded = (409, &[], "ConditionalRequestConflict");
const PRECONDITION: Recorded = (412, &[], "PreconditionFailed");
const EMPTY_412: Recorded = (412, &[], "");
const B2: Recorded = (501, &[], "NotImplemented");
const SLOW_DOWN: Recorded = (503, &[("retry-after", "7")], "SlowDown");
const DOWN: Recorded = (503, &[], "ServiceUnavailable");
const FAILED: Recorded = (500, &[], "InternalError");
const FULL: Recorded = (507, &[], "XMinioStorageFull");
const QUOTA: Recorded = (400, &[], "XMinioAdminBucketQuotaExceeded");
const TOO_LARGE: Recorded = (400, &[], "EntityTooLarge");
const TOO_SLOW: Recorded = (400, &[], "RequestTimeout");
const TOO_MANY: Recorded = (429, &[], "");

fn failure((status, headers, code): Recorded) -> Failure {
    let mut answer = HttpResponse::new(status.try_into().unwrap(), SdkBody::empty());
    for (name, value) in headers {
        answer.headers_mut().insert(*name, *value);
    }
    let meta = aws_sdk_s3::error::ErrorMetadata::builder().message("as the server says");
    let meta = if code.is_empty() { meta } else { meta.code(code) };
    SdkError::service_error(PutObjectError::generic(meta.build()), answer).into()
}

fn error(recorded: Recorded) -> Error {
    failure(recorded).at("put", Key::change(1))
}

#[test]
fn each_answer_says_what_to_do_and_what_it_leaves_behind() {
    use Effect::{None, Unknown};
    use ErrorKind::*;
    let expected = [
        (WRONG_SECRET, Unauthorized, None, "check the access key id and the secret"),
        (WRONG_KEY_ID, Unauthorized, None, "check the access key id and the secret"),
        (ENDED, Unauthorized, None, "get new credentials"),
        (NO_LIST, Forbidden, None, "s3:ListBucket"),
        (NO_BODY, Forbidden, None, "s3:ListBucket"),
        (SKEWED, Unauthorized, None, "clock"),
        (NO_BUCKET, InvalidInput, None, "no such bucket: create it"),
        (A_404, Unavailable, None, "is this the endpoint of S3?"),
        (REGION_301, InvalidInput, None, "the bucket is in eu-central-1"),
        (REGION_400, InvalidInput, None, "wrong region"),
        (CONFLICT, Unavailable, Unknown, "try again"),
        (PRECONDITION, Unsupported, Unknown, "condition"),
        (B2, Unsupported, None, "conditional writes"),
        (SLOW_DOWN, Throttled, Unknown, "fewer requests"),
        (DOWN, Unavailable, Unknown, "try again later"),
        (FAILED, Unavailable, Unknown, "try again later"),
        (FULL, Full, None, "make room"),
        (QUOTA, Full, None, "quota"),
        (TOO_LARGE, Unsupported, None, "too large"),
        (TOO_SLOW, TimedOut, None, "too slow"),
        (TOO_MANY, Throttled, Unknown, "fewer requests"),
    ];
    for (recorded, kind, effect, advice) in expected {
        let error = error(recorded);
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
        assert!(error.to_string().contains("put \"changes/1.json\""), "{error}");
        assert!(error.to_string().contains(&recorded.0.to_string()), "{error}");
    }
}

/// A copy, or an upload in parts, that fails after the head of its answer was sent.
#[test]
fn an_error_in_the_body_of_a_200_is_an_error_of_its_code() {
    let expected = [
        ("InternalError", ErrorKind::Unavailable, Effect::Unknown),
        ("SlowDown", ErrorKind::Throttled, Effect::Unknown),
        ("AccessDenied", ErrorKind::Forbidden, Effect::None),
        ("", ErrorKind::Unavailable, Effect::Unknown),
    ];
    for (code, kind, effect) in expected {
        let error = error((200, &[], code));
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{error}");
    }
}

#[test]
fn a_pause_that_is_asked_for_is_handed_on() {
    assert_eq!(error(SLOW_DOWN).retry_after(), Some(Duration::from_secs(7)));
    assert!(failure(SLOW_DOWN).is_too_much() && !failure(DOWN).is_too_much());
}

#[test]
fn only_no_such_key_is_absence() {
    assert!(failure((404, &[], "NoSuchKey")).is_no_such_key());
    for recorded in [A_404, NO_BUCKET, NO_LIST, (200, &[], "NoSuchKey"), FAILED] {
        assert!(!failure(recorded).is_no_such_key(), "{recorded:?}");
    }
}

#[test]
fn a_412_needs_no_body_to_be_one() {
    assert!(failure(PRECONDITION).has_status(412) && failure(EMPTY_412).has_status(412));
    assert!(!failure(CONFLICT).has_status(412));
}

#[test]
fn a_handshake_that_failed_sent_nothing_and_a_dropped_line_may_have() {
    use Effect::{None, Unknown};
    let texts = [
        ("invalid peer certificate: UnknownIssuer", "certificate", None),
        ("received corrupt message of type InvalidContentType", "speaks https", None),
        ("connection closed before message completed", "check the network", Unknown),
        ("tcp connect error: Connection refused (os error 111)", "check the network", Unknown),
    ];
    for (text, advice, effect) in texts {
        let error = Failure::of_dispatch(text.to_owned()).at("create", Key::change(1));
        assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, effect), "{error}");
        assert!(error.to_string().contains(advice), "{error}");
        assert_eq!(StdError::source(&error).unwrap().to_string(), text);
    }
}

#[test]
fn what_is_not_s3_is_never_an_answer() {
    let portal = HttpResponse::new(200.try_into().unwrap(), SdkBody::from("<html>"));
    let read = SdkError::<GetObjectError, _>::response_error("not xml", portal);
    let failures = [
        read.into(),
        Failure::NotS3("an upload was answered without an ETag"),
        Failure::TimedOut(Duration::from_secs(3)),
    ];
    for failure in failures {
        let error = failure.at("put", Key::change(1));
        assert!(error.is_transient() && error.effect() == Effect::Unknown, "{error:?}");
    }
}
