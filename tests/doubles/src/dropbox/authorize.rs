//! What the browser sees: `/oauth2/authorize`, with a user who always says yes, or always no (facts 3.1).

use std::collections::BTreeMap;

use super::APP_KEY;
use super::account::{Api, SCOPES, grant};
use crate::Answer;
use crate::server::Request;

/// Sends the browser back to the application, or shows a code to copy.
pub(crate) fn page(api: &Api, request: &Request) -> Answer {
    let query = request.uri().query().unwrap_or_default();
    let fields = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    consent(api, &fields).unwrap_or_else(|why| Answer::new(400, "text/html; charset=utf-8", why))
}

fn consent(api: &Api, fields: &BTreeMap<String, String>) -> Result<Answer, String> {
    let get = |name: &str| fields.get(name).map(String::as_str);
    for (name, value) in [
        ("client_id", APP_KEY),
        ("response_type", "code"),
        ("code_challenge_method", "S256"),
        // Without it there is no refresh token, and the user would be asked again every four hours.
        ("token_access_type", "offline"),
    ] {
        if get(name) != Some(value) {
            return Err(format!("{name} must be {value} here"));
        }
    }
    let challenge = get("code_challenge").filter(|challenge| challenge.len() == 43);
    let challenge = challenge.ok_or("code_challenge must be the S256 of a verifier")?;
    let redirect = get("redirect_uri");
    let is_loopback =
        |uri: &str| uri.starts_with("http://localhost:") || uri.starts_with("http://127.0.0.1:");
    if !redirect.is_none_or(is_loopback) {
        return Err("redirect_uri is not registered".to_owned());
    }
    let mut account = api.account();
    let scopes: Vec<_> = match get("scope") {
        Some(scopes) => scopes.split(' ').collect(),
        None => SCOPES.to_vec(),
    };
    if !scopes.iter().all(|scope| SCOPES.contains(scope)) {
        return Err("a scope is not known to this application".to_owned());
    }
    let (name, value) = match account.knobs.says_no {
        true => ("error", "access_denied".to_owned()),
        false => ("code", account.tokens.allow(grant(&scopes), challenge, redirect)),
    };
    let Some(redirect) = redirect else {
        return Ok(Answer::new(200, "text/html; charset=utf-8", value));
    };
    let mut back = form_urlencoded::Serializer::new(String::new());
    back.append_pair(name, &value);
    if let Some(state) = get("state") {
        back.append_pair("state", state);
    }
    let to = format!("{redirect}?{}", back.finish());
    Ok(Answer::new(302, "text/html; charset=utf-8", "").with("location", to))
}
