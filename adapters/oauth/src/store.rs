//! Where a sign-in is kept.

use std::any::Any;
use std::fmt;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use db_to_cloud::Error;

use crate::Tokens;

/// Keeps one sign-in. Errors never show what is kept.
#[async_trait]
pub trait TokenStore: Send + Sync + fmt::Debug {
    /// What is kept; `None` if nobody signed in, or if the sign-in was cleared.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthorized`](db_to_cloud::ErrorKind::Unauthorized) if what is kept cannot be used;
    /// [`ErrorKind::State`](db_to_cloud::ErrorKind::State) if it could not be read.
    async fn load(&self) -> Result<Option<Tokens>, Error>;

    /// Keeps this instead of what was kept. After `Ok` it survives a power cut; after an error one of
    /// both is kept.
    ///
    /// # Errors
    /// [`ErrorKind::State`](db_to_cloud::ErrorKind::State).
    async fn save(&self, tokens: &Tokens) -> Result<(), Error>;

    /// Keeps nothing any more. `Ok` if there was nothing.
    ///
    /// # Errors
    /// [`ErrorKind::State`](db_to_cloud::ErrorKind::State).
    async fn clear(&self) -> Result<(), Error>;

    /// Waits until nobody else is about to change what is kept, so that two processes do not renew one
    /// sign-in at once. Not guaranteed: it spares requests, and it protects refresh tokens that can be
    /// used once only, which neither Dropbox nor Google has. By default it does nothing.
    async fn lock(&self) -> StoreLock {
        StoreLock::nothing()
    }

    /// Where it is, for people.
    fn place(&self) -> String;
}

/// Holds the others off until it is dropped.
pub struct StoreLock(#[expect(dead_code, reason = "its drop is what it is for")] Option<Held>);

type Held = Box<dyn Any + Send + Sync>;

impl StoreLock {
    /// Holds nobody off.
    pub fn nothing() -> Self {
        Self(None)
    }

    /// Holds the others off as long as this lives.
    pub fn of(held: impl Any + Send + Sync) -> Self {
        Self(Some(Box::new(held)))
    }
}

impl fmt::Debug for StoreLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoreLock")
    }
}

/// Keeps a sign-in as long as the process runs.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<Option<Tokens>>);

impl MemoryStore {
    /// Keeps this.
    pub fn new(tokens: Tokens) -> Self {
        Self(Mutex::new(Some(tokens)))
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Option<Tokens>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl TokenStore for MemoryStore {
    async fn load(&self) -> Result<Option<Tokens>, Error> {
        Ok(self.kept().clone())
    }

    async fn save(&self, tokens: &Tokens) -> Result<(), Error> {
        *self.kept() = Some(tokens.clone());
        Ok(())
    }

    async fn clear(&self) -> Result<(), Error> {
        *self.kept() = None;
        Ok(())
    }

    fn place(&self) -> String {
        "memory".to_owned()
    }
}
