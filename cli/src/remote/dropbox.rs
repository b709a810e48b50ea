//! A folder of the user's Dropbox as a storage.

use std::path::{Path, PathBuf};

use db_to_cloud_dropbox::{DropboxAdapter, DropboxConfig};

use crate::failure::Failure;
use crate::service::Service;
use crate::tokens;

/// A folder, and the file with the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DropboxFolder {
    /// Without slashes around it. All that the app sees, if it is empty.
    path: String,
    tokens: Option<PathBuf>,
}

impl DropboxFolder {
    /// The sign-in is read when it is needed.
    pub(crate) fn new(path: &str, tokens: Option<&Path>) -> Self {
        let path = path.trim_matches('/').to_owned();
        Self { path, tokens: tokens.map(Path::to_owned) }
    }

    /// Its name; Dropbox does not heed the case.
    pub(crate) fn name(&self) -> String {
        format!("dropbox:/{}", self.path.to_lowercase())
    }

    /// The adapter, signed in.
    pub(crate) async fn open(&self) -> Result<DropboxAdapter, Failure> {
        let tokens = tokens::provider(Service::Dropbox, self.tokens.as_deref(), None).await?;
        let mut config = DropboxConfig::new(&self.path, tokens);
        if let Some(host) = Service::Dropbox.host()? {
            config = config.with_endpoints(&host, &host, &host);
        }
        Ok(config.build()?)
    }
}
