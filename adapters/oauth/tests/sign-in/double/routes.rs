//! What the services look at.

use axum::body::Bytes;
use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use sha2::{Digest, Sha256};

use super::bodies::json;
use super::{APP, Double, Fields};

/// The page of the service; the user agrees at once. Without a place to go to it shows the code.
pub(super) async fn authorize(
    State(double): State<Double>,
    Query(asked): Query<Fields>,
) -> Response {
    let all = ["client_id", "response_type", "code_challenge", "state", "scope"];
    all.iter().for_each(|name| assert!(asked.contains_key(*name), "{asked:?}"));
    assert_eq!((asked["client_id"].as_str(), asked["response_type"].as_str()), (APP, "code"));
    assert_eq!(asked["code_challenge_method"], "S256");
    let offline = if double.google { "access_type" } else { "token_access_type" };
    assert_eq!(asked[offline], "offline");
    let mut memory = double.memory();
    memory.given += 1;
    // Google's codes have a slash in them.
    let code = format!("4/0A{}", memory.given);
    let state = &asked["state"];
    let answer = match memory.denies {
        true => format!("error=access_denied&error_description=The+user+chose+no&state={state}"),
        false => format!("state={state}&code={}&scope=x", code.replace('/', "%2F")),
    };
    let place = asked.get("redirect_uri").map(|place| format!("{place}?{answer}"));
    memory.codes.insert(code.clone(), asked);
    match place {
        Some(place) => (StatusCode::FOUND, [(header::LOCATION, place)]).into_response(),
        None => code.into_response(),
    }
}

pub(super) async fn token(State(double): State<Double>, Form(asked): Form<Fields>) -> Response {
    let grant = asked["grant_type"].clone();
    double.memory().requests.push(match grant.as_str() {
        "refresh_token" => "refresh",
        "authorization_code" => "exchange",
        other => panic!("{other}"),
    });
    double.gate.acquire().await.unwrap().forget();
    double.gate.add_permits(1);
    if let Some(answer) = double.memory().instead.pop_front() {
        return answer;
    }
    if asked["client_id"] != APP {
        return json(400, r#"{"error": "invalid_client"}"#.to_owned());
    }
    assert_eq!(asked.contains_key("client_secret"), double.google, "{asked:?}");
    match grant.as_str() {
        "refresh_token" => refresh(&double, &asked["refresh_token"]),
        _ => exchange(&double, &asked),
    }
}

fn refresh(double: &Double, token: &str) -> Response {
    let mut memory = double.memory();
    if !memory.refresh_tokens.contains(token) {
        drop(memory);
        return double.ended(token);
    }
    let rotates = memory.rotates;
    if rotates {
        memory.refresh_tokens.remove(token);
    }
    drop(memory);
    double.grant(rotates)
}

fn exchange(double: &Double, asked: &Fields) -> Response {
    let given = double.memory().codes.remove(&asked["code"]);
    let bad =
        |why| json(400, format!(r#"{{"error": "invalid_grant", "error_description": "{why}"}}"#));
    let Some(given) = given else { return bad("code doesn't exist or has expired") };
    let challenge = BASE64_URL_SAFE_NO_PAD.encode(Sha256::digest(&asked["code_verifier"]));
    if challenge != given["code_challenge"] {
        return bad("invalid code verifier");
    }
    if asked.get("redirect_uri") != given.get("redirect_uri") {
        return bad("redirect_uri mismatch");
    }
    double.grant(true)
}

pub(super) async fn revoke(
    State(double): State<Double>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut memory = double.memory();
    memory.requests.push("revoke");
    if let Some(answer) = memory.instead.pop_front() {
        return answer;
    }
    if double.google {
        let token = std::str::from_utf8(&body).unwrap().replace("token=", "").replace("%2F", "/");
        return match memory.refresh_tokens.remove(&token) {
            true => json(200, "{}".to_owned()),
            false => json(
                400,
                r#"{"error":"invalid_token","error_description":"Token expired or revoked"}"#
                    .to_owned(),
            ),
        };
    }
    assert_eq!(
        (&body[..], &headers["content-type"]),
        (&b"null"[..], &"application/json".parse().unwrap())
    );
    let token = headers["authorization"].to_str().unwrap().replace("Bearer ", "");
    if !memory.access_tokens.remove(&token) {
        return json(401, r#"{"error_summary": "expired_access_token/.", "error": {".tag": "expired_access_token"}}"#.to_owned());
    }
    memory.refresh_tokens.clear();
    json(200, "null".to_owned())
}
