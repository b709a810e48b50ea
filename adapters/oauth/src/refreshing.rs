//! Gives an adapter access tokens and renews them.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{Environment, Error, SystemEnvironment};
use tokio::runtime::Handle;

use crate::current::{Renewal, State};
use crate::error::{Failure, Place};
use crate::renewal::Renewer;
use crate::wire::Wire;
use crate::{AccessToken, Provider, TokenProvider, TokenStore};

/// So long before its end an access token is renewed: longer than most requests take.
const MARGIN: Duration = Duration::from_secs(120);

/// Gives the access token of a kept sign-in, and renews it some time before its end, or when the
/// service refuses it whatever the clock says.
///
/// # Guarantees
/// - However many ask, one renewal runs at a time, and all who wait share what comes of it. It goes on
///   if they are dropped.
/// - A refresh token that the service exchanges is kept before the new access token is given out. If
///   it cannot be kept now, that is tried again with each call.
/// - A sign-in that was renewed or made anew by another process is taken from the store.
/// - While the service cannot be reached, a token that is still good is given.
///
/// # Not guaranteed
/// Should the process die between the service's answer and the store's, a refresh token that can be
/// used once only is lost. Those of Dropbox and Google can be used again.
///
/// It needs a tokio runtime.
#[derive(Debug)]
pub struct Refreshing {
    renewer: Arc<Renewer>,
    advice: String,
}

impl Refreshing {
    /// Of the sign-in at this service that is kept there. Nothing is read yet.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidInput`](db_to_cloud::ErrorKind::InvalidInput) if an endpoint makes no sense.
    pub fn new(provider: Provider, store: Arc<dyn TokenStore>) -> Result<Self, Error> {
        let advice = "sign in again".to_owned();
        let wire = Wire::new(&provider).map_err(|failure| failure.at(place(&provider, &advice)))?;
        let environment: Arc<dyn Environment> = Arc::new(SystemEnvironment::new());
        let (margin, state) = (MARGIN, Mutex::new(State::default()));
        let renewer = Renewer { provider, store, wire, environment, margin, state };
        Ok(Self { renewer: Arc::new(renewer), advice })
    }

    /// What an error tells a user who has to sign in again, such as
    /// "sign in again with \`notes login\`".
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = advice.into();
        self
    }

    /// Renews a token so long before its end; by default two minutes.
    #[must_use]
    pub fn with_margin(self, margin: Duration) -> Self {
        self.with(|renewer| renewer.margin = margin)
    }

    /// With another clock than the machine's.
    #[must_use]
    pub fn with_environment(self, environment: Arc<dyn Environment>) -> Self {
        self.with(|renewer| renewer.environment = environment)
    }

    fn with(mut self, change: impl FnOnce(&mut Renewer)) -> Self {
        // Nobody else has it before it was used.
        if let Some(renewer) = Arc::get_mut(&mut self.renewer) {
            change(renewer);
        }
        self
    }

    /// The renewal that is going on, or a new one.
    fn renewal(&self, state: &mut State) -> Result<Renewal, Failure> {
        // One that has an outcome is over: its task was ended with its runtime.
        if let Some(renewal) = state.renewal.as_ref().filter(|renewal| renewal.peek().is_none()) {
            return Ok(renewal.clone());
        }
        let runtime = Handle::try_current();
        let runtime = runtime.map_err(|_| Failure::Broken("there is no tokio runtime"))?;
        // A task of its own: whoever waits may be dropped when the service has answered and nothing
        // is kept yet.
        let renewal = Renewal::of(runtime.spawn(self.renewer.clone().renew()));
        state.renewal = Some(renewal.clone());
        Ok(renewal)
    }
}

#[async_trait]
impl TokenProvider for Refreshing {
    async fn token(&self) -> Result<AccessToken, Error> {
        let renewal = {
            let mut state = self.renewer.state.lock().unwrap_or_else(PoisonError::into_inner);
            match state.good(self.renewer.environment.now()) {
                Some(token) => return Ok(token),
                None => self.renewal(&mut state),
            }
        };
        let outcome = match renewal {
            Ok(renewal) => renewal.await,
            Err(failure) => Err(failure),
        };
        outcome.map_err(|failure| failure.at(place(&self.renewer.provider, &self.advice)))
    }

    async fn refused(&self, token: &AccessToken) {
        let mut state = self.renewer.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.refuse(token);
    }
}

fn place<'a>(provider: &Provider, advice: &'a str) -> Place<'a> {
    let (service, title) = (provider.service, provider.title());
    Place { operation: "renew the sign-in", service, title, advice }
}
