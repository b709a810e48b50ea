//! One request: its turn, its time limit, its token, and the pause after one too many.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::Error;
use db_to_cloud_http::{Answer, Pace, Turn, exchange, time_limit};
use db_to_cloud_oauth::TokenProvider;
use reqwest::redirect::Policy;
use reqwest::{Method, Url};

use crate::GoogleDriveConfig;
use crate::error::{Failure, Refusal, invalid};

/// The way to Google.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    root: Url,
    tokens: Arc<dyn TokenProvider>,
    request_timeout: Duration,
    pace: Pace,
    /// How often in a row Google asked for fewer requests.
    refusals: AtomicU32,
}

/// A request that can be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// One of several that race for the same id: they must not begin one by one, behind uploads.
    pub(crate) races: bool,
}

/// Google names no pause: it advises to wait 1, 2, 4 … seconds, and some milliseconds by chance.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
/// So often a pause doubles: 64 seconds are more than the minute by which Google counts.
const DOUBLINGS: u32 = 6;

impl Client {
    pub(crate) fn new(config: &GoogleDriveConfig) -> Result<Self, Error> {
        let http = reqwest::Client::builder()
            .user_agent(concat!("db-to-cloud/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(config.concurrency)
            // A 308 of an upload is no redirect, and others lead to pages for people.
            .redirect(Policy::none())
            .build()
            .map_err(|_| invalid("tls", "no secure connection can be made on this device"))?;
        let root = Url::parse(&config.root_url);
        Ok(Self {
            http,
            root: root.map_err(|_| invalid("root url", "write https://host"))?,
            tokens: config.tokens.clone(),
            request_timeout: config.request_timeout,
            pace: Pace::new(config.concurrency),
            refusals: AtomicU32::new(0),
        })
    }

    /// A request without a body.
    pub(crate) fn request(&self, method: Method, path: &str, query: &[(&str, &str)]) -> Request {
        let mut url = self.root.clone();
        url.set_path(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Request { method, url, headers: Vec::new(), body: Bytes::new(), races: false }
    }

    /// Whether an address that Google named is Google's.
    pub(crate) fn is_ours(&self, url: &Url) -> bool {
        url.origin() == self.root.origin()
    }

    /// Sends a request when it is its turn; any answer is `Ok`, but for those that ask for fewer.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let turn = match request.races {
            true => self.pace.turn_to_create().await,
            false => self.pace.turn().await,
        };
        let turn = turn.map_err(Failure::paused)?;
        let answer = self.signed(&request).await?;
        let refusal = Refusal::of(&answer);
        if answer.status >= 400 && refusal.is_too_much() {
            return Err(self.was_too_much(&turn, &answer, &refusal));
        }
        if answer.status < 500 {
            self.refusals.store(0, Ordering::Relaxed);
            turn.went_well();
        }
        Ok(answer)
    }

    /// All requests of this client pause; the core waits as long.
    fn was_too_much(&self, turn: &Turn<'_>, answer: &Answer, refusal: &Refusal) -> Failure {
        let refused = self.refusals.fetch_add(1, Ordering::Relaxed).min(DOUBLINGS);
        let pause = FIRST_PAUSE * 2_u32.pow(refused);
        let pause = refusal.pause.unwrap_or(pause + pause.mul_f64(fastrand::f64() / 4.0));
        turn.was_too_much(Some(pause));
        Failure::of(answer).with_pause(pause)
    }

    /// With a token; a token that is refused is renewed once.
    async fn signed(&self, request: &Request) -> Result<Answer, Failure> {
        let token = self.tokens.token().await.map_err(Failure::token)?;
        let answer = self.once(request, token.secret()).await?;
        if answer.status != 401 {
            return Ok(answer);
        }
        self.tokens.refused(&token).await;
        let token = self.tokens.token().await.map_err(Failure::token)?;
        self.once(request, token.secret()).await
    }

    async fn once(&self, request: &Request, token: &str) -> Result<Answer, Failure> {
        let length = request.body.len();
        let mut http = self.http.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            http = http.header(*name, value);
        }
        // An empty one, too: Google asks for the length of each POST, PUT and PATCH.
        if request.method != Method::GET && request.method != Method::DELETE {
            http = http.body(request.body.clone());
        }
        let answer =
            exchange(http.bearer_auth(token), self.limit(length), |bytes| self.limit(bytes)).await;
        answer.map_err(Failure::no_answer)
    }

    /// How long a request may take that moves so many bytes.
    fn limit(&self, bytes: usize) -> Duration {
        time_limit(self.request_timeout, bytes, self.pace.allowed())
    }
}
