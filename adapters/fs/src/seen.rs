//! What the file system says about a file or folder.

use std::ffi::OsString;
use std::io;

/// What kind of thing it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// A link, a pipe, a device.
    Other,
}

/// What is known without reading it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seen {
    pub(crate) kind: Kind,
    pub(crate) size: u64,
    /// Device and inode: they differ for another file of the same name.
    pub(crate) identity: (u64, u64),
    /// When the file was written last, in seconds.
    pub(crate) seconds: i64,
    /// The permission bits, where there are any.
    #[cfg_attr(windows, allow(dead_code, reason = "there are none"))]
    pub(crate) mode: u32,
}

/// An entry of a folder.
#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) name: OsString,
    /// `None` where reading the folder does not say.
    pub(crate) kind: Option<Kind>,
}

/// It is a link, which is not followed, or something else that is no file.
#[derive(Debug, thiserror::Error)]
#[error("it is a link or no file")]
struct NoFile;

/// The error of a link, a pipe or a device that was to be opened as a file or a folder.
pub(crate) fn no_file() -> io::Error {
    io::Error::other(NoFile)
}

/// Whether a link, a pipe or a device was to be opened.
pub(crate) fn is_no_file(error: &io::Error) -> bool {
    error.get_ref().is_some_and(|inner| inner.is::<NoFile>())
}
