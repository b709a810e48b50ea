//! What errors of the system mean, beyond what [`io::ErrorKind`] says.

use std::io;

/// It is a link, which is not followed.
#[derive(Debug, thiserror::Error)]
#[error("it is a symbolic link, a junction or another reparse point")]
struct Link;

/// The error of opening a link.
pub(super) fn link() -> io::Error {
    io::Error::other(Link)
}

/// Nothing has this name, which includes names that cannot exist here.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename)
}

/// A link was to be opened.
pub(crate) fn is_link(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<Link>())
}

/// Something else than a folder was to be opened as one, a link included.
pub(crate) fn is_not_a_folder(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::NotADirectory || is_link(error)
}

/// A socket or a device was to be opened: they have no names in folders here.
pub(crate) fn is_special(_: &io::Error) -> bool {
    false
}

/// A name that this file system cannot have, or a file that is too large for it.
pub(crate) fn is_never_possible(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::InvalidFilename | io::ErrorKind::FileTooLarge)
}
