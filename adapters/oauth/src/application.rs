//! Who asks.

use std::fmt;

/// An application as it is registered at the service.
#[derive(Clone, PartialEq, Eq)]
#[must_use]
pub struct Application {
    pub(crate) id: String,
    pub(crate) secret: Option<String>,
}

impl Application {
    /// The client id; at Dropbox it is called the app key.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), secret: None }
    }

    /// The client secret. Google wants it of desktop applications, too, though it cannot be kept
    /// secret there; Dropbox wants none.
    pub fn with_secret(mut self, secret: impl Into<String>) -> Self {
        self.secret = Some(secret.into());
        self
    }
}

impl fmt::Debug for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Application").field("id", &self.id).finish_non_exhaustive()
    }
}
