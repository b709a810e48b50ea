//! A folder that is open.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};

use super::entry::Entry;
use super::error::is_missing;
use super::facts::Facts;
use crate::stamp::Look;

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Not to hang on a pipe, not to follow a link.
const READ: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
pub(super) const CREATE: OFlags =
    OFlags::WRONLY.union(OFlags::CREATE).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// An open folder. It stays the same one if it is moved, or another gets its name.
#[derive(Debug)]
pub(crate) struct Dir(pub(super) OwnedFd);

impl Dir {
    /// Opens the folder with this path. Links on the way are followed.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let flags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);
        Ok(Self(rustix::fs::openat(CWD, path, flags, Mode::empty())?))
    }

    /// Another handle of this folder.
    pub(crate) fn reopen(&self) -> io::Result<Self> {
        Ok(Self(rustix::fs::openat(&self.0, c".", FOLDER, Mode::empty())?))
    }

    /// Opens a folder in this one. For anything else it is an error that [`is_not_a_folder`].
    pub(crate) fn open_folder(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        Ok(Self(rustix::fs::openat(&self.0, name.as_ref(), FOLDER, Mode::empty())?))
    }

    /// Opens a file in this folder for reading. It succeeds for other things too, such as folders: the
    /// caller looks at what was opened. A link is an error that [`is_link`].
    pub(crate) fn open_file(&self, name: impl AsRef<OsStr>) -> io::Result<File> {
        Ok(rustix::fs::openat(&self.0, name.as_ref(), READ, Mode::empty())?.into())
    }

    /// Opens a file of the sync's own, to bring it to the disk and to change its permission bits.
    pub(crate) fn open_to_sync(&self, name: &str) -> io::Result<File> {
        let flags = OFlags::RDONLY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
        Ok(rustix::fs::openat(&self.0, name, flags, Mode::empty())?.into())
    }

    /// Opens the folder with this relative path by one call; `None` if this system cannot.
    pub(crate) fn open_folder_below(&self, path: &str) -> Option<io::Result<Self>> {
        Some(open_beneath(&self.0, path, FOLDER)?.map(Self))
    }

    /// Opens the file with this relative path by one call, as [`open_file`](Self::open_file) does;
    /// `None` if this system cannot.
    pub(crate) fn open_file_below(&self, path: &str) -> Option<io::Result<File>> {
        Some(open_beneath(&self.0, path, READ)?.map(File::from))
    }

    /// Makes a file, which must not exist, with these permission bits less those of the umask.
    pub(crate) fn create_new(&self, name: &str, mode: u32) -> io::Result<File> {
        let flags = CREATE.union(OFlags::EXCL);
        Ok(rustix::fs::openat(&self.0, name, flags, bits(mode))?.into())
    }

    /// Makes a folder, which must not exist, with these permission bits less those of the umask.
    pub(crate) fn make_folder(&self, name: &str, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::mkdirat(&self.0, name, bits(mode))?)
    }

    /// The entries, without `.` and `..`.
    pub(crate) fn entries(&self) -> io::Result<impl Iterator<Item = io::Result<Entry>>> {
        let is_self =
            |entry: &rustix::fs::DirEntry| matches!(entry.file_name().to_bytes(), b"." | b"..");
        let entries = rustix::fs::Dir::read_from(&self.0)?;
        Ok(entries
            .filter(move |entry| !entry.as_ref().is_ok_and(is_self))
            .map(|entry| entry.map(Entry).map_err(io::Error::from)))
    }

    /// The names of the entries, without `.` and `..`.
    pub(crate) fn names(&self) -> io::Result<Vec<OsString>> {
        self.entries()?.map(|entry| Ok(entry?.name().to_owned())).collect()
    }

    /// Whether an entry is spelled exactly so, where names are folded.
    pub(crate) fn has_entry(&self, name: &str) -> io::Result<bool> {
        for entry in self.entries()? {
            if entry?.name() == name {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What the system says about an entry.
    pub(crate) fn facts(&self, name: impl AsRef<OsStr>) -> io::Result<Facts> {
        let flags = AtFlags::SYMLINK_NOFOLLOW;
        Ok(Facts::of(&rustix::fs::statat(&self.0, name.as_ref(), flags)?))
    }

    /// What the system says about this folder itself.
    pub(crate) fn own_facts(&self) -> io::Result<Facts> {
        Ok(Facts::of(&rustix::fs::fstat(&self.0)?))
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
        Ok(rustix::fs::unlinkat(&self.0, name, AtFlags::empty())?)
    }

    /// Removes a folder, which must be empty.
    pub(crate) fn remove_folder(&self, name: impl AsRef<OsStr>) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.0, name.as_ref(), AtFlags::REMOVEDIR)?)
    }

    /// Sets the permission bits of this folder.
    pub(crate) fn set_mode(&self, mode: u32) -> io::Result<()> {
        Ok(rustix::fs::fchmod(&self.0, bits(mode))?)
    }

    /// Brings the entries of this folder to the disk: names, not contents.
    pub(crate) fn sync(&self) -> io::Result<()> {
        Ok(rustix::fs::fsync(&self.0)?)
    }
}

/// Sets the permission bits of a file.
pub(crate) fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    Ok(rustix::fs::fchmod(file, bits(mode))?)
}

#[allow(clippy::cast_possible_truncation, reason = "nine bits; the type differs between systems")]
fn bits(mode: u32) -> Mode {
    Mode::from_raw_mode(mode as rustix::fs::RawMode)
}

/// Opens what is below over no link. `None` on an old kernel, or in a sandbox that does not know the
/// call; Android's stops the whole process for it.
#[cfg(target_os = "linux")]
fn open_beneath(root: &OwnedFd, path: &str, flags: OFlags) -> Option<io::Result<OwnedFd>> {
    use rustix::fs::ResolveFlags;
    use rustix::io::Errno;
    let resolve =
        ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
    match rustix::fs::openat2(root, path, flags, Mode::empty(), resolve) {
        Err(Errno::NOSYS | Errno::PERM | Errno::INVAL | Errno::TOOBIG) => None,
        opened => Some(opened.map_err(io::Error::from)),
    }
}

#[cfg(not(target_os = "linux"))]
fn open_beneath(_: &OwnedFd, _: &str, _: OFlags) -> Option<io::Result<OwnedFd>> {
    None
}
