//! One renewal of an access token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use db_to_cloud::Environment;

use crate::current::{Current, Outcome, State, Unkept};
use crate::error::Failure;
use crate::wire::Wire;
use crate::{Provider, TokenStore, Tokens};

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
        // Until the end of this function.
        let _lock = self.store.lock().await;
        let (tokens, kept) = self.sign_in().await?;
        let refused = self.state().refused.clone();
        let before = Current::of(&tokens).filter(|before| Some(&before.token) != refused.as_ref());
        let now = self.environment.now();
        // Another process has renewed it, or it is that of the last one.
        if let Some(good) = before.as_ref().filter(|before| before.left(now) > self.margin) {
            return Ok(good.clone().with_margin(self.margin, now));
        }
        let granted = self.wire.refresh(&tokens.application(), tokens.refresh_token()).await;
        match (granted, before) {
            (Ok(granted), _) => {
                let now = self.environment.now();
                let tokens = tokens.renewed(granted, now);
                let current = Current::of(&tokens).ok_or(Failure::NotAnAnswer(200))?;
                self.keep(tokens, kept).await;
                Ok(current.with_margin(self.margin, now))
            }
            (Err(failure), Some(before))
                if failure.is_transient() && !before.left(now).is_zero() =>
            {
                tracing::debug!(%failure, "the access token was not renewed, and is still good");
                Ok(before)
            }
            (Err(failure), _) => Err(failure),
        }
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
        // Who signed in or out meanwhile, where nobody can be held off, meant it.
        if matches!(self.store.load().await, Ok(now) if now.as_ref() != Some(&kept)) {
            self.state().unkept = None;
            return false;
        }
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

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
