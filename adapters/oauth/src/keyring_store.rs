//! A sign-in in the keyring of the system.

use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::{BoxError, Error, ErrorKind};
use keyring::{Entry, Error as KeyringError};

use crate::{TokenStore, Tokens};

/// Keeps a sign-in in the keyring of the system: Keychain, Credential Manager or Secret Service.
///
/// The access token is not kept, for keyrings are short of room: each process gets its own. Two
/// processes are not held off each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyringStore {
    service: Arc<str>,
    user: Arc<str>,
}

impl KeyringStore {
    /// Under the name of the application and that of a user or an account.
    pub fn new(service: &str, user: &str) -> Self {
        Self { service: service.into(), user: user.into() }
    }

    async fn blocking<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(Entry) -> Result<T, KeyringError> + Send + 'static,
    ) -> Result<T, Error> {
        let names = self.clone();
        let work = move || work(Entry::new(&names.service, &names.user)?);
        let done = tokio::task::spawn_blocking(work).await;
        let done = done.map_err(BoxError::from).and_then(|done| done.map_err(told));
        done.map_err(|below| {
            Error::new(ErrorKind::State, operation)
                .with_key(&self.service)
                .with_message("the keyring of the system cannot be used")
                .with_source(below)
        })
    }
}

#[async_trait]
impl TokenStore for KeyringStore {
    async fn load(&self) -> Result<Option<Tokens>, Error> {
        let load = |entry: Entry| match entry.get_password() {
            Err(KeyringError::NoEntry) => Ok(None),
            text => text.map(Some),
        };
        let Some(text) = self.blocking("read the sign-in", load).await? else { return Ok(None) };
        serde_json::from_str(&text).map(Some).map_err(|_| {
            Error::new(ErrorKind::Unauthorized, "read the sign-in")
                .with_key(&self.service)
                .with_message("this entry of the keyring holds no sign-in: sign in again")
        })
    }

    async fn save(&self, tokens: &Tokens) -> Result<(), Error> {
        let text = serde_json::to_string(&tokens.clone().without_access_token());
        let text = text
            .map_err(|error| Error::new(ErrorKind::State, "keep the sign-in").with_source(error))?;
        self.blocking("keep the sign-in", move |entry| entry.set_password(&text)).await
    }

    async fn clear(&self) -> Result<(), Error> {
        let clear = |entry: Entry| match entry.delete_credential() {
            Err(KeyringError::NoEntry) => Ok(()),
            cleared => cleared,
        };
        self.blocking("forget the sign-in", clear).await
    }

    fn place(&self) -> String {
        format!("the keyring of the system ({:?})", self.service)
    }
}

/// What the keyring tells, without what is in it.
fn told(error: KeyringError) -> BoxError {
    match error {
        KeyringError::BadEncoding(_) | KeyringError::BadDataFormat(..) => {
            "an entry that is no text".into()
        }
        error => error.into(),
    }
}
