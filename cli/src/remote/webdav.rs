//! A collection of a WebDAV server as a storage.

use std::path::{Path, PathBuf};

use db_to_cloud_webdav::{Credentials, WebDavAdapter, WebDavConfig};

use super::password;
use crate::failure::Failure;

/// A collection, and who we are there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Collection {
    config: WebDavConfig,
    /// Whose password is needed. Without a user there may be a token.
    user: Option<String>,
    password_file: Option<PathBuf>,
}

const TOKEN: &str = "WEBDAV_TOKEN";

impl Collection {
    /// Reads a URL; the password is read when it is needed.
    pub(crate) fn resolve(url: &str, password_file: Option<&Path>) -> Result<Self, Failure> {
        let usage = |error: db_to_cloud::Error| Failure::Usage(error.to_string());
        let (config, user) = WebDavConfig::from_url(url).map_err(usage)?;
        if user.is_none() && password_file.is_some() {
            return Err(Failure::Usage(
                "a password needs a user: write webdavs://user@host/path".into(),
            ));
        }
        let password_file = password_file.map(Path::to_owned);
        Ok(Self { config, user, password_file })
    }

    /// Its name, which the user is a part of.
    pub(crate) fn name(&self) -> String {
        let user = self.user.iter().map(|user| Credentials::password(user, ""));
        let config = user.fold(self.config.clone(), WebDavConfig::with_credentials);
        // What came from a URL makes sense.
        config.name().unwrap_or_default()
    }

    /// The adapter, with a password or a token.
    pub(crate) async fn open(&self) -> Result<WebDavAdapter, Failure> {
        let credentials = match &self.user {
            Some(user) => {
                let password = password::of(user, self.password_file.as_deref()).await?;
                Credentials::password(user, password)
            }
            None => password::variable(TOKEN)?.map_or(Credentials::Anonymous, Credentials::bearer),
        };
        Ok(self.config.clone().with_credentials(credentials).build()?)
    }
}
