//! What errors of the system mean, beyond what [`io::ErrorKind`] says.

use std::io;

use rustix::io::Errno;

/// Nothing has this name, which includes names that cannot exist here.
pub(crate) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::InvalidFilename)
}

/// A link was to be opened. Linux and macOS say `ELOOP`, FreeBSD `EMLINK`.
pub(crate) fn is_link(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::LOOP, Errno::MLINK])
}

/// Something else than a folder was to be opened as one, a link included.
pub(crate) fn is_not_a_folder(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::NOTDIR, Errno::LOOP, Errno::MLINK])
}

/// A socket or a device was to be opened.
pub(crate) fn is_special(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::NXIO, Errno::NODEV])
}

/// A name that this file system cannot have, or a file that is too large for it.
pub(crate) fn is_never_possible(error: &io::Error) -> bool {
    is_one_of(error, &[Errno::NAMETOOLONG, Errno::INVAL, Errno::ILSEQ, Errno::FBIG])
}

pub(super) fn is_unsupported(errno: Errno) -> bool {
    [Errno::INVAL, Errno::NOSYS, Errno::NOTSUP, Errno::OPNOTSUPP].contains(&errno)
}

fn is_one_of(error: &io::Error, errors: &[Errno]) -> bool {
    Errno::from_io_error(error).is_some_and(|errno| errors.contains(&errno))
}
