//! Which storage a URL or path means. Another kind of storage is one more variant of [`RemoteUrl`] and
//! [`Remote`], one more arm in each `match` of this file, and its scheme in `url.rs`.

mod dropbox;
mod folder;
mod google_drive;
mod password;
mod url;
mod webdav;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud::Adapter;
use db_to_cloud_fs::{FsAdapter, Sharing};
use db_to_cloud_s3::S3Config;

pub(crate) use folder::looks_like_storage;
pub(crate) use password::variable;
pub(crate) use url::RemoteUrl;

use crate::failure::Failure;
use crate::side::StateFile;
use dropbox::DropboxFolder;
use google_drive::DriveFolder;
use webdav::Collection;

/// A storage by its one true name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Remote {
    /// An absolute path without links, and how the devices share it.
    Folder(PathBuf, Sharing),
    /// A bucket, and a prefix in it.
    S3(S3Config),
    /// A collection of a WebDAV server.
    WebDav(Collection),
    /// A folder of Dropbox.
    Dropbox(DropboxFolder),
    /// A folder of Google Drive.
    GoogleDrive(DriveFolder),
}

impl RemoteUrl {
    /// Looks up what it means: two ways to say the same storage have one result.
    pub(crate) fn resolve(
        &self,
        password_file: Option<&Path>,
        tokens: Option<&Path>,
    ) -> Result<Remote, Failure> {
        match self {
            Self::Folder(path, sharing) => Ok(Remote::Folder(folder::resolve(path)?, *sharing)),
            Self::S3(url) => match S3Config::from_url(url) {
                Ok(config) => Ok(Remote::S3(config)),
                Err(error) => Err(Failure::Usage(error.to_string())),
            },
            Self::WebDav(url) => Collection::resolve(url, password_file).map(Remote::WebDav),
            Self::Dropbox(path) => Ok(Remote::Dropbox(DropboxFolder::new(path, tokens))),
            Self::GoogleDrive { hidden, path } => {
                DriveFolder::resolve(*hidden, path, tokens).map(Remote::GoogleDrive)
            }
        }
    }
}

impl Remote {
    /// The name under which this device keeps its state for the storage.
    pub(crate) fn name(&self) -> String {
        match self {
            // A path that is no text is told apart by its bytes.
            Self::Folder(path, _) => path.to_str().map_or_else(|| escaped(path), str::to_owned),
            Self::S3(config) => config.name(),
            Self::WebDav(collection) => collection.name(),
            Self::Dropbox(folder) => folder.name(),
            Self::GoogleDrive(folder) => folder.name(),
        }
    }

    /// Whether there is nothing at all, as where a drive is not mounted.
    pub(crate) fn is_gone(&self) -> bool {
        match self {
            Self::Folder(path, _) => !path.exists(),
            // A missing bucket is an error of the first request, a missing collection is made.
            _ => false,
        }
    }

    /// Whether there is a storage. If not, `open` makes one.
    pub(crate) fn holds_storage(&self) -> bool {
        match self {
            Self::Folder(path, _) => folder::holds_storage(path),
            // An empty one is as good: nothing has to be made to look at it.
            _ => true,
        }
    }

    /// Refuses a place that is used for something else.
    pub(crate) fn check_free(&self) -> Result<(), Failure> {
        match self {
            Self::Folder(path, _) => folder::check_free(path),
            // Nothing is mixed: other objects have other names.
            _ => Ok(()),
        }
    }

    /// Refuses a storage that is the database, or in it, or around it.
    pub(crate) fn check_apart_from(&self, database: &Path) -> Result<(), Failure> {
        match self {
            Self::Folder(path, _) => folder::check_apart(database, path),
            _ => Ok(()),
        }
    }
}

/// Opens a storage; one that does not exist is made. A password may be asked for. This device's state,
/// if there is one, may be used to remember where things are.
pub(crate) async fn open(
    remote: &Remote,
    state: Option<&StateFile>,
) -> Result<Arc<dyn Adapter>, Failure> {
    match remote {
        Remote::Folder(path, sharing) => Ok(Arc::new(FsAdapter::open_with(path, *sharing)?)),
        Remote::S3(config) => Ok(Arc::new(config.clone().build()?)),
        Remote::WebDav(collection) => Ok(Arc::new(collection.open().await?)),
        Remote::Dropbox(folder) => Ok(Arc::new(folder.open().await?)),
        Remote::GoogleDrive(folder) => Ok(Arc::new(folder.open(state).await?)),
    }
}

fn escaped(path: &Path) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-_.~".contains(&b);
    let bytes = path.as_os_str().as_encoded_bytes().iter();
    let escape = |b: &u8| if plain(*b) { (*b as char).to_string() } else { format!("%{b:02X}") };
    format!("file://{}", bytes.map(escape).collect::<String>())
}

#[cfg(all(test, unix))]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    #[test]
    fn paths_that_are_no_text_have_different_names() {
        let name = |bytes: &[u8]| {
            let path = PathBuf::from(OsString::from_vec(bytes.to_vec()));
            Remote::Folder(path, Sharing::default()).name()
        };
        assert_ne!(name(b"/a\xff"), name(b"/a\xfe"));
        assert_eq!(name("/ü".as_bytes()), "/ü");
    }
}
