//! How a user signs in.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Environment, Error, SystemEnvironment};
use oauth2::basic::BasicClient;
use oauth2::{AuthUrl, ClientId, CsrfToken, PkceCodeChallenge, RedirectUrl, Scope};

use crate::answer::Answer;
use crate::error::{Failure, Place};
use crate::loopback::Loopback;
use crate::wire::{Wire, check};
use crate::{Application, Provider, Tokens};

/// Lets a user sign in, by an authorization code with PKCE (RFC 7636, RFC 8252).
#[derive(Clone, Debug)]
pub struct SignIn {
    provider: Provider,
    application: Application,
    wire: Wire,
    environment: Arc<dyn Environment>,
}

/// One sign-in that is going on. Its address is good for one user, once.
pub struct Attempt {
    sign_in: SignIn,
    url: String,
    state: CsrfToken,
    /// What shows that we are those who asked.
    verifier: String,
    redirect: Option<RedirectUrl>,
    loopback: Option<Loopback>,
}

impl SignIn {
    /// At this service, to this application.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if a setting makes no sense.
    pub fn new(provider: Provider, application: Application) -> Result<Self, Error> {
        let wire = match application.id.trim() {
            "" => Err(Failure::Invalid("client id", "register the application and give its id")),
            _ => Wire::new(&provider),
        };
        let wire = wire.map_err(|failure| failure.at(place(&provider)))?;
        let environment = Arc::new(SystemEnvironment::new());
        Ok(Self { provider, application, wire, environment })
    }

    /// With a browser on this machine: it comes back to a port that is listened on from now on.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if no port is free.
    pub async fn by_browser(&self) -> Result<Attempt, Error> {
        let loopback = Loopback::bind(&self.provider.ports).await;
        let loopback = loopback.map_err(|failure| failure.at(place(&self.provider)))?;
        self.attempt(Some(self.provider.service.redirect(loopback.port)), Some(loopback))
    }

    /// With a browser anywhere: the user brings back what the service shows, which is a code at
    /// Dropbox, and at Google the address of a page that cannot be reached.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if a setting makes no sense.
    pub fn by_hand(&self) -> Result<Attempt, Error> {
        self.attempt(self.provider.service.redirect_by_hand(), None)
    }

    fn attempt(
        &self,
        redirect: Option<String>,
        loopback: Option<Loopback>,
    ) -> Result<Attempt, Error> {
        let invalid = |_| Failure::Invalid("redirect", "not an address").at(place(&self.provider));
        let redirect = redirect.map(RedirectUrl::new).transpose().map_err(invalid)?;
        let authorize = check(&self.provider.endpoints.authorize);
        let authorize = authorize.map_err(|failure| failure.at(place(&self.provider)))?;
        let client = BasicClient::new(ClientId::new(self.application.id.clone()))
            .set_auth_uri(AuthUrl::from_url(authorize));
        let (challenge, verifier) = PkceCodeChallenge::new_random_sha256();
        let mut request = client
            .authorize_url(CsrfToken::new_random)
            .set_pkce_challenge(challenge)
            .add_scopes(self.provider.scopes.iter().cloned().map(Scope::new));
        for (name, value) in self.provider.service.parameters() {
            request = request.add_extra_param(*name, *value);
        }
        if let Some(redirect) = &redirect {
            request = request.set_redirect_uri(std::borrow::Cow::Borrowed(redirect));
        }
        let (url, state) = request.url();
        let (sign_in, verifier) = (self.clone(), verifier.into_secret());
        Ok(Attempt { sign_in, url: url.into(), state, verifier, redirect, loopback })
    }
}

impl Attempt {
    /// The address to open in a browser.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Whether the service shows a code to copy. Else the user copies the whole address that the
    /// browser ends at.
    pub fn shows_code(&self) -> bool {
        self.redirect.is_none()
    }

    /// Waits until the browser comes back, and so long at most.
    ///
    /// # Errors
    /// [`ErrorKind::TimedOut`](db_to_cloud::ErrorKind::TimedOut) if nobody came;
    /// [`ErrorKind::Unauthorized`](db_to_cloud::ErrorKind::Unauthorized) if access was denied, or the
    /// service does not know the application. After an error of the line a new attempt is needed: a
    /// code is good for once.
    pub async fn wait(&self, limit: Duration) -> Result<Tokens, Error> {
        let heard = async {
            let Some(loopback) = &self.loopback else {
                return Err(Failure::Broken("this sign-in does not wait for a browser"));
            };
            let heard = tokio::time::timeout(limit, loopback.hear(self.state.secret())).await;
            self.exchange(heard.map_err(|_| Failure::NobodyCame(limit))?).await
        };
        heard.await.map_err(|failure| failure.at(place(&self.sign_in.provider)))
    }

    /// Looks whether there is a code of this sign-in in what the user brought back, or a no of the
    /// service. Nothing is sent.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if there is none: then ask
    /// again.
    pub fn check(&self, pasted: &str) -> Result<(), Error> {
        let answer = Answer::of_paste(pasted, self.state.secret());
        answer.map(drop).map_err(|failure| failure.at(place(&self.sign_in.provider)))
    }

    /// Takes what the user brought back: the code, or the address that the browser ended at.
    ///
    /// # Errors
    /// Those of [`Attempt::wait`] and [`Attempt::check`].
    pub async fn finish(&self, pasted: &str) -> Result<Tokens, Error> {
        let finished = async {
            let answer = Answer::of_paste(pasted, self.state.secret())?;
            self.exchange(answer).await
        };
        finished.await.map_err(|failure| failure.at(place(&self.sign_in.provider)))
    }

    async fn exchange(&self, answer: Answer) -> Result<Tokens, Failure> {
        let SignIn { provider, application, wire, environment } = &self.sign_in;
        let (code, verifier) = (answer.into_code()?, self.verifier.clone());
        let granted = wire.exchange(application, code, verifier, self.redirect.clone()).await;
        let granted = granted.map_err(|failure| match failure.has_ended() {
            true => Failure::BadCode,
            false => failure,
        })?;
        let tokens = Tokens::of_grant(provider, application, granted, environment.now());
        let tokens = tokens.ok_or(Failure::NoRefreshToken)?;
        // At Google the user may untick what is asked for.
        match provider.scopes.iter().find(|scope| !tokens.allows(scope)) {
            Some(missing) => Err(Failure::NotAllowed(missing.clone())),
            None => Ok(tokens),
        }
    }
}

impl fmt::Debug for Attempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Attempt")
            .field("sign_in", &self.sign_in)
            .field("redirect", &self.redirect)
            .finish_non_exhaustive()
    }
}

fn place(provider: &Provider) -> Place<'static> {
    let (service, title) = (provider.service, provider.title());
    Place { operation: "sign in", service, title, advice: "sign in again" }
}
