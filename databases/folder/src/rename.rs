//! Renames that never overwrite, where the system has them.

use std::io;
use std::os::fd::AsFd;

use rustix::fs::AtFlags;
use rustix::io::Errno;

/// What an atomic rename may do about an existing target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Fail with `EEXIST`.
    NoReplace,
    /// Swap both.
    Exchange,
}

#[cfg(any(target_os = "linux", target_os = "android", target_vendor = "apple"))]
fn system(
    from: impl AsFd,
    old: &str,
    to: impl AsFd,
    new: &str,
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
fn system(_: impl AsFd, _: &str, _: impl AsFd, _: &str, _: Kind) -> rustix::io::Result<()> {
    Err(Errno::NOSYS)
}

fn is_unsupported(errno: Errno) -> bool {
    [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&errno)
}

/// Swaps two files; `Ok(false)` if this file system cannot.
pub(crate) fn exchange(
    from: impl AsFd,
    old: &str,
    to: impl AsFd,
    new: &str,
) -> rustix::io::Result<bool> {
    match system(from, old, to, new, Kind::Exchange) {
        Ok(()) => Ok(true),
        Err(errno) if is_unsupported(errno) => Ok(false),
        Err(errno) => Err(errno),
    }
}

/// Moves a file to a name that must be free; `AlreadyExists` if it is not.
///
/// Without the system's help it is a hard link and an unlink, which never overwrite either. On a
/// file system without links (some FUSE ones) a file created between the look and the rename
/// would be overwritten; that window is some microseconds.
pub(crate) fn into_free(from: impl AsFd, old: &str, to: impl AsFd, new: &str) -> io::Result<()> {
    match system(from.as_fd(), old, to.as_fd(), new, Kind::NoReplace) {
        Err(errno) if is_unsupported(errno) => {}
        result => return Ok(result?),
    }
    match rustix::fs::linkat(from.as_fd(), old, to.as_fd(), new, AtFlags::empty()) {
        Ok(()) => return Ok(rustix::fs::unlinkat(from, old, AtFlags::empty())?),
        Err(errno) if is_unsupported(errno) || errno == Errno::PERM => {}
        Err(errno) => return Err(errno.into()),
    }
    match rustix::fs::statat(to.as_fd(), new, AtFlags::SYMLINK_NOFOLLOW) {
        Err(Errno::NOENT) => Ok(rustix::fs::renameat(from, old, to, new)?),
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(errno) => Err(errno.into()),
    }
}
