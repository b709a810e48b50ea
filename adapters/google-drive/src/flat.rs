//! Files of another program, which keeps them at the top of the hidden folder under names with slashes.

use std::collections::BTreeMap;

use bytes::Bytes;
use db_to_cloud::Error;
use tokio::sync::OnceCell;

use crate::GoogleDriveConfig;
use crate::client::Client;
use crate::drive::{Drive, FOLDER, File};
use crate::error::Failure;

/// The files at the top of an application's hidden folder by their names, such as `docs/note.json`, for
/// reading only; made by [`GoogleDriveConfig::flat_files`].
///
/// Drive allows several files of one name: the one that was modified last counts. Which files there are is
/// listed once, with the first call.
#[derive(Debug)]
pub struct FlatFiles {
    drive: Drive,
    files: OnceCell<BTreeMap<String, File>>,
}

impl FlatFiles {
    pub(crate) fn new(config: &GoogleDriveConfig) -> Result<Self, Error> {
        let drive = Drive { client: Client::new(config)?, space: config.space };
        Ok(Self { drive, files: OnceCell::new() })
    }

    /// The names of all files, those in the bin left out.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    pub async fn names(&self) -> Result<Vec<String>, Error> {
        let files = self.files().await.map_err(|failure| failure.at("list", "files"))?;
        Ok(files.keys().cloned().collect())
    }

    /// Reads a file; `None` if there is none of this name, or none any more.
    ///
    /// # Errors
    /// Any kind. Nothing was changed.
    pub async fn get(&self, name: &str) -> Result<Option<Bytes>, Error> {
        let files = self.files().await.map_err(|failure| failure.at("list", "files"))?;
        let Some(file) = files.get(name) else { return Ok(None) };
        self.drive.media(&file.id).await.map_err(|failure| failure.at("read", name))
    }

    async fn files(&self) -> Result<&BTreeMap<String, File>, Failure> {
        self.files.get_or_try_init(|| self.look()).await
    }

    async fn look(&self) -> Result<BTreeMap<String, File>, Failure> {
        let what = format!(" and mimeType != '{FOLDER}'");
        let mut files = self.drive.list_all(self.drive.space.top(), &what).await?.files;
        files.retain(|file| !file.trashed);
        // The last one of a name is kept. Google writes all times with the same number of digits.
        files.sort_by(|a, b| (&a.modified_time, &a.id).cmp(&(&b.modified_time, &b.id)));
        Ok(files.into_iter().map(|file| (file.name.clone(), file)).collect())
    }
}
