//! What a service says that is not well, and what is made of it.

use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use db_to_cloud::{Effect, ErrorKind};
use db_to_cloud_oauth::{
    Application, Endpoints, Provider, Refreshing, SignIn, TokenProvider, TokenStore,
};

use crate::double::{Double, SECRET};
use crate::renewing::User;

#[tokio::test]
async fn a_revoked_sign_in_says_what_to_do() {
    let user = User::at(Double::dropbox().await).await;
    user.double.memory().refresh_tokens.clear();
    let error = user.tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("disconnected at Dropbox"), "{error}");
    assert!(error.to_string().ends_with("sign in anew"), "{error}");
    let told = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(told, "invalid_grant: refresh token is invalid or revoked");

    let user = User::at(Double::google().await).await;
    user.double.memory().refresh_tokens.clear();
    let error = user.tokens.token().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("seven days and the app is still in testing"), "{error}");
}

#[tokio::test]
async fn each_refusal_has_its_meaning() {
    let malformed =
        r#"{"error": "invalid_grant", "error_description": "refresh token is malformed"}"#;
    let secret = r#"{"error":"invalid_request","error_description":"client_secret is missing."}"#;
    for (status, body, kind, why) in [
        (400, malformed, ErrorKind::Unauthorized, "sign in anew"),
        (400, r#"{"error": "invalid_client"}"#, ErrorKind::Unauthorized, "client id"),
        (
            401,
            r#"{"error":"invalid_client","error_description":"Unauthorized"}"#,
            ErrorKind::Unauthorized,
            "client secret",
        ),
        (401, r#"{"error":"unauthorized_client"}"#, ErrorKind::Unauthorized, "client id"),
        (400, secret, ErrorKind::InvalidInput, "client secret"),
        (400, r#"{"error":"invalid_scope"}"#, ErrorKind::InvalidInput, "refuses the request"),
        (400, r#"{"error":"temporarily_unavailable"}"#, ErrorKind::Unavailable, "refuses"),
    ] {
        let user = User::at(Double::google().await).await;
        user.double.instead(status, "application/json", body);
        let error = user.tokens.token().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{body}");
        assert!(error.to_string().contains(why), "{error}");
    }
}

#[tokio::test]
async fn another_application_is_told_to_check_its_id() {
    let double = Double::dropbox().await;
    let sign_in = SignIn::new(double.provider(), Application::new("other-key")).unwrap();
    let error = sign_in.by_hand().unwrap().finish("some-code").await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthorized);
    assert!(error.to_string().contains("check the app key"), "{error}");
}

#[tokio::test]
async fn what_may_pass_is_no_end_of_a_sign_in() {
    let user = User::at(Double::dropbox().await).await;
    for (status, kind, body) in [
        (500, "text/html", "<p>oops"),
        (503, "application/json", r#"{"error": "invalid_grant"}"#),
        (400, "text/html", "<p>sign in to this network</p>"),
        (302, "text/html", ""),
        (200, "text/html", "<p>sign in to this network</p>"),
        (200, "application/json", "{}"),
        (200, "application/json", r#"{"access_token": "half", "expires_"#),
        (404, "application/json", "{}"),
    ] {
        user.double.instead(status, kind, body);
        let error = user.tokens.token().await.unwrap_err();
        assert_eq!(
            (error.kind(), error.effect()),
            (ErrorKind::Unavailable, Effect::None),
            "{body}"
        );
        assert!(!format!("{error:?}").contains("half"), "{error:?}");
    }
    user.token().await;
}

#[tokio::test]
async fn a_pause_is_passed_on() {
    let user = User::at(Double::dropbox().await).await;
    for status in [StatusCode::TOO_MANY_REQUESTS, StatusCode::SERVICE_UNAVAILABLE] {
        let answer = (status, [(header::RETRY_AFTER, "300")], "").into_response();
        user.double.memory().instead.push_back(answer);
        let error = user.tokens.token().await.unwrap_err();
        let throttled = status == StatusCode::TOO_MANY_REQUESTS;
        assert_eq!(error.kind() == ErrorKind::Throttled, throttled, "{error}");
        assert_eq!(error.retry_after(), Some(Duration::from_secs(300)));
    }
}

#[tokio::test]
async fn offline_a_good_token_is_used_and_else_it_is_tried_later() {
    let user = User::at(Double::dropbox().await).await;
    let first = user.token().await;
    user.clock.forward(14400 - 60);
    user.double.instead(503, "text/plain", "");
    assert_eq!(user.token().await, first, "it is good for another minute");
    assert_eq!(user.refreshes(), 2);

    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let at = |path| format!("http://{nobody}/{path}");
    let (authorize, token, revoke) = (at("authorize"), at("token"), at("revoke"));
    let provider = Provider::dropbox().with_endpoints(Endpoints { authorize, token, revoke });
    let offline = Refreshing::new(provider, user.store.clone()).unwrap();
    let offline = offline.with_environment(std::sync::Arc::new(user.clock.clone()));
    user.clock.forward(60);
    let error = offline.token().await.unwrap_err();
    assert_eq!((error.kind(), error.effect()), (ErrorKind::Unavailable, Effect::None));
    assert!(error.to_string().contains("check the network"), "{error}");
}

#[tokio::test]
async fn nothing_shows_a_secret() {
    let user = User::at(Double::google().await).await;
    let access = user.token().await;
    let kept = user.store.load().await.unwrap().unwrap();
    let shown = format!("{kept:?} {:?} {:?} {:?}", user.tokens, user.store, kept.application());
    for secret in [access.as_str(), "1//", SECRET, "ya29"] {
        assert!(!shown.contains(secret), "{shown}");
    }
    assert!(shown.contains("google-drive"), "{shown}");
}
