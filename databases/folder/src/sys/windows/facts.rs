//! What the system says about a file or folder without reading it.

use std::fs::File;
use std::io;
use std::path::Path;

use winapi_util::file::{Information, information};

use super::open::{self, ATTRIBUTE_DIRECTORY, ATTRIBUTE_REPARSE_POINT};
use crate::stamp::{Look, Stamp, millis, nanos};

/// From 1601, where the times of Windows begin, to 1970, in ticks of 100 ns.
const TO_1970: i64 = 116_444_736_000_000_000;
/// In such ticks.
const SECOND: i64 = 10_000_000;

/// Facts about an entry of a folder. Times are in nanoseconds.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    pub(crate) look: Look,
    /// A number for the kind: it differs between kinds of special files, too.
    pub(crate) kind: u64,
    /// The serial number of the volume.
    pub(crate) device: u64,
    pub(crate) inode: u64,
    /// All bits, as there are none.
    pub(crate) mode: u32,
    /// Always the same: a file is as private as the folder that it was made in.
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
    pub(super) fn of(found: &Information) -> Self {
        let attributes = found.file_attributes();
        let mtime = time(found.last_write_time(), nanos);
        // A program may set the time of the last write back. That of the last change of the entry itself, which
        // none can set, is not to be had without `unsafe`. The time at which the file was made is
        // another one for a file that was renamed into place.
        let ctime = time(found.creation_time(), nanos);
        let inode = found.file_index();
        let stamp = Stamp { size: found.file_size(), mtime, ctime, inode };
        let (mode, look) = if attributes & ATTRIBUTE_REPARSE_POINT != 0 {
            (0o777, Look::Link)
        } else if attributes & ATTRIBUTE_DIRECTORY != 0 {
            (0o777, Look::Folder)
        } else {
            (0o666, Look::File { stamp, mode: 0o666 })
        };
        Self {
            look,
            kind: attributes & (ATTRIBUTE_DIRECTORY | ATTRIBUTE_REPARSE_POINT),
            device: found.volume_serial_number(),
            inode,
            mode,
            owner: 0,
            links: found.number_of_links(),
            mtime,
            modified: time(found.last_write_time(), millis),
            moved: mtime.max(ctime).max(time(found.last_access_time(), nanos)),
        }
    }

    /// Volume and number of the file: what is the same thing has the same numbers.
    pub(crate) fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }
}

/// A time of Windows, which `make` gets as seconds and nanoseconds since 1970.
fn time<T>(ticks: Option<u64>, make: impl FnOnce(i64, i64) -> T) -> T {
    let ticks = i64::try_from(ticks.unwrap_or(0)).unwrap_or(i64::MAX).saturating_sub(TO_1970);
    make(ticks.div_euclid(SECOND), ticks.rem_euclid(SECOND) * 100)
}

/// What the system says about an open file.
pub(crate) fn facts_of(file: &File) -> io::Result<Facts> {
    Ok(Facts::of(&information(file)?))
}

/// Volume and number of what this path leads to, over links.
pub(crate) fn identity_at(path: &Path) -> io::Result<(u64, u64)> {
    Ok(facts_of(&open::to_look_through(path)?)?.identity())
}
