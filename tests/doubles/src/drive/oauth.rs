//! The token endpoint, as `oauth2.googleapis.com` has it.

use serde_json::json;

use super::parameters::Parameters;
use super::{State, answers};
use crate::Answer;
use crate::server::{Request, Response};

/// `POST /token`, a form.
pub(super) fn token(state: &mut State, request: &Request) -> Result<Response, Answer> {
    let form = Parameters::parse(&String::from_utf8_lossy(request.body()));
    let client = form.get("client_id").unwrap_or_default();
    let is_known = form.get("client_secret") == Some(super::CLIENT_SECRET);
    if client.is_empty() || !is_known {
        return Err(answers::oauth(401, "invalid_client", "The OAuth client was not found."));
    }
    let (access, refresh, grant) = match form.get("grant_type") {
        Some("refresh_token") => {
            let refresh = form.get("refresh_token").unwrap_or_default();
            let grant = state.tokens.refresh_grant(refresh).filter(|grant| grant.client == client);
            let grant = grant.cloned().ok_or_else(|| {
                let message = "Token has been expired or revoked.";
                answers::oauth(400, "invalid_grant", message)
            })?;
            (state.tokens.issue(refresh, grant.clone()), None, grant)
        }
        Some("authorization_code") => {
            let code = form.get("code").unwrap_or_default();
            let verifier = form.get("code_verifier").unwrap_or_default();
            let redirect = form.get("redirect_uri");
            let granted = state.tokens.exchange(code, client, verifier, redirect);
            let granted =
                granted.ok_or_else(|| answers::oauth(400, "invalid_grant", "Bad Request"))?;
            (granted.access, Some(granted.refresh), granted.grant)
        }
        _ => return Err(answers::oauth(400, "unsupported_grant_type", "Invalid grant_type")),
    };
    let scopes: Vec<_> = grant.scopes.iter().map(String::as_str).collect();
    let mut body = json!({"access_token": access, "expires_in": state.tokens.life.as_secs(),
        "scope": scopes.join(" "), "token_type": "Bearer"});
    if let Some(refresh) = refresh {
        body["refresh_token"] = refresh.into();
    }
    Ok(answers::ok(&body))
}

/// `POST /revoke`, a form.
pub(super) fn revoke(state: &mut State, request: &Request) -> Result<Response, Answer> {
    let form = Parameters::parse(&String::from_utf8_lossy(request.body()));
    state.tokens.revoke(form.get("token").unwrap_or_default());
    Ok(answers::ok(&json!({})))
}
