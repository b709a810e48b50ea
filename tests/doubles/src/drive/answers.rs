//! Answers as Drive words them (`facts/`, 2.2 and 3.2).

use serde_json::{Value, json};

use crate::Answer;
use crate::server::Response;

/// An error as Drive v3 words it.
fn error(status: u16, reason: &str, message: &str, domain: &str) -> Answer {
    let inner = json!({"domain": domain, "reason": reason, "message": message});
    let body = json!({"error": {"code": status, "message": message, "errors": [inner]}});
    of_json(status, &body)
}

fn of_json(status: u16, body: &Value) -> Answer {
    Answer::new(status, "application/json; charset=UTF-8", body.to_string())
}

/// 200 with this body.
pub(super) fn ok(body: &Value) -> Response {
    of_json(200, body).into()
}

/// 204.
pub(super) fn no_content() -> Response {
    let mut response = Response::new(axum::body::Body::empty());
    *response.status_mut() = axum::http::StatusCode::NO_CONTENT;
    response
}

/// 404 of a file, which a file of another application gets, too.
pub(super) fn not_found(id: &str) -> Answer {
    let message = format!("File not found: {id}.");
    let inner = json!({"domain": "global", "reason": "notFound", "message": message,
        "locationType": "parameter", "location": "fileId"});
    of_json(404, &json!({"error": {"code": 404, "message": message, "errors": [inner]}}))
}

/// 409: there is, or was, a file with this id.
pub fn id_in_use() -> Answer {
    error(409, "fileIdInUse", "A file already exists with the provided ID.", "global")
}

/// 400 of an id that was never issued. The wording is not known; only the status is relied on.
pub(super) fn id_not_issued() -> Answer {
    bad("id", "The provided file ID is not usable.")
}

/// 400 of a parameter.
pub(super) fn bad(parameter: &str, message: &str) -> Answer {
    let inner = json!({"domain": "global", "reason": "invalid", "message": message,
        "locationType": "parameter", "location": parameter});
    of_json(400, &json!({"error": {"code": 400, "message": message, "errors": [inner]}}))
}

/// 400 of a name in `fields`.
pub(super) fn bad_field(name: &str) -> Answer {
    let message = format!("Invalid field selection {name}");
    let inner = json!({"domain": "global", "reason": "invalidParameter", "message": message,
        "locationType": "parameter", "location": "fields"});
    of_json(400, &json!({"error": {"code": 400, "message": message, "errors": [inner]}}))
}

/// 401: the token is unknown or has expired.
pub fn invalid_credentials() -> Answer {
    let message = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
        login cookie or other valid authentication credential. See \
        https://developers.google.com/identity/sign-in/web/devconsole-project.";
    let inner = json!({"message": "Invalid Credentials", "domain": "global", "reason": "authError",
        "location": "Authorization", "locationType": "header"});
    let error = json!({"code": 401, "message": message, "errors": [inner],
        "status": "UNAUTHENTICATED"});
    of_json(401, &json!({"error": error}))
}

/// 403: the token does not cover this space.
pub fn insufficient_scopes() -> Answer {
    error(403, "insufficientPermissions", "Insufficient Permission", "global")
}

/// 403: one user asks too often.
pub fn user_rate_limit() -> Answer {
    error(403, "userRateLimitExceeded", "User Rate Limit Exceeded", "usageLimits")
}

/// 403: the application asks too often.
pub fn rate_limit() -> Answer {
    error(403, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits")
}

/// 429: the same with the status that was made for it.
pub fn too_many_requests() -> Answer {
    error(429, "rateLimitExceeded", "Rate Limit Exceeded", "usageLimits")
}

/// 403: there is no room left.
pub fn quota_exceeded() -> Answer {
    let message = "The user's Drive storage quota has been exceeded.";
    error(403, "storageQuotaExceeded", message, "usageLimits")
}

/// 403: the file was not made by this application, nor opened with it.
pub fn app_not_authorized() -> Answer {
    let message = "The user has not granted the app 1 write access to the file.";
    error(403, "appNotAuthorizedToFile", message, "global")
}

/// 403: the user may not write this file.
pub fn insufficient_file_permissions() -> Answer {
    let message = "The user does not have sufficient permissions for this file.";
    error(403, "insufficientFilePermissions", message, "global")
}

/// 500.
pub fn backend_error() -> Answer {
    error(500, "backendError", "Backend Error", "global")
}

/// 503.
pub fn unavailable() -> Answer {
    error(503, "backendError", "Transient failure", "global")
}

/// 200 with a page for people, as a network's sign-in page.
pub fn portal() -> Answer {
    let page = "<html><body>Please sign in</body></html>";
    Answer::new(200, "text/html; charset=utf-8", page)
}

/// The errors of the token endpoint.
pub(super) fn oauth(status: u16, error: &str, description: &str) -> Answer {
    of_json(status, &json!({"error": error, "error_description": description}))
}
