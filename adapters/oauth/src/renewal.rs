//! One renewal of an access token.

use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use db_to_cloud::{Environment, Timestamp};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::task::JoinHandle;

use crate::error::Failure;
use crate::tokens::{Tokens, after};
use crate::wire::Wire;
use crate::{AccessToken, Provider, TokenStore};

/// What a renewal needs.
#[derive(Debug)]
pub(crate) struct Renewer {
    pub(crate) provider: Provider,
    pub(crate) store: Arc<dyn TokenStore>,
    pub(crate) wire: Wire,
    pub(crate) environment: Arc<dyn Environment>,
    pub(crate) margin: Duration,
    pub(crate) state: Mutex<State>,
}

/// What is known between renewals.
#[derive(Debug, Default)]
pub(crate) struct State {
    current: Option<Current>,
    /// The last token that the service refused.
    refused: Option<AccessToken>,
    unkept: Option<Unkept>,
    pub(crate) renewal: Option<Renewal>,
}

/// The access token that is given out.
#[derive(Clone, Debug)]
struct Current {
    token: AccessToken,
    /// When to renew it, by the clock; `None` is when it is refused.
    renew_at: Option<Timestamp>,
}

/// A sign-in whose refresh token was exchanged and could not be kept.
#[derive(Clone, Debug)]
struct Unkept {
    tokens: Tokens,
    /// What is kept instead, unless somebody signed in anew.
    kept: Tokens,
}

/// A renewal that is going on; all who wait for it share what comes of it.
#[derive(Clone)]
pub(crate) struct Renewal(Shared<BoxFuture<'static, Outcome>>);

type Outcome = Result<AccessToken, Failure>;

impl State {
    /// The token to give out, unless it has to be renewed, or there is something to keep.
    pub(crate) fn good(&self, now: Timestamp) -> Option<AccessToken> {
        let current = self.current.as_ref().filter(|_| self.unkept.is_none())?;
        let due = current.renew_at.is_some_and(|time| time <= now);
        (!due).then(|| current.token.clone())
    }

    /// Does not give out this token again.
    pub(crate) fn refuse(&mut self, token: &AccessToken) {
        // Many requests may tell it of one, and of one that was renewed since.
        if self.current.as_ref().is_some_and(|current| current.token == *token) {
            self.current = None;
            self.refused = Some(token.clone());
        }
    }
}

impl Renewer {
    /// Renews the token and takes note of the outcome.
    pub(crate) async fn renew(self: Arc<Self>) -> Outcome {
        let outcome = self.renewed().await;
        let mut state = self.state();
        state.renewal = None;
        let current = outcome?;
        state.current = Some(current.clone());
        Ok(current.token)
    }

    async fn renewed(&self) -> Result<Current, Failure> {
        let lock = self.store.lock().await;
        let (before, kept) = self.sign_in().await?;
        let now = self.environment.now();
        let usable = before.access_token().filter(|token| Some(token) != self.refused().as_ref());
        let left = match (&usable, before.expires()) {
            (None, _) => Duration::ZERO,
            (Some(_), None) => Duration::MAX,
            (Some(_), Some(expires)) => expires.since(now).unwrap_or_default(),
        };
        let usable = usable.map(|token| Current { token, renew_at: before.expires() });
        // Another process has renewed it, or it is that of the last one.
        if let Some(current) = usable.clone().filter(|_| left > self.margin) {
            return Ok(self.with_margin(current, left));
        }
        let granted = self.wire.refresh(&before.application(), before.refresh_token()).await;
        let granted = match (granted, usable) {
            // Good for a while yet.
            (Err(failure), Some(current)) if failure.is_transient() && !left.is_zero() => {
                tracing::debug!(%failure, "the access token was not renewed, and is still good");
                return Ok(current_until(current, now, left));
            }
            (granted, _) => granted?,
        };
        let now = self.environment.now();
        let lifetime = granted.lifetime.unwrap_or(Duration::MAX);
        let token = AccessToken::new(granted.access_token.clone());
        let tokens = before.renewed(granted, now);
        let renew_at = tokens.expires();
        self.keep(tokens, kept).await;
        drop(lock);
        Ok(self.with_margin(Current { token, renew_at }, lifetime))
    }

    /// What to renew, and what is kept: the same, unless something could not be kept.
    async fn sign_in(&self) -> Result<(Tokens, Tokens), Failure> {
        let unkept = self.state().unkept.clone();
        let (tokens, kept) = match (self.store.load().await, unkept) {
            (Ok(Some(kept)), Some(unkept)) if kept == unkept.kept => {
                match self.keep(unkept.tokens.clone(), kept.clone()).await {
                    true => (unkept.tokens.clone(), unkept.tokens),
                    false => (unkept.tokens, kept),
                }
            }
            (Err(_), Some(unkept)) => (unkept.tokens, unkept.kept),
            (kept, _) => {
                // Somebody has signed in or out since.
                self.state().unkept = None;
                let nobody = || Failure::NobodySignedIn(self.store.place());
                let kept = kept?.ok_or_else(nobody)?;
                (kept.clone(), kept)
            }
        };
        if tokens.provider() != self.provider.name() {
            let (place, other) = (self.store.place(), tokens.provider().to_owned());
            return Err(Failure::OtherProvider { place, other });
        }
        Ok((tokens, kept))
    }

    /// Keeps what was renewed instead of what is kept, or remembers that it is not; answers which.
    async fn keep(&self, tokens: Tokens, kept: Tokens) -> bool {
        let done = self.store.save(&tokens).await;
        let exchanged = tokens.refresh_token() != kept.refresh_token();
        if let Err(error) = &done {
            tracing::warn!(%error, exchanged, "the renewed sign-in could not be kept");
        }
        // An access token can be had anew.
        let unkept = (done.is_err() && exchanged).then_some(Unkept { tokens, kept });
        self.state().unkept = unkept;
        done.is_ok()
    }

    /// Renews it so long before its end as is asked for, but not at once if it is short-lived.
    fn with_margin(&self, current: Current, left: Duration) -> Current {
        let margin = self.margin.min(left / 2);
        match current.renew_at {
            Some(_) => current_until(current, self.environment.now(), left.saturating_sub(margin)),
            None => current,
        }
    }

    fn refused(&self) -> Option<AccessToken> {
        self.state().refused.clone()
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn current_until(current: Current, now: Timestamp, left: Duration) -> Current {
    Current { renew_at: Some(after(now, left)), ..current }
}

impl Renewal {
    pub(crate) fn of(task: JoinHandle<Outcome>) -> Self {
        let ended = |_| Err(Failure::Broken("the runtime has ended the renewal"));
        Self(async move { task.await.unwrap_or_else(ended) }.boxed().shared())
    }

    /// What came of it, if it is over.
    pub(crate) fn peek(&self) -> Option<&Outcome> {
        self.0.peek()
    }
}

impl Future for Renewal {
    type Output = Outcome;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Outcome> {
        self.0.poll_unpin(context)
    }
}

impl std::fmt::Debug for Renewal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Renewal")
    }
}
