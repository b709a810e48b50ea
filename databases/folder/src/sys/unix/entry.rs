//! The entries of a folder.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use rustix::fs::FileType;

/// An entry of a folder, as reading the folder shows it.
#[derive(Debug)]
pub(crate) struct Entry(pub(super) rustix::fs::DirEntry);

impl Entry {
    /// The name, without the path.
    pub(crate) fn name(&self) -> &OsStr {
        OsStr::from_bytes(self.0.file_name().to_bytes())
    }

    /// Whether it may be a folder: not every file system says so without another call.
    pub(crate) fn may_be_folder(&self) -> bool {
        matches!(self.0.file_type(), FileType::Directory | FileType::Unknown)
    }

    /// The number of the file. At a mount point it is that of the folder below the mount.
    #[allow(clippy::unnecessary_cast, reason = "the type differs between systems")]
    pub(crate) fn inode(&self) -> u64 {
        self.0.ino() as u64
    }
}
