//! What a sign-in gives.

use std::fmt;

use db_to_cloud::Timestamp;
use serde::{Deserialize, Serialize};

use crate::wire::Granted;
use crate::{AccessToken, Application, Provider};

/// A user's sign-in: what is needed to get access tokens until the user takes it back.
///
/// It is a secret as a whole: whoever has it can read and write what the scopes allow.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tokens {
    provider: String,
    client_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    /// What the user allowed, with spaces in between.
    scope: String,
    refresh_token: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    /// When the access token ends, by the clock of this device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
}

impl Tokens {
    /// Those of a first grant; `None` if it has no refresh token.
    pub(crate) fn of_grant(
        provider: &Provider,
        application: &Application,
        granted: Granted,
        now: Timestamp,
    ) -> Option<Self> {
        let tokens = Self {
            provider: provider.name().to_owned(),
            client_id: application.id.clone(),
            client_secret: application.secret.clone(),
            // RFC 6749, 5.1: not told if it is what was asked for.
            scope: granted.scope.clone().unwrap_or_else(|| provider.scopes.join(" ")),
            refresh_token: granted.refresh_token.clone()?,
            access_token: None,
            expires: None,
        };
        Some(tokens.renewed(granted, now))
    }

    /// These after a renewal. A refresh token that was not exchanged stays.
    pub(crate) fn renewed(&self, granted: Granted, now: Timestamp) -> Self {
        Self {
            refresh_token: granted.refresh_token.unwrap_or_else(|| self.refresh_token.clone()),
            access_token: Some(granted.access_token),
            expires: granted.lifetime.map(|lifetime| after(now, lifetime)),
            ..self.clone()
        }
    }

    /// The name of the service: that of [`Provider::name`].
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The application that the user signed in to.
    pub fn application(&self) -> Application {
        Application { id: self.client_id.clone(), secret: self.client_secret.clone() }
    }

    /// What the user allowed.
    pub fn scopes(&self) -> impl Iterator<Item = &str> {
        self.scope.split_whitespace()
    }

    /// Whether the user allowed this.
    pub fn allows(&self, scope: &str) -> bool {
        self.scopes().any(|allowed| allowed == scope)
    }

    /// The last access token, if it is kept.
    pub fn access_token(&self) -> Option<AccessToken> {
        self.access_token.as_ref().map(AccessToken::new)
    }

    /// When the access token ends; `None` if that is not known.
    pub fn expires(&self) -> Option<Timestamp> {
        self.expires
    }

    /// These without the access token, which can be had anew: for stores that are short of room.
    #[must_use]
    pub fn without_access_token(mut self) -> Self {
        (self.access_token, self.expires) = (None, None);
        self
    }

    pub(crate) fn refresh_token(&self) -> &str {
        &self.refresh_token
    }
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("provider", &self.provider)
            .field("client_id", &self.client_id)
            .field("scope", &self.scope)
            .field("expires", &self.expires.map(|time| time.to_string()))
            .finish_non_exhaustive()
    }
}

/// The time this long after another.
pub(crate) fn after(time: Timestamp, duration: std::time::Duration) -> Timestamp {
    let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    Timestamp::from_millis(time.as_millis().saturating_add(millis))
}
