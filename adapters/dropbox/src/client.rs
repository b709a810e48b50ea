//! One request: its turn, its token, its time limit.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use db_to_cloud::Error;
use db_to_cloud_http::{Answer, Pace, Turn, exchange_start, first_bytes, time_limit};
use db_to_cloud_oauth::{AccessToken, TokenProvider};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RANGE};
use reqwest::redirect::Policy;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::RwLock;

use crate::DropboxConfig;
use crate::append::HeaderRoom;
use crate::call::{Call, Kind, ascii};
use crate::config::Endpoints;
use crate::error::{Failure, invalid};
use crate::refusal::Refusal;

/// The way to one folder of one Dropbox.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    endpoints: Endpoints,
    tokens: Arc<dyn TokenProvider>,
    request_timeout: Duration,
    pub(crate) pace: Pace,
    /// Nothing, or a path with a slash before and none after.
    pub(crate) root: String,
    /// Dropbox locks an account's files for each commit and refuses others meanwhile: a batch is
    /// committed alone, single files beside each other.
    pub(crate) commits: RwLock<()>,
    pub(crate) header_room: HeaderRoom,
    /// Dropbox refused to copy a file as such: it is not asked again.
    pub(crate) copyless: AtomicBool,
    /// The most bytes of a file in one request.
    pub(crate) piece: usize,
}

/// What one file of a batch adds to the time limit.
const TIME_OF_A_FILE: Duration = Duration::from_millis(100);

impl Client {
    pub(crate) fn new(config: &DropboxConfig) -> Result<Self, Error> {
        let (root, endpoints) = (config.root()?, config.endpoints()?);
        let alive = Duration::from_secs(30);
        let http = reqwest::Client::builder()
            .user_agent(concat!("db-to-cloud/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(config.concurrency)
            // A line that died while we wait for a change is noticed.
            .tcp_keepalive(alive)
            .http2_keep_alive_interval(alive)
            // Dropbox does not redirect: who does is another, and gets no token.
            .redirect(Policy::none());
        let http = http.build().map_err(|_| invalid("tls", "no certificates can be used"))?;
        Ok(Self {
            http,
            endpoints,
            tokens: config.tokens.clone(),
            request_timeout: config.request_timeout,
            pace: Pace::new(config.concurrency),
            root,
            commits: RwLock::default(),
            header_room: HeaderRoom::default(),
            copyless: AtomicBool::new(false),
            piece: config.piece,
        })
    }

    /// The path of an object or a folder.
    pub(crate) fn path(&self, name: impl std::fmt::Display) -> String {
        format!("{}/{name}", self.root)
    }

    /// Sends a request when it is its turn and reads the answer of this type.
    pub(crate) async fn ask<T: DeserializeOwned>(&self, call: Call) -> Result<T, Failure> {
        json(&self.send(call).await?)
    }

    /// Sends a request when it is its turn; only a success is `Ok`.
    pub(crate) async fn send(&self, call: Call) -> Result<Answer, Failure> {
        let turn = match call.is_create {
            true => self.pace.turn_to_create().await,
            false => self.pace.turn().await,
        };
        let turn = turn.map_err(Failure::paused)?;
        let answer = self.signed(&call).await;
        tell(&turn, &answer);
        answer
    }

    /// A token that has expired is renewed, once: such a request did nothing.
    async fn signed(&self, call: &Call) -> Result<Answer, Failure> {
        let token = self.token().await?;
        let refused = match self.once(call, &token).await {
            Err(Failure::Refused(refusal)) if refusal.is_of_token() => refusal,
            answer => return answer,
        };
        self.tokens.refused(&token).await;
        match self.token().await? {
            same if same == token => Err(Failure::Refused(refused)),
            other => self.once(call, &other).await,
        }
    }

    async fn token(&self) -> Result<AccessToken, Failure> {
        self.tokens.token().await.map_err(|error| Failure::of_token(&error))
    }

    async fn once(&self, call: &Call, token: &AccessToken) -> Result<Answer, Failure> {
        let host = match call.kind {
            Kind::Rpc => &self.endpoints.api,
            Kind::Upload(_) | Kind::Download(_) => &self.endpoints.content,
        };
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.secret()));
        let mut bearer = bearer.map_err(|_| Failure::BadToken)?;
        bearer.set_sensitive(true);
        let http = self.http.post(address(host, call.route)).header(AUTHORIZATION, bearer);
        let header = || ascii(&call.arg).into_owned();
        let http = match &call.kind {
            Kind::Rpc => http.header(CONTENT_TYPE, "application/json").body(call.arg.clone()),
            Kind::Upload(bytes) => http
                .header("Dropbox-API-Arg", header())
                .header(CONTENT_TYPE, "application/octet-stream")
                .body(bytes.clone()),
            Kind::Download(None) => http.header("Dropbox-API-Arg", header()),
            Kind::Download(Some(at_most)) => {
                http.header("Dropbox-API-Arg", header()).header(RANGE, first_bytes(*at_most))
            }
        };
        let limit = time_limit(self.request_timeout, call.length(), self.pace.allowed());
        let limit = limit + TIME_OF_A_FILE * u32::try_from(call.files).unwrap_or(u32::MAX);
        self.exchange(http, limit, call.at_most()).await
    }

    /// Waits for an answer of the host that tells of changes. It needs no token and takes no turn:
    /// most of the time nothing happens.
    pub(crate) async fn listen<T: DeserializeOwned>(
        &self,
        route: &'static str,
        arg: &impl Serialize,
        limit: Duration,
    ) -> Result<T, Failure> {
        let call = Call::rpc(route, arg);
        let http = self.http.post(address(&self.endpoints.notify, route));
        let http = http.header(CONTENT_TYPE, "application/json").body(call.arg);
        let answer = self.exchange(http, limit, usize::MAX).await;
        if let Err(failure) = &answer
            && let Some(pause) = failure.pause()
        {
            self.pace.pause(pause);
        }
        json(&answer?)
    }

    async fn exchange(
        &self,
        http: reqwest::RequestBuilder,
        limit: Duration,
        at_most: usize,
    ) -> Result<Answer, Failure> {
        let limit_of_body = |bytes| time_limit(limit, bytes, self.pace.allowed());
        let answer = exchange_start(http, limit, limit_of_body, at_most).await;
        let answer = answer.map_err(Failure::NoAnswer)?;
        match answer.status {
            200 | 206 => Ok(answer),
            201..=299 => Err(Failure::NotDropbox("a success of another kind")),
            _ => Err(Failure::Refused(Refusal::of(&answer))),
        }
    }
}

fn tell(turn: &Turn<'_>, answer: &Result<Answer, Failure>) {
    match answer {
        Ok(_) => turn.went_well(),
        Err(failure) if failure.is_too_much() => turn.was_too_much(failure.pause()),
        Err(_) => {}
    }
}

fn address(host: &Url, route: &str) -> Url {
    let mut url = host.clone();
    url.set_path(&format!("{}/2/{route}", host.path().trim_end_matches('/')));
    url
}

fn json<T: DeserializeOwned>(answer: &Answer) -> Result<T, Failure> {
    serde_json::from_slice(&answer.body)
        .map_err(|_| Failure::NotDropbox("an answer that is not the one to this question"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_endpoint_may_have_a_path() {
        let address = |host: &str| address(&Url::parse(host).unwrap(), "files/upload").to_string();
        assert_eq!(address("https://h"), "https://h/2/files/upload");
        assert_eq!(address("https://h/gateway/"), "https://h/gateway/2/files/upload");
    }
}
