//! A double of the sign-in services of Dropbox and Google. Bodies are those of the wire, as collected in
//! `shared/facts` of the project.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::extract::{Form, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Router, body::Bytes};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use db_to_cloud_oauth::{Application, Endpoints, Provider};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;

type Fields = HashMap<String, String>;

#[derive(Clone)]
pub(crate) struct Double {
    google: bool,
    address: String,
    memory: Arc<Mutex<Memory>>,
    /// A token request passes it after it was counted.
    gate: Arc<Semaphore>,
}

#[derive(Default)]
pub(crate) struct Memory {
    /// What was asked for when a code was given.
    codes: HashMap<String, Fields>,
    /// Those that are good.
    pub(crate) refresh_tokens: HashSet<String>,
    pub(crate) access_tokens: HashSet<String>,
    /// What was asked of the token endpoint and the revoke endpoint, in order.
    pub(crate) requests: Vec<&'static str>,
    /// Answers to give instead.
    pub(crate) instead: VecDeque<Response>,
    /// Whether a refresh token is good for once only.
    pub(crate) rotates: bool,
    /// What the user allows, if not all.
    pub(crate) allows: Option<&'static str>,
    /// The user says no.
    pub(crate) denies: bool,
    given: u64,
}

pub(crate) const APP: &str = "app-key";
pub(crate) const SECRET: &str = "GOCSPX-secret";

impl Double {
    pub(crate) async fn dropbox() -> Self {
        Self::start(false).await
    }

    pub(crate) async fn google() -> Self {
        Self::start(true).await
    }

    async fn start(google: bool) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let gate = Arc::new(Semaphore::new(Semaphore::MAX_PERMITS));
        let double = Self { google, address, memory: Arc::default(), gate };
        let routes = Router::new()
            .route("/authorize", get(authorize))
            .route("/token", post(token))
            .route("/revoke", post(revoke))
            .with_state(double.clone());
        tokio::spawn(async move { axum::serve(listener, routes).await });
        double
    }

    /// The service, at this double, listening on any port.
    pub(crate) fn provider(&self) -> Provider {
        let provider = if self.google { Provider::google_drive() } else { Provider::dropbox() };
        let at = |path| format!("{}/{path}", self.address);
        let (authorize, token, revoke) = (at("authorize"), at("token"), at("revoke"));
        provider.with_endpoints(Endpoints { authorize, token, revoke }).with_ports([0])
    }

    pub(crate) fn application(&self) -> Application {
        let application = Application::new(APP);
        if self.google { application.with_secret(SECRET) } else { application }
    }

    pub(crate) fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap()
    }

    pub(crate) fn requests(&self, kind: &str) -> usize {
        self.memory().requests.iter().filter(|request| **request == kind).count()
    }

    /// Answers nothing until [`Double::open`].
    pub(crate) fn close(&self) {
        self.gate.forget_permits(Semaphore::MAX_PERMITS);
    }

    pub(crate) fn open(&self) {
        self.gate.add_permits(Semaphore::MAX_PERMITS);
    }

    /// Answers this to the next request, whatever it is.
    pub(crate) fn instead(&self, status: u16, kind: &'static str, body: &'static str) {
        let status = StatusCode::from_u16(status).unwrap();
        let answer = (status, [(header::CONTENT_TYPE, kind)], body).into_response();
        self.memory().instead.push_back(answer);
    }

    fn scopes(&self) -> &'static str {
        let given = self.memory().allows;
        given.unwrap_or(match self.google {
            true => "https://www.googleapis.com/auth/drive.file",
            false => "files.content.write files.content.read files.metadata.read",
        })
    }

    /// The error of a refresh token that is none, as the service says it.
    fn ended(&self, token: &str) -> Response {
        let text = match self.google {
            true => {
                r#"{"error":"invalid_grant","error_description":"Token has been expired or revoked."}"#
            }
            false if token.is_empty() || token.contains(' ') => {
                r#"{"error": "invalid_grant", "error_description": "refresh token is malformed"}"#
            }
            false => {
                r#"{"error": "invalid_grant", "error_description": "refresh token is invalid or revoked"}"#
            }
        };
        json(400, text.to_owned())
    }

    /// New tokens, the refresh token only if there is a new one.
    fn grant(&self, refresh_token: bool) -> Response {
        let scope = self.scopes();
        let memory = &mut *self.memory();
        memory.given += 1;
        let number = memory.given;
        let (access, refresh) = match self.google {
            true => (format!("ya29.{number}"), format!("1//{number}")),
            false => (format!("sl.B2M8{number}"), format!("refresh-{number}")),
        };
        memory.access_tokens.insert(access.clone());
        let mut more = String::new();
        if refresh_token {
            memory.refresh_tokens.insert(refresh.clone());
            more = format!(r#", "refresh_token": "{refresh}", "scope": "{scope}""#);
        }
        let text = match self.google {
            true => format!(
                r#"{{"access_token":"{access}","expires_in":3599{more},"scope":"{scope}","token_type":"Bearer"}}"#,
                more = more.split(", \"scope").next().unwrap(),
            ),
            false => format!(
                r#"{{"access_token": "{access}", "token_type": "bearer", "expires_in": 14400{more}}}"#
            ),
        };
        json(200, text)
    }
}

fn json(status: u16, text: String) -> Response {
    let status = StatusCode::from_u16(status).unwrap();
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

/// The page of the service; the user agrees at once. Without a place to go to it shows the code.
async fn authorize(State(double): State<Double>, Query(asked): Query<Fields>) -> Response {
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

async fn token(State(double): State<Double>, Form(asked): Form<Fields>) -> Response {
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
        return json(
            400,
            r#"{"error": "invalid_client: Invalid client_id or client_secret"}"#
                .replace(": Invalid client_id or client_secret", ""),
        );
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

async fn revoke(State(double): State<Double>, headers: HeaderMap, body: Bytes) -> Response {
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
