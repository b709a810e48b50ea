//! A double of the sign-in services of Dropbox and Google. Bodies are those of the wire, as collected in
//! `shared/facts` of the project.

mod bodies;
mod routes;

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use db_to_cloud_oauth::{Application, Endpoints, Provider};
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
            .route("/authorize", get(routes::authorize))
            .route("/token", post(routes::token))
            .route("/revoke", post(routes::revoke))
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
}
