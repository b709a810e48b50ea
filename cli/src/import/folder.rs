//! A folder that the package's `fsDrive` wrote, or a copy of the files of another drive.

use std::fs;
use std::io;
use std::path::{Component, Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{Error, ErrorKind};

use super::files::Files;
use crate::failure::Failure;

/// A folder, by its path without links. It is not opened as an adapter, which would try out what the file
/// system can do, and so write into it.
#[derive(Debug)]
pub(super) struct OldFolder(PathBuf);

impl OldFolder {
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        match path.is_dir() {
            true => Ok(Self(path.to_owned())),
            false => Err(Failure::NoStorage(path.display().to_string())),
        }
    }

    /// Does this with the folder, on a thread that may block.
    async fn with<T: Send + 'static>(
        &self,
        operation: &'static str,
        name: &str,
        work: fn(&Path, &str) -> io::Result<T>,
    ) -> Result<T, Error> {
        let (root, path) = (self.0.clone(), name.to_owned());
        let done = tokio::task::spawn_blocking(move || work(&root, &path)).await;
        done.unwrap_or_else(|stopped| Err(io::Error::other(stopped))).map_err(|error| {
            let kind = match error.kind() {
                io::ErrorKind::PermissionDenied => ErrorKind::Forbidden,
                io::ErrorKind::InvalidInput | io::ErrorKind::InvalidFilename => {
                    ErrorKind::InvalidInput
                }
                _ => ErrorKind::Unavailable,
            };
            Error::new(kind, operation).with_key(name).with_source(error)
        })
    }
}

#[async_trait]
impl Files for OldFolder {
    async fn names(&self, folder: &str) -> Result<Vec<String>, Error> {
        self.with("list", folder, list).await
    }

    async fn get(&self, path: &str) -> Result<Option<Bytes>, Error> {
        self.with("read", path, read).await
    }

    fn place(&self, path: &str) -> Option<String> {
        is_below(path).then(|| path.to_owned())
    }
}

fn is_below(path: &str) -> bool {
    !path.contains('\0') && Path::new(path).components().all(|p| matches!(p, Component::Normal(_)))
}

fn list(root: &Path, folder: &str) -> io::Result<Vec<String>> {
    let entries = match root.join(folder).read_dir() {
        Err(error) if is_absence(root, &error) => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        // The package writes names that are text, and no links.
        if let (Ok(name), true) = (entry.file_name().into_string(), entry.file_type()?.is_file()) {
            names.push(name);
        }
    }
    Ok(names)
}

fn read(root: &Path, path: &str) -> io::Result<Option<Bytes>> {
    let outside = || io::Error::new(io::ErrorKind::InvalidInput, "it lies outside of the folder");
    if !is_below(path) {
        return Err(outside());
    }
    let file = match root.join(path).canonicalize() {
        Err(error) if is_absence(root, &error) => return Ok(None),
        file => file?,
    };
    // A link may lead anywhere.
    if !file.starts_with(root) {
        return Err(outside());
    }
    if !file.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    match fs::read(&file) {
        Err(error) if is_absence(root, &error) => Ok(None),
        bytes => Ok(Some(bytes?.into())),
    }
}

/// Whether the file is not there, and that is not because the drive is gone.
fn is_absence(root: &Path, error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotFound && root.is_dir()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap().join("old");
        fs::create_dir_all(root.join("docs/a")).unwrap();
        fs::write(root.join("docs/a/b.json"), "1").unwrap();
        fs::write(root.join("../secret.json"), "2").unwrap();
        std::os::unix::fs::symlink("../../secret.json", root.join("docs/link.json")).unwrap();
        assert_eq!(read(&root, "docs/a/b.json").unwrap(), Some("1".into()));
        assert_eq!(read(&root, "docs/none.json").unwrap(), None);
        for path in ["docs/../../secret.json", "/etc/hostname", "docs/link.json", "docs/a", "a\0"] {
            assert_eq!(
                read(&root, path).unwrap_err().kind(),
                io::ErrorKind::InvalidInput,
                "{path}"
            );
        }
    }

    #[test]
    fn a_drive_that_is_gone_has_not_lost_its_files() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("unmounted");
        assert!(read(&root, "docs/a.json").is_err());
        assert!(list(&root, "docs").is_err());
        assert!(list(folder.path(), "docs").unwrap().is_empty());
    }
}
