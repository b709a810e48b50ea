//! A folder that is open.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::entry::Entry;
use super::error::is_missing;
use super::facts::{Facts, facts_of};
use super::open;
use crate::stamp::Look;

/// An open folder, which cannot be renamed or removed meanwhile, and neither can those above it.
#[derive(Debug)]
pub(crate) struct Dir(Arc<Pinned>);

#[derive(Debug)]
struct Pinned {
    file: File,
    path: PathBuf,
    _above: Option<Arc<Pinned>>,
}

impl Dir {
    /// Opens the folder with this path. Links on the way are followed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let file = open::pinned_folder(&path)?;
        Ok(Self(Arc::new(Pinned { file, path, _above: None })))
    }

    /// Another handle of this folder.
    pub(crate) fn reopen(&self) -> io::Result<Self> {
        Ok(Self(self.0.clone()))
    }

    /// Opens a folder in this one. For anything else it is an error that
    /// [`is_not_a_folder`](super::is_not_a_folder).
    pub(crate) fn open_folder(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let path = self.at(name);
        let file = open::pinned_folder(&path)?;
        Ok(Self(Arc::new(Pinned { file, path, _above: Some(self.0.clone()) })))
    }

    /// Opens a file in this folder for reading. It succeeds for folders too: the caller looks at what was
    /// opened. A link is an error that [`is_link`](super::is_link).
    pub(crate) fn open_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        open::file(&self.at(name))
    }

    /// Opens a file of the sync's own, to bring it to the disk.
    pub(crate) fn open_to_sync(&self, name: &str) -> io::Result<File> {
        open::file_to_write(&self.at(name), &mut OpenOptions::new())
    }

    /// Opens the folder with this relative path by one call: never possible here.
    pub(crate) fn open_folder_below(&self, _: &str) -> Option<io::Result<Self>> {
        None
    }

    /// Opens the file with this relative path by one call: never possible here.
    pub(crate) fn open_file_below(&self, _: &str) -> Option<io::Result<File>> {
        None
    }

    /// Makes a file, which must not exist. There are no permission bits.
    pub(crate) fn create_new(&self, name: &str, _mode: u32) -> io::Result<File> {
        open::file_to_write(&self.at(name), OpenOptions::new().create_new(true))
    }

    /// Makes a folder, which must not exist. There are no permission bits.
    pub(crate) fn make_folder(&self, name: &str, _mode: u32) -> io::Result<()> {
        std::fs::create_dir(self.at(name))
    }

    /// The entries, without `.` and `..`.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>>> {
        Ok(std::fs::read_dir(&self.0.path)?.map(|entry| entry.map(Entry::new)))
    }

    /// The names of the entries, without `.` and `..`.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        self.entries()?.map(|entry| Ok(entry?.name().to_owned())).collect()
    }

    /// Whether an entry is spelled exactly so, where names are folded.
    pub(crate) fn has_entry(&self, name: &str) -> io::Result<bool> {
        // The system says how what it opens is spelled. Of a link it would say where that leads.
        let path = self.at(name);
        let is_link = !matches!(self.look(name), Ok(Some(Look::File { .. } | Look::Folder)));
        if !is_link && let Ok(spelled) = path.canonicalize() {
            return Ok(spelled.file_name() == Some(OsStr::new(name)));
        }
        for entry in self.entries()? {
            if entry?.name() == name {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the system says about an entry.
    pub(crate) fn facts(&self, name: impl AsRef<OsStr>) -> io::Result<Facts> {
        facts_of(&open::to_look(&self.at(name))?)
    }

    /// What the system says about this folder itself.
    pub(crate) fn own_facts(&self) -> io::Result<Facts> {
        facts_of(&self.0.file)
    }

    /// What lies under this relative path, of which only the last segment may be a link. `None` if
    /// nothing does.
    pub(crate) fn look(&self, path: impl AsRef<OsStr>) -> io::Result<Option<Look>> {
        match self.facts(path) {
            Ok(facts) => Ok(Some(facts.look)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Removes a file or a link.
    pub(crate) fn remove_file(&self, name: &str) -> io::Result<()> {
        std::fs::remove_file(self.at(name))
    }

    /// Removes a folder, which must be empty, and which nobody may have open.
    pub(crate) fn remove_folder(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        // The system would remove a link to a folder, too.
        match self.facts(name.as_ref())?.look {
            Look::Folder => std::fs::remove_dir(self.at(name)),
            _ => Err(io::ErrorKind::NotADirectory.into()),
        }
    }

    /// Sets the permission bits of this folder: there are none.
    #[allow(clippy::unnecessary_wraps, reason = "other systems may refuse")]
    pub(crate) fn set_mode(&self, _mode: u32) -> io::Result<()> {
        Ok(())
    }

    /// Brings the entries of this folder to the disk: names, not contents. Where the system brings no folders to the
    /// disk, the journal of the file system has to do.
    pub(crate) fn sync(&self) -> io::Result<()> {
        const ERROR_INVALID_FUNCTION: i32 = 1;
        let synced = open::folder_to_sync(&self.0.path).and_then(|folder| folder.sync_all());
        match synced {
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
                ) || error.raw_os_error() == Some(ERROR_INVALID_FUNCTION) =>
            {
                Ok(())
            }
            synced => synced,
        }
    }

    /// The whole path of an entry, which leads to it as long as this folder is open.
    pub(super) fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.0.path.join(name.as_ref())
    }
}

/// Sets the permission bits of a file: there are none.
#[allow(clippy::unnecessary_wraps, reason = "other systems may refuse")]
pub(crate) fn set_mode(_: &File, _mode: u32) -> io::Result<()> {
    Ok(())
}
