//! Dropbox API v2 for an app-folder application, by the facts of 2026-11 (`facts/`, sections 1.1 to 5.2).

mod account;
pub mod answers;
mod append;
mod arg;
mod authorize;
mod call;
mod download;
mod files;
mod finish;
mod folders;
mod hash;
mod hosts;
mod jobs;
mod json;
mod knobs;
mod listing;
mod metadata;
mod oauth;
mod routes;
mod sessions;
mod tree;
mod zip;

use std::sync::Arc;

use bytes::Bytes;

use self::account::Api;
use self::hosts::At;
pub use self::hosts::Host;
use crate::server::Server;
use crate::{Faults, Requests};

/// The application that the double knows (its `client_id`).
pub const APP_KEY: &str = "appkey0123456789";

/// A Dropbox on a free port of 127.0.0.1, with one account and nothing in it. Dropping it ends it.
///
/// All hosts of the service are one at [`Dropbox::url`]: `/2/...` answers what `api`, `content` and `notify`
/// do, `/oauth2/token` gives tokens, and `/oauth2/authorize` is for the browser. [`Dropbox::host`] is one alone.
#[derive(Debug)]
pub struct Dropbox {
    server: Server,
    hosts: [Server; 3],
    api: Arc<Api>,
    faults: Faults,
    requests: Requests,
    token: String,
    refresh_token: String,
}

impl Dropbox {
    /// Starts it.
    ///
    /// # Panics
    /// If no port can be had.
    pub async fn start() -> Self {
        let api = Arc::new(Api::default());
        let granted = api.account().sign_in();
        let (faults, requests) = (Faults::default(), Requests::default());
        let start = async |host| {
            let service = Arc::new(At { api: api.clone(), host });
            let server = Server::start(service, faults.clone(), requests.clone()).await;
            server.expect("a port can be had")
        };
        let server = start(None).await;
        let hosts = [
            start(Some(Host::Api)).await,
            start(Some(Host::Content)).await,
            start(Some(Host::Notify)).await,
        ];
        let (token, refresh_token) = (granted.access, granted.refresh);
        Self { server, hosts, api, faults, requests, token, refresh_token }
    }

    /// Where it is, such as `http://127.0.0.1:40000`, for all hosts of the service.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Where one host of the service is, which refuses what is for the others.
    pub fn host(&self, host: Host) -> String {
        let [api, content, notify] = &self.hosts;
        let server = match host {
            Host::Api => api,
            Host::Content => content,
            Host::Notify => notify,
        };
        format!("http://127.0.0.1:{}", server.port())
    }

    /// Its port on 127.0.0.1, for a proxy before it.
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// An access token with all scopes, of an account that allowed [`APP_KEY`] to stay signed in.
    pub fn token(&self) -> String {
        self.token.clone()
    }

    /// The refresh token behind [`Dropbox::token`].
    pub fn refresh_token(&self) -> String {
        self.refresh_token.clone()
    }

    /// What goes wrong. Routes are such as `files/upload` and `oauth2/token`.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// What was asked, by routes such as `files/upload`.
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// How many files there are.
    pub fn files(&self) -> usize {
        self.api.account().tree.files()
    }

    /// The paths of all files, sorted by their lower case.
    pub fn paths(&self) -> Vec<String> {
        self.api.account().tree.paths()
    }

    /// What is in the file at this path, such as `/log/1`.
    pub fn content(&self, path: &str) -> Option<Bytes> {
        let account = self.api.account();
        account.tree.find(path).ok()?.file().map(|file| file.content.clone())
    }
}
