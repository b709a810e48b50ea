//! What is known between renewals.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use db_to_cloud::Timestamp;
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use tokio::task::JoinHandle;

use crate::error::Failure;
use crate::tokens::after;
use crate::{AccessToken, Tokens};

#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) current: Option<Current>,
    /// The last token that the service refused.
    pub(crate) refused: Option<AccessToken>,
    pub(crate) unkept: Option<Unkept>,
    pub(crate) renewal: Option<Renewal>,
}

/// The access token that is given out.
#[derive(Clone, Debug)]
pub(crate) struct Current {
    pub(crate) token: AccessToken,
    /// By the clock; `None` is not known.
    ends: Option<Timestamp>,
    /// When to ask for another; `None` is when it is refused.
    renew_at: Option<Timestamp>,
}

/// A sign-in whose refresh token was exchanged and could not be kept.
#[derive(Clone, Debug)]
pub(crate) struct Unkept {
    pub(crate) tokens: Tokens,
    /// What is kept instead, unless somebody signed in anew.
    pub(crate) kept: Tokens,
}

/// A renewal that is going on; all who wait for it share what comes of it.
#[derive(Clone)]
pub(crate) struct Renewal(Shared<BoxFuture<'static, Outcome>>);

pub(crate) type Outcome = Result<AccessToken, Failure>;

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

impl Current {
    /// That of a sign-in, until its very end.
    pub(crate) fn of(tokens: &Tokens) -> Option<Self> {
        let (token, ends) = (tokens.access_token()?, tokens.expires());
        Some(Self { token, ends, renew_at: ends })
    }

    pub(crate) fn left(&self, now: Timestamp) -> Duration {
        self.ends.map_or(Duration::MAX, |ends| ends.since(now).unwrap_or_default())
    }

    /// Renewed so long before its end, but not at once if it is short-lived.
    pub(crate) fn with_margin(mut self, margin: Duration, now: Timestamp) -> Self {
        let left = self.left(now);
        self.renew_at = self.ends.map(|_| after(now, left - margin.min(left / 2)));
        self
    }
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
