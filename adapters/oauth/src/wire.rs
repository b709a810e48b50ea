//! The requests to the service.

use std::time::Duration;

use bytes::Bytes;
use db_to_cloud_http::{NoAnswer, retry_after};
use futures::FutureExt;
use futures::future::BoxFuture;
use http::header::{CONTENT_TYPE, DATE, RETRY_AFTER};
use oauth2::basic::{BasicClient, BasicErrorResponse, BasicTokenResponse};
use oauth2::{
    AsyncHttpClient, AuthType, AuthorizationCode, ClientId, ClientSecret, HttpRequest,
    HttpResponse, PkceCodeVerifier, RedirectUrl, RefreshToken, RequestTokenError, TokenResponse,
    TokenUrl,
};
use reqwest::{Url, redirect::Policy};

use crate::error::Failure;
use crate::{Application, Provider};

/// How long a connection may take to come about, and a request.
const CONNECT: Duration = Duration::from_secs(10);
const REQUEST: Duration = Duration::from_secs(30);

/// The way to a service.
#[derive(Clone, Debug)]
pub(crate) struct Wire {
    http: reqwest::Client,
    provider: Provider,
}

/// What the service gives.
pub(crate) struct Granted {
    pub(crate) access_token: String,
    /// Only if there is a new one.
    pub(crate) refresh_token: Option<String>,
    pub(crate) lifetime: Option<Duration>,
    /// With spaces in between; not told if it is what was asked for.
    pub(crate) scope: Option<String>,
}

impl Wire {
    pub(crate) fn new(provider: &Provider) -> Result<Self, Failure> {
        let endpoints = &provider.endpoints;
        for endpoint in [&endpoints.authorize, &endpoints.token, &endpoints.revoke] {
            check(endpoint)?;
        }
        let http = reqwest::Client::builder()
            .user_agent(concat!("db-to-cloud/", env!("CARGO_PKG_VERSION")))
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            // A code or a token goes to no other place.
            .redirect(Policy::none());
        let http = http.build().map_err(|_| Failure::Broken("TLS cannot be used here"))?;
        Ok(Self { http, provider: provider.clone() })
    }

    /// Exchanges the code of a sign-in.
    pub(crate) async fn exchange(
        &self,
        application: &Application,
        code: String,
        verifier: String,
        redirect: Option<RedirectUrl>,
    ) -> Result<Granted, Failure> {
        let mut client = self.client(application);
        if let Some(redirect) = redirect {
            client = client.set_redirect_uri(redirect);
        }
        let client = client.set_token_uri(self.token_url()?);
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .set_pkce_verifier(PkceCodeVerifier::new(verifier));
        request.request_async(self).await.map(Granted::from).map_err(failure)
    }

    /// Exchanges a refresh token for an access token.
    pub(crate) async fn refresh(
        &self,
        application: &Application,
        refresh_token: &str,
    ) -> Result<Granted, Failure> {
        let client = self.client(application).set_token_uri(self.token_url()?);
        let refresh_token = RefreshToken::new(refresh_token.to_owned());
        let request = client.exchange_refresh_token(&refresh_token);
        request.request_async(self).await.map(Granted::from).map_err(failure)
    }

    /// Sends a request with this body, and this access token if there is one.
    pub(crate) async fn post(
        &self,
        url: &str,
        content_type: &'static str,
        body: impl Into<Bytes>,
        access_token: Option<&str>,
    ) -> Result<HttpResponse, Failure> {
        let mut request = self.http.post(url).header(CONTENT_TYPE, content_type).body(body.into());
        if let Some(token) = access_token {
            request = request.bearer_auth(token);
        }
        self.answer(request.build().map_err(line)?).await
    }

    fn client(&self, application: &Application) -> BasicClient {
        let client = BasicClient::new(ClientId::new(application.id.clone()))
            .set_auth_type(AuthType::RequestBody);
        match &application.secret {
            Some(secret) => client.set_client_secret(ClientSecret::new(secret.clone())),
            None => client,
        }
    }

    fn token_url(&self) -> Result<TokenUrl, Failure> {
        Ok(TokenUrl::from_url(check(&self.provider.endpoints.token)?))
    }

    async fn send(&self, request: HttpRequest) -> Result<HttpResponse, Failure> {
        let answer = self.answer(request.try_into().map_err(line)?).await?;
        // Errors of the standard are 400 and 401, and JSON; all else says nothing about our tokens.
        let json: Result<serde_json::Value, _> = serde_json::from_slice(answer.body());
        let status = answer.status().as_u16();
        match json {
            Ok(json) if status == 200 && json["access_token"].is_string() => Ok(answer),
            Ok(json) if matches!(status, 400..=403) && json["error"].is_string() => Ok(answer),
            _ => Err(Failure::NotAnAnswer(status)),
        }
    }

    /// The answer, unless it says that the service cannot answer now.
    async fn answer(&self, request: reqwest::Request) -> Result<HttpResponse, Failure> {
        let answer = self.http.execute(request).await.map_err(line)?;
        let (status, headers) = (answer.status(), answer.headers().clone());
        if matches!(status.as_u16(), 408 | 425 | 429 | 500..=599) {
            let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
            let pause = text(RETRY_AFTER).and_then(|pause| retry_after(pause, text(DATE)));
            return Err(Failure::Busy { status: status.as_u16(), pause });
        }
        let mut whole = HttpResponse::new(answer.bytes().await.map_err(line)?.to_vec());
        (*whole.status_mut(), *whole.headers_mut()) = (status, headers);
        Ok(whole)
    }
}

impl<'a> AsyncHttpClient<'a> for Wire {
    type Error = Failure;
    type Future = BoxFuture<'a, Result<HttpResponse, Failure>>;

    fn call(&'a self, request: HttpRequest) -> Self::Future {
        self.send(request).boxed()
    }
}

impl From<BasicTokenResponse> for Granted {
    fn from(answer: BasicTokenResponse) -> Self {
        let scopes = |scopes: &Vec<oauth2::Scope>| {
            scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" ")
        };
        Self {
            access_token: answer.access_token().secret().clone(),
            refresh_token: answer.refresh_token().map(|token| token.secret().clone()),
            lifetime: answer.expires_in(),
            scope: answer.scopes().map(scopes),
        }
    }
}

/// An address that secrets may go to.
pub(crate) fn check(endpoint: &str) -> Result<Url, Failure> {
    let wrong = Failure::Invalid("endpoint", "write https://host/path, or http://127.0.0.1:port");
    let Ok(url) = Url::parse(endpoint) else { return Err(wrong) };
    let here = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    match url.scheme() {
        "https" => Ok(url),
        "http" if here => Ok(url),
        _ => Err(wrong),
    }
}

fn line(error: reqwest::Error) -> Failure {
    match NoAnswer::of(error, REQUEST) {
        NoAnswer::NotConnected(text) | NoAnswer::Tls(text) => Failure::NotConnected(text),
        NoAnswer::TimedOut(limit) => Failure::TimedOut(limit),
        NoAnswer::Line(text) => Failure::Line(text),
    }
}

fn failure(error: RequestTokenError<Failure, BasicErrorResponse>) -> Failure {
    match error {
        RequestTokenError::Request(failure) => failure,
        RequestTokenError::ServerResponse(refusal) => Failure::Refused {
            error: refusal.error().as_ref().to_owned(),
            description: refusal.error_description().cloned().unwrap_or_default(),
        },
        // Neither is shown: they may quote what was answered, and with it tokens.
        RequestTokenError::Parse(..) | RequestTokenError::Other(_) => Failure::NotAnAnswer(200),
    }
}
