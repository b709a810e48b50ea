//! The time by the clock of a file system.

use std::fs::File;
use std::io;

use rustix::fs::{Mode, Timespec, Timestamps, UTIME_NOW};

use super::dir::{CREATE, Dir};
use crate::stamp::Stamp;

/// A file that tells the time by the clock of its file system, which is another one than the
/// machine's on a network drive.
#[derive(Debug)]
pub(crate) struct Clock(File);

impl Clock {
    /// Opens or makes the file.
    pub(crate) fn open(folder: &Dir, name: &str) -> io::Result<Self> {
        let file = rustix::fs::openat(&folder.0, name, CREATE, Mode::from_raw_mode(0o600))?;
        Ok(Self(file.into()))
    }

    /// Now, in nanoseconds, as the file system stamps a file that is written.
    pub(crate) fn now(&self) -> io::Result<i64> {
        // The type of the field differs between systems.
        let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW as _ };
        rustix::fs::futimens(&self.0, &Timestamps { last_access: now, last_modification: now })?;
        Ok(Stamp::of(&self.0.metadata()?).mtime)
    }
}
