//! Windows: whole paths, which the handles of open folders keep in place.
//!
//! A folder is opened without `FILE_SHARE_DELETE`: as long as it is open nobody can rename or remove it. Everything is
//! opened with `FILE_FLAG_OPEN_REPARSE_POINT` and then looked at, so that no link is followed.
//!
//! There are no permission bits: what is made inherits the access list of its folder, which in the profile of a user
//! lets only that user and the administrators in.

use std::ffi::OsStr;
use std::fs::{File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use winapi_util::file::information;
use winsafe::MoveFileEx;
use winsafe::co::MOVEFILE;

use crate::error::Failure;
use crate::seen::{Entry, Kind, Seen, no_file};

const ATTRIBUTE_DIRECTORY: u64 = 0x10;
const ATTRIBUTE_REPARSE_POINT: u64 = 0x400;
/// `FILE_LIST_DIRECTORY`, `FILE_READ_ATTRIBUTES` and `SYNCHRONIZE`.
const LIST: u32 = 0x10_0081;
const READ_ATTRIBUTES: u32 = 0x80;
const GENERIC_WRITE: u32 = 0x4000_0000;
const SHARE_READ_WRITE: u32 = 0x3;
const SHARE_ALL: u32 = 0x7;
/// Without it no folder can be opened.
const BACKUP_SEMANTICS: u32 = 0x200_0000;
const OPEN_REPARSE_POINT: u32 = 0x20_0000;
/// From 1601, where the times of Windows begin, to 1970.
const SECONDS_TO_1970: u64 = 11_644_473_600;
const TICKS_A_SECOND: u64 = 10_000_000;
/// The pauses before a rename is tried again over a file that somebody is just reading.
const PAUSES: [u64; 6] = [1, 5, 20, 50, 150, 400];

/// An open folder.
#[derive(Clone, Debug)]
pub(crate) struct Folder(Arc<Pinned>);

#[derive(Debug)]
struct Pinned {
    /// As long as it is open its name cannot be given to another folder.
    _open: File,
    path: PathBuf,
    _above: Option<Folder>,
}

impl Folder {
    /// Opens the folder with this path, over links.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let path = path.canonicalize()?;
        let file = pin(&path)?;
        Ok(Self(Arc::new(Pinned { _open: file, path, _above: None })))
    }

    /// Another handle of it.
    #[allow(clippy::unnecessary_wraps, reason = "other systems may refuse")]
    pub(crate) fn again(&self) -> io::Result<Self> {
        Ok(self.clone())
    }

    /// Makes a folder; `AlreadyExists` if there is something of this name.
    pub(crate) fn make_folder(&self, name: &str) -> io::Result<()> {
        std::fs::create_dir(self.at(name))
    }

    pub(crate) fn open_folder(&self, name: &str) -> io::Result<Self> {
        let path = self.at(name);
        let file = pin(&path)?;
        Ok(Self(Arc::new(Pinned { _open: file, path, _above: Some(self.clone()) })))
    }

    pub(crate) fn open_file(&self, name: &str) -> io::Result<File> {
        let file = options(SHARE_ALL).read(true).open(self.at(name))?;
        match look_at(&file)?.kind {
            Kind::Other => Err(no_file()),
            Kind::File | Kind::Folder => Ok(file),
        }
    }

    /// Makes a file that must not exist.
    pub(crate) fn create_new(&self, name: &str) -> io::Result<File> {
        OpenOptions::new().write(true).create_new(true).open(self.at(name))
    }

    pub(crate) fn look(&self, name: impl AsRef<OsStr>) -> io::Result<Seen> {
        look_at(&options(SHARE_ALL).access_mode(READ_ATTRIBUTES).open(self.at(name))?)
    }

    /// The entries.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>>> {
        let kind = |found: std::fs::FileType| match (found.is_file(), found.is_dir()) {
            (true, _) => Kind::File,
            (_, true) => Kind::Folder,
            _ => Kind::Other,
        };
        let entry = move |entry: std::fs::DirEntry| Entry {
            name: entry.file_name(),
            kind: entry.file_type().ok().map(kind),
        };
        Ok(std::fs::read_dir(&self.0.path)?.map(move |found| found.map(entry)))
    }

    pub(crate) fn remove_file(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        std::fs::remove_file(self.at(name))
    }

    /// Gives a file a second name, which must be free.
    pub(crate) fn link(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        std::fs::hard_link(self.at(name), to.at(new))
    }

    /// Moves a file to another name, in place of a file that has it. On an older system or a network drive that
    /// fails as long as anybody has that file open, which is not for long.
    pub(crate) fn rename(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        let (from, to) = (self.at(name), to.at(new));
        for pause in PAUSES {
            match std::fs::rename(&from, &to) {
                Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {}
                renamed => return renamed,
            }
            std::thread::sleep(Duration::from_millis(pause));
        }
        std::fs::rename(&from, &to)
    }

    /// Moves a file to a name that must be free, and returns when the name is on the disk.
    pub(crate) fn rename_new(&self, name: &str, to: &Self, new: &str) -> io::Result<()> {
        let (from, to) = (self.at(name), to.at(new));
        MoveFileEx(text(&from)?, Some(text(&to)?), MOVEFILE::WRITE_THROUGH)
            .map_err(|error| io::Error::from_raw_os_error(error.raw().cast_signed()))
    }

    /// Whether a rename without replacing is decided in one place: a server is asked not to replace.
    #[allow(clippy::unused_self, reason = "other systems look")]
    pub(crate) fn renames_locally(&self) -> bool {
        true
    }

    /// Makes the names in it durable. Where the system brings no folders to the disk, the journal of the file
    /// system has to do.
    pub(crate) fn sync(&self) -> io::Result<()> {
        const INVALID_FUNCTION: i32 = 1;
        let folder = options(SHARE_ALL).access_mode(GENERIC_WRITE).open(&self.0.path);
        match folder.and_then(|folder| folder.sync_all()) {
            Err(error) if error.raw_os_error() == Some(INVALID_FUNCTION) => Ok(()),
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::PermissionDenied | io::ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            synced => synced,
        }
    }

    fn at(&self, name: impl AsRef<OsStr>) -> PathBuf {
        self.0.path.join(name.as_ref())
    }
}

/// Who may read what is written: that is not for us to say here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Modes;

#[allow(
    clippy::unused_self,
    clippy::unnecessary_wraps,
    reason = "other systems have permission bits"
)]
impl Modes {
    #[cfg(test)]
    pub(crate) const PRIVATE: Self = Self;

    pub(crate) fn of(_: &Folder) -> Result<Self, Failure> {
        Ok(Self)
    }

    pub(crate) fn share_folder(self, _: &Folder) {}

    pub(crate) fn share_file(self, _: &File) {}

    pub(crate) fn is_loose(self, _: &Seen) -> bool {
        false
    }
}

/// What the file system says of an open file.
pub(crate) fn look_at(file: &File) -> io::Result<Seen> {
    let found = information(file)?;
    let attributes = found.file_attributes();
    let kind = if attributes & ATTRIBUTE_REPARSE_POINT != 0 {
        Kind::Other
    } else if attributes & ATTRIBUTE_DIRECTORY != 0 {
        Kind::Folder
    } else {
        Kind::File
    };
    let seconds = found.last_write_time().unwrap_or(0) / TICKS_A_SECOND;
    Ok(Seen {
        kind,
        size: found.file_size(),
        identity: (found.volume_serial_number(), found.file_index()),
        seconds: seconds.cast_signed() - SECONDS_TO_1970.cast_signed(),
        mode: 0,
    })
}

/// Forces the content of a file to the disk.
pub(crate) fn force_to_disk(file: &File) -> io::Result<()> {
    file.sync_data()
}

/// The same of a file that was opened for reading, by which nothing can be forced.
pub(crate) fn force_opened(folder: &Folder, name: &str, _: &File) -> io::Result<()> {
    options(SHARE_ALL).write(true).open(folder.at(name))?.sync_data()
}

fn pin(path: &Path) -> io::Result<File> {
    let file = options(SHARE_READ_WRITE).access_mode(LIST).open(path)?;
    match look_at(&file)?.kind {
        Kind::Folder => Ok(file),
        Kind::File | Kind::Other => Err(no_file()),
    }
}

fn options(share: u32) -> OpenOptions {
    let mut options = OpenOptions::new();
    options.share_mode(share).custom_flags(BACKUP_SEMANTICS | OPEN_REPARSE_POINT);
    options
}

/// The call takes text.
fn text(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| io::ErrorKind::InvalidFilename.into())
}
