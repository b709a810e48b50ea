//! A folder of Google Drive as a storage.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud_google_drive::{FlatFiles, GoogleDriveAdapter, GoogleDriveConfig, Space};

use crate::failure::Failure;
use crate::service::Service;
use crate::side::StateFile;
use crate::tokens;

/// A folder, and the file with the sign-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct DriveFolder {
    space: Space,
    /// Without slashes around it.
    path: String,
    tokens: Option<PathBuf>,
}

impl DriveFolder {
    /// A folder that the user sees, or one in the app's hidden one. The sign-in is read when it is
    /// needed.
    pub(crate) fn resolve(
        hidden: bool,
        path: &str,
        tokens: Option<&Path>,
    ) -> Result<Self, Failure> {
        let path = path.trim_matches('/').to_owned();
        if path.is_empty() && !hidden {
            return Err(Failure::Usage("name a folder of its own: gdrive:/notes".into()));
        }
        let space = if hidden { Space::AppData } else { Space::Visible };
        Ok(Self { space, path, tokens: tokens.map(Path::to_owned) })
    }

    /// Its name.
    pub(crate) fn name(&self) -> String {
        match self.space {
            Space::Visible => format!("gdrive:/{}", self.path),
            Space::AppData => format!("gdrive-appdata:/{}", self.path),
        }
    }

    /// The adapter, signed in. It remembers ids of files in this device's state, if there is one.
    pub(crate) async fn open(
        &self,
        state: Option<&StateFile>,
    ) -> Result<GoogleDriveAdapter, Failure> {
        let mut config = self.config().await?;
        if let Some(state) = state {
            let ids = state.open(&format!("ids of {}", self.name()))?;
            config = config.with_state(Arc::new(ids));
        }
        Ok(config.build()?)
    }

    /// The files of another program in the app's hidden folder.
    pub(crate) async fn flat_files(&self) -> Result<FlatFiles, Failure> {
        if self.space == Space::Visible || !self.path.is_empty() {
            return Err(Failure::Usage(
                "the JavaScript db-to-cloud keeps its files in the app's hidden folder: write \
                 gdrive-appdata:/"
                    .into(),
            ));
        }
        Ok(self.config().await?.flat_files()?)
    }

    async fn config(&self) -> Result<GoogleDriveConfig, Failure> {
        let (service, scope) = (Service::GoogleDrive, self.space.scope());
        let tokens = tokens::provider(service, self.tokens.as_deref(), Some(scope)).await?;
        let config = match self.space {
            Space::Visible => GoogleDriveConfig::visible(&self.path, tokens),
            Space::AppData => GoogleDriveConfig::app_data(&self.path, tokens),
        };
        Ok(match service.host()? {
            Some(host) => config.with_root_url(host),
            None => config,
        })
    }
}
