//! Where an adapter gets its access tokens from.

use std::fmt;

use async_trait::async_trait;
use db_to_cloud::Error;

/// What a request shows to the service. Never shown in a log.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessToken(String);

impl AccessToken {
    /// Takes the text as the service gave it.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, for the header of a request.
    pub fn secret(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken(..)")
    }
}

/// Gives access tokens to an adapter. An application that keeps its tokens itself implements it.
#[async_trait]
pub trait TokenProvider: Send + Sync + fmt::Debug {
    /// A token that should be good now.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`](db_to_cloud::ErrorKind::Unauthorized) if the user has to sign in
    /// again, another kind if the service could not be asked.
    async fn token(&self) -> Result<AccessToken, Error>;

    /// The service refused this token: [`token`](Self::token) should give another from now on, if it
    /// would still give this one. Many requests may say so of one token.
    async fn refused(&self, token: &AccessToken);
}

/// One token that is never renewed: for scripts and tests.
#[derive(Clone, Debug)]
pub struct StaticToken(pub AccessToken);

#[async_trait]
impl TokenProvider for StaticToken {
    async fn token(&self) -> Result<AccessToken, Error> {
        Ok(self.0.clone())
    }

    async fn refused(&self, _token: &AccessToken) {}
}
