//! Renames: those that replace, those that never do, and swaps.

use std::ffi::OsStr;
use std::io;
use std::os::fd::OwnedFd;

use rustix::fs::AtFlags;
use rustix::io::Errno;

use super::dir::Dir;
use super::error::is_unsupported;

/// What an atomic rename may do about an existing target.
#[derive(Clone, Copy)]
enum Kind {
    /// Fail with `EEXIST`.
    NoReplace,
    /// Swap both.
    Exchange,
}

impl Dir {
    /// Moves an entry to another name, in place of a file that has it.
    pub(crate) fn rename(&self, old: &str, to: &Self, new: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.0, old, &to.0, new)?)
    }

    /// Gives a file a second name, which must be free.
    pub(crate) fn link(&self, old: &str, to: &Self, new: &str) -> io::Result<()> {
        Ok(rustix::fs::linkat(&self.0, old, &to.0, new, AtFlags::empty())?)
    }

    /// Swaps two files in one step; `Ok(false)` if this file system cannot. Other systems need the name in between.
    pub(crate) fn exchange(
        &self,
        old: &str,
        _between: &str,
        to: &Self,
        new: &str,
    ) -> io::Result<bool> {
        match atomic(&self.0, old.as_ref(), &to.0, new.as_ref(), Kind::Exchange) {
            Ok(()) => Ok(true),
            Err(errno) if is_unsupported(errno) => Ok(false),
            Err(errno) => Err(errno.into()),
        }
    }

    /// Moves an entry to a name that must be free; `AlreadyExists` if it is not.
    ///
    /// Without the system's help it is a hard link and an unlink, which never overwrite either. On a
    /// file system without links (some FUSE ones) a file created between the look and the rename
    /// would be overwritten; that window is some microseconds.
    pub(crate) fn rename_new(
        &self,
        old: impl AsRef<OsStr>,
        to: &Self,
        new: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        let (old, new) = (old.as_ref(), new.as_ref());
        match atomic(&self.0, old, &to.0, new, Kind::NoReplace) {
            Err(errno) if is_unsupported(errno) => {}
            result => return Ok(result?),
        }
        match rustix::fs::linkat(&self.0, old, &to.0, new, AtFlags::empty()) {
            Ok(()) => return Ok(rustix::fs::unlinkat(&self.0, old, AtFlags::empty())?),
            Err(errno) if is_unsupported(errno) || errno == Errno::PERM => {}
            Err(errno) => return Err(errno.into()),
        }
        match rustix::fs::statat(&to.0, new, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => Ok(rustix::fs::renameat(&self.0, old, &to.0, new)?),
            Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
            Err(errno) => Err(errno.into()),
        }
    }
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn atomic(
    from: &OwnedFd,
    old: &OsStr,
    to: &OwnedFd,
    new: &OsStr,
    kind: Kind,
) -> rustix::io::Result<()> {
    use rustix::fs::RenameFlags;
    let flags = match kind {
        Kind::NoReplace => RenameFlags::NOREPLACE,
        Kind::Exchange => RenameFlags::EXCHANGE,
    };
    rustix::fs::renameat_with(from, old, to, new, flags)
}

#[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
fn atomic(_: &OwnedFd, _: &OsStr, _: &OwnedFd, _: &OsStr, _: Kind) -> rustix::io::Result<()> {
    Err(Errno::NOSYS)
}
