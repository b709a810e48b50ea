//! Old storages at servers and services: the drives `webdav`, `dropbox` and `google` of the package.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::Error;
use db_to_cloud_dropbox::DropboxAdapter;
use db_to_cloud_google_drive::FlatFiles;
use db_to_cloud_webdav::WebDavAdapter;

use super::files::Files;
use super::folder::OldFolder;
use crate::failure::Failure;
use crate::remote::Remote;

/// Opens an old storage; nothing is written there.
pub(super) async fn open(from: &Remote) -> Result<Arc<dyn Files>, Failure> {
    match from {
        Remote::Folder(path, _) => Ok(Arc::new(OldFolder::open(path)?)),
        Remote::WebDav(collection) => Ok(Arc::new(collection.open().await?)),
        Remote::Dropbox(folder) => Ok(Arc::new(folder.open().await?)),
        Remote::GoogleDrive(folder) => Ok(Arc::new(folder.flat_files().await?)),
        Remote::S3(_) => Err(Failure::Usage(
            "the JavaScript db-to-cloud keeps nothing in buckets: copy the files to a folder and \
             import that"
                .into(),
        )),
    }
}

/// The package writes ids into addresses as they are: `a?b` is then a file `a` to the server.
#[async_trait]
impl Files for WebDavAdapter {
    async fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        self.file_names(folder).await
    }

    async fn get(&self, path: &str) -> Result<Option<Bytes>, Error> {
        self.read_file(path).await
    }

    fn place(&self, path: &str) -> Option<String> {
        self.file_path(path)
    }

    fn listed_path(&self, path: &str) -> String {
        path.replace('%', "%25").replace('?', "%3F").replace('#', "%23")
    }
}

/// Dropbox keeps the case of names and ignores it: documents `A` and `a` have one file.
#[async_trait]
impl Files for DropboxAdapter {
    async fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        self.file_names(folder).await
    }

    async fn get(&self, path: &str) -> Result<Option<Bytes>, Error> {
        self.read_file(path).await
    }

    fn place(&self, path: &str) -> Option<String> {
        let leaves = path.split('/').any(|part| matches!(part, "" | "." | ".."));
        (!leaves).then(|| path.to_lowercase())
    }

    fn listed_place(&self, path: &str) -> String {
        path.to_lowercase()
    }
}

/// The package keeps files in Google Drive without folders: a slash is a part of the name.
#[async_trait]
impl Files for FlatFiles {
    async fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        let prefix = format!("{folder}/");
        let names = FlatFiles::names(self).await?.into_iter();
        Ok(names.filter_map(|name| name.strip_prefix(&prefix).map(str::to_owned)).collect())
    }

    async fn get(&self, path: &str) -> Result<Option<Bytes>, Error> {
        FlatFiles::get(self, path).await
    }

    fn place(&self, path: &str) -> Option<String> {
        Some(path.to_owned())
    }
}
