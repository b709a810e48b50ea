//! One request: its turn, its time limit, its signature, and redirects.

use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::Error;
use db_to_cloud_http::{Answer, Pace, exchange_start, time_limit};
use reqwest::header::{AUTHORIZATION, CONTENT_LENGTH, LOCATION};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Identity, Method, Url};

use crate::WebDavConfig;
use crate::error::{Failure, Refusal, invalid};
use crate::folders::Folders;
use crate::sign_in::{SignIn, Signature};
use crate::slots::TEMPORARY;

/// The way to one server.
#[derive(Debug)]
pub(crate) struct Client {
    http: reqwest::Client,
    base: Url,
    sign_in: SignIn,
    request_timeout: Duration,
    pace: Pace,
    pub(crate) folders: Folders,
}

/// A request that can be sent again.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Method,
    pub(crate) url: Url,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Bytes,
    /// The most bytes that are read of the body of a success.
    pub(crate) at_most: usize,
}

/// How often one request may be redirected.
const REDIRECTS: usize = 3;
/// How often one request may be signed anew: once when the server first asks, once when the nonce of
/// a Digest has expired.
const SIGNATURES: usize = 2;

impl Client {
    pub(crate) fn new(config: &WebDavConfig, base: Url) -> Result<Self, Error> {
        let mut http = reqwest::Client::builder()
            .user_agent(concat!("db-to-cloud/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(config.connect_timeout)
            .pool_max_idle_per_host(config.concurrency)
            // Ours go to the same origin only, and are signed anew.
            .redirect(Policy::none());
        for pem in &config.roots {
            let bundle = Certificate::from_pem_bundle(pem).ok().filter(|all| !all.is_empty());
            let why = "give certificates in the PEM format";
            for root in bundle.ok_or_else(|| invalid("root certificate", why))? {
                http = http.add_root_certificate(root);
            }
        }
        if let Some(identity) = &config.identity {
            let why = "give a certificate and its private key, both in the PEM format";
            let identity = Identity::from_pem(&identity.0);
            http = http.identity(identity.map_err(|_| invalid("client certificate", why))?);
        }
        let http = http.build().map_err(|_| invalid("tls", "the certificates cannot be used"))?;
        let sign_in = SignIn::new(&config.credentials, &base);
        let pace = Pace::new(config.concurrency);
        let (request_timeout, folders) = (config.request_timeout, Folders::default());
        Ok(Self { http, base, sign_in, request_timeout, pace, folders })
    }

    /// The address of an object or, with a slash at the end, of a collection. Names need no escape.
    pub(crate) fn url(&self, path: &str) -> Url {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path()));
        url
    }

    /// The address that a browser makes of this path behind the collection's; `None` if it leads out of it.
    pub(crate) fn url_below(&self, path: &str) -> Option<Url> {
        let url = Url::parse(&format!("{}{path}", self.base)).ok()?;
        let is_below =
            url.origin() == self.base.origin() && url.path().starts_with(self.base.path());
        is_below.then_some(url)
    }

    pub(crate) fn base(&self) -> &Url {
        &self.base
    }

    /// Sends a request when it is its turn; any answer of the server is `Ok`.
    pub(crate) async fn send(&self, request: Request) -> Result<Answer, Failure> {
        let turn = match is_of_a_slot(&request) {
            true => self.pace.turn_to_create().await,
            false => self.pace.turn().await,
        };
        let turn = turn.map_err(Failure::paused)?;
        let answer = self.follow(request).await;
        if let Ok(answer) = &answer {
            match Refusal::of(answer) {
                refusal if refusal.is_too_much() => turn.was_too_much(refusal.pause),
                _ => turn.went_well(),
            }
        }
        answer
    }

    async fn follow(&self, mut request: Request) -> Result<Answer, Failure> {
        let (mut redirects, mut signatures) = (0, 0);
        loop {
            let signature = self.sign_in.sign(&request.method, &request.url);
            let answer = self.once(&request, &signature).await?;
            match answer.status {
                401 if signatures < SIGNATURES
                    && self.sign_in.challenged(&signature, &answer.headers) =>
                {
                    signatures += 1;
                }
                301 | 302 | 307 | 308 if redirects < REDIRECTS => match self.elsewhere(&answer) {
                    Some(url) => (request.url, redirects) = (url, redirects + 1),
                    None => return Ok(answer),
                },
                _ => return Ok(answer),
            }
        }
    }

    /// Where a redirect leads to, if it is the same server: credentials and documents go to no other.
    fn elsewhere(&self, answer: &Answer) -> Option<Url> {
        let place = answer.headers.get(LOCATION)?.to_str().ok()?;
        let url = self.base.join(place).ok()?;
        (url.origin() == self.base.origin()).then_some(url)
    }

    async fn once(&self, request: &Request, signature: &Signature) -> Result<Answer, Failure> {
        let length = request.body.len();
        let mut http = self.http.request(request.method.clone(), request.url.clone());
        for (name, value) in &request.headers {
            http = http.header(*name, value);
        }
        if let Some(header) = &signature.header {
            http = http.header(AUTHORIZATION, header);
        }
        if length > 0 {
            http = http.body(request.body.clone());
        } else if request.method == Method::PUT {
            // nginx refuses an empty file whose length is not named.
            http = http.header(CONTENT_LENGTH, 0);
        }
        let limit_of_body = |bytes| self.limit(bytes);
        let answer = exchange_start(http, self.limit(length), limit_of_body, request.at_most).await;
        answer.map_err(Failure::no_answer)
    }

    /// How long a request may take that moves so many bytes.
    fn limit(&self, bytes: usize) -> Duration {
        time_limit(self.request_timeout, bytes, self.pace.allowed())
    }
}

/// Whether a request is a part of making a slot: those of a race must not begin one by one, behind
/// uploads.
fn is_of_a_slot(request: &Request) -> bool {
    matches!(request.method.as_str(), "MOVE" | "MKCOL" | "LOCK" | "UNLOCK")
        || request.method == Method::PUT && request.url.path().contains(TEMPORARY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_another_program_stay_below_the_collection() {
        let config = WebDavConfig::new("http://h/my notes");
        let client = Client::new(&config, config.base().unwrap()).unwrap();
        let url = |path: &str| client.url_below(path).map(|url| url.to_string());
        assert_eq!(url("docs/A b.json").unwrap(), "http://h/my%20notes/docs/A%20b.json");
        assert_eq!(url("docs/a?b#c").unwrap(), "http://h/my%20notes/docs/a?b#c");
        for path in
            ["../other", "docs/../../other", "docs/%2e%2e/%2E./other", "docs\\..\\..\\other"]
        {
            assert_eq!(url(path), None, "{path}");
        }
    }
}
