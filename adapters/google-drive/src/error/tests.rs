use bytes::Bytes;
use db_to_cloud::ErrorKind::*;

use super::*;

fn answer(status: u16, reason: &str) -> Answer {
    let message = "what Google says";
    let body = serde_json::json!({"error": {"code": status, "message": message,
        "errors": [{"domain": "global", "reason": reason, "message": message}]}});
    Answer { status, headers: Default::default(), body: Bytes::from(body.to_string()) }
}

/// Google decides by the reason: a 403 may mean that one asks too often.
#[test]
fn each_reason_has_its_kind_and_effect() {
    let table = [
        (401, "authError", Unauthorized, Effect::None),
        (403, "userRateLimitExceeded", Throttled, Effect::Unknown),
        (403, "rateLimitExceeded", Throttled, Effect::Unknown),
        (429, "rateLimitExceeded", Throttled, Effect::Unknown),
        (429, "", Throttled, Effect::Unknown),
        (403, "storageQuotaExceeded", Full, Effect::None),
        (403, "appNotAuthorizedToFile", Forbidden, Effect::None),
        (403, "insufficientFilePermissions", Forbidden, Effect::None),
        (403, "insufficientPermissions", Forbidden, Effect::None),
        (403, "accessNotConfigured", Forbidden, Effect::None),
        (403, "", Forbidden, Effect::None),
        (404, "notFound", Unavailable, Effect::None),
        (400, "invalid", Unsupported, Effect::None),
        (409, "fileIdInUse", Unavailable, Effect::Unknown),
        (500, "backendError", Unavailable, Effect::Unknown),
        (503, "", Unavailable, Effect::Unknown),
    ];
    for (status, reason, kind, effect) in table {
        let error = Failure::of(&answer(status, reason)).at("put", "docs/a");
        assert_eq!((error.kind(), error.effect()), (kind, effect), "{status} {reason}: {error}");
    }
}

#[test]
fn a_message_says_what_to_do_and_a_pause_how_long() {
    let failure = Failure::of(&answer(403, "userRateLimitExceeded"));
    let error = failure.with_pause(Duration::from_secs(3)).at("put", "docs/a");
    assert_eq!(error.retry_after(), Some(Duration::from_secs(3)));
    let full = Failure::of(&answer(403, "storageQuotaExceeded")).at("put", "docs/a");
    assert_eq!(
        full.to_string(),
        "put \"docs/a\": storage full: make room in the Google account: Drive, Gmail and Photos \
         share it (403: storageQuotaExceeded)"
    );
}

#[test]
fn an_id_in_use_is_known_by_reason_or_message() {
    assert!(Refusal::of(&answer(409, "fileIdInUse")).is_id_in_use());
    assert!(!Refusal::of(&answer(409, "conflict")).is_id_in_use());
    let mut by_message = answer(409, "");
    by_message.body = Bytes::from_static(
        b"{\"error\":{\"message\":\"A file already exists with the provided ID.\"}}",
    );
    assert!(Refusal::of(&by_message).is_id_in_use());
}
