//! What the system says about a file or folder without reading it.
#![allow(clippy::unnecessary_cast, reason = "the types of the fields differ between systems")]

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::fs::{FileType, Stat};

use crate::stamp::{Look, Stamp, millis, nanos};

/// Facts about an entry of a folder. Times are in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) look: Look,
    /// A number for the kind: it differs between kinds of special files, too.
    pub(crate) kind: u64,
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// The permission bits.
    pub(crate) mode: u32,
    /// The user that it belongs to.
    pub(crate) owner: u64,
    /// How many names the file has; none if it was removed while it was open.
    pub(crate) links: u64,
    pub(crate) mtime: i64,
    /// The same in milliseconds since 1970, of any year.
    pub(crate) modified: u64,
    /// When the entry was last written, or moved by a sync.
    pub(crate) moved: i64,
}

impl Facts {
    pub(super) fn of(stat: &Stat) -> Self {
        let mtime = nanos(stat.st_mtime as i64, stat.st_mtime_nsec as i64);
        let modified = millis(stat.st_mtime as i64, stat.st_mtime_nsec as i64);
        let ctime = nanos(stat.st_ctime as i64, stat.st_ctime_nsec as i64);
        let (size, inode) = (stat.st_size as u64, stat.st_ino as u64);
        let look = match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Look::File {
                stamp: Stamp { size, mtime, ctime, inode },
                mode: stat.st_mode as u32 & 0o777,
            },
            FileType::Directory => Look::Folder,
            FileType::Symlink => Look::Link,
            _ => Look::Special,
        };
        let (device, links) = (stat.st_dev as u64, stat.st_nlink as u64);
        let kind = stat.st_mode as u64 & 0o170_000;
        let (mode, owner) = (stat.st_mode as u32 & 0o7777, stat.st_uid as u64);
        Self { look, kind, device, inode, mode, owner, links, mtime, modified, moved: ctime }
    }

    /// Device and inode: what is the same thing has the same numbers.
    pub(crate) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

impl Stamp {
    /// The stamp of a regular file.
    pub(crate) fn of(metadata: &Metadata) -> Self {
        Self {
            size: metadata.size(),
            mtime: nanos(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanos(metadata.ctime(), metadata.ctime_nsec()),
            inode: metadata.ino(),
        }
    }
}

/// What the system says about an open file.
pub(crate) fn facts_of(file: &File) -> io::Result<Facts> {
    Ok(Facts::of(&rustix::fs::fstat(file)?))
}

/// Device and inode of what this path leads to, over links.
pub(crate) fn identity_at(path: &Path) -> io::Result<(u64, u64)> {
    Ok(Facts::of(&rustix::fs::stat(path)?).identity())
}
