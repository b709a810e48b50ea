//! Signing in, and who one is (facts 3.1).

use std::collections::BTreeMap;

use serde_json::Value;

use super::APP_KEY;
use super::account::Api;
use super::call::{Call, Outcome};
use super::json::Json;
use crate::Answer;
use crate::server::Request;

/// `oauth2/token`: a code or a refresh token becomes an access token.
pub(crate) fn token(api: &Api, request: &Request) -> Answer {
    exchange(api, request).unwrap_or_else(|(error, description)| {
        let body = Json::object().with("error", error).with("error_description", description);
        Answer::new(400, "application/json", body.to_string())
    })
}

type Refusal = (&'static str, &'static str);

fn exchange(api: &Api, request: &Request) -> Result<Answer, Refusal> {
    let kind = request.headers().get("content-type").and_then(|kind| kind.to_str().ok());
    let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if request.method() != axum::http::Method::POST || !is_form {
        return Err(("invalid_request", "a form must be posted"));
    }
    let form: BTreeMap<_, _> = form_urlencoded::parse(request.body()).into_owned().collect();
    let get = |name: &str| form.get(name).map(String::as_str);
    // The application is public: it has no secret.
    if get("client_id") != Some(APP_KEY) || get("client_secret").is_some() {
        return Err(("invalid_client", "Invalid client_id or client_secret"));
    }
    match get("grant_type") {
        Some("authorization_code") => with_code(api, &get),
        Some("refresh_token") => with_refresh_token(api, &get),
        _ => Err(("unsupported_grant_type", "grant_type is not supported")),
    }
}

fn with_code<'a>(api: &Api, get: &impl Fn(&str) -> Option<&'a str>) -> Result<Answer, Refusal> {
    let missing = ("invalid_request", "No \"code\" or \"code_verifier\" parameter found");
    let code = get("code").ok_or(missing)?;
    let verifier = get("code_verifier").ok_or(missing)?;
    if !(43..=128).contains(&verifier.len()) {
        return Err(("invalid_grant", "invalid code verifier"));
    }
    let mut account = api.account();
    let life = account.tokens.life.as_secs();
    let granted = account.tokens.exchange(code, APP_KEY, verifier, get("redirect_uri"));
    let granted = granted.ok_or(("invalid_grant", "code doesn't exist or has expired"))?;
    let scopes: Vec<_> = granted.grant.scopes.iter().map(String::as_str).collect();
    let body = Json::object()
        .with("access_token", granted.access)
        .with("token_type", "bearer")
        .with("expires_in", life)
        .with("refresh_token", granted.refresh)
        .with("scope", scopes.join(" "))
        .with("uid", "123456789")
        .with("account_id", ACCOUNT);
    Ok(Answer::new(200, "application/json", body.to_string()))
}

fn with_refresh_token<'a>(
    api: &Api,
    get: &impl Fn(&str) -> Option<&'a str>,
) -> Result<Answer, Refusal> {
    let refresh =
        get("refresh_token").ok_or(("invalid_request", "No \"refresh_token\" parameter found"))?;
    let is_ours = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'-' | b'_');
    if refresh.len() != 43 || !refresh.bytes().all(is_ours) {
        return Err(("invalid_grant", "refresh token is malformed"));
    }
    let mut account = api.account();
    let life = account.tokens.life.as_secs();
    let grant = account.tokens.refresh_grant(refresh).cloned();
    let mut grant = grant.ok_or(("invalid_grant", "refresh token is invalid or revoked"))?;
    if let Some(scopes) = get("scope") {
        let fewer: std::collections::BTreeSet<_> = scopes.split(' ').map(str::to_owned).collect();
        if !fewer.is_subset(&grant.scopes) {
            return Err(("invalid_scope", "requested scopes were not granted"));
        }
        grant.scopes = fewer;
    }
    let body = Json::object()
        .with("access_token", account.tokens.issue(refresh, grant))
        .with("token_type", "bearer")
        .with("expires_in", life);
    Ok(Answer::new(200, "application/json", body.to_string()))
}

const ACCOUNT: &str = "dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc";

/// `auth/token/revoke`.
pub(crate) fn revoke(api: &Api, call: &Call) -> Outcome {
    nothing(call)?;
    if let Some(token) = &call.token {
        api.account().tokens.revoke(token);
    }
    Ok(Json::Null.into())
}

/// `users/get_current_account`: `FullAccount`.
pub(crate) fn account(call: &Call) -> Outcome {
    nothing(call)?;
    let name = Json::object()
        .with("given_name", "Ada")
        .with("surname", "Lovelace")
        .with("familiar_name", "Ada")
        .with("display_name", "Ada Lovelace")
        .with("abbreviated_name", "AL");
    let root =
        Json::object().with("root_namespace_id", "3235641").with("home_namespace_id", "3235641");
    let account = Json::object()
        .with("account_id", ACCOUNT)
        .with("name", name)
        .with("email", "ada@example.com")
        .with("email_verified", true)
        .with("disabled", false)
        .with("country", "GB")
        .with("locale", "en")
        .with("referral_link", "https://example.com/referrals")
        .with("is_paired", false)
        .with("account_type", Json::tag("basic"))
        .with("root_info", Json::flat("user", root));
    Ok(account.into())
}

/// The argument of routes that take none is `null`.
fn nothing(call: &Call) -> Result<(), Answer> {
    match call.arg::<Value>()? {
        Value::Null => Ok(()),
        _ => Err(call.bad("expected null")),
    }
}
