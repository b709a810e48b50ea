//! The time by the clock of a file system.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::PathBuf;

use super::dir::Dir;
use super::facts::facts_of;
use super::open;

/// A file that tells the time by the clock of its file system, which is another one than the
/// machine's on a network drive.
#[derive(Debug)]
pub(crate) struct Clock {
    path: PathBuf,
    /// Keeps the path in place.
    _folder: Dir,
}

impl Clock {
    /// Opens or makes the file.
    pub(crate) fn open(folder: &Dir, name: &str) -> io::Result<Self> {
        let clock = Self { path: folder.at(name), _folder: folder.reopen()? };
        clock.now()?;
        Ok(clock)
    }

    /// Now, in nanoseconds, as the file system stamps a file that is written. A write may show in the time of the file
    /// only when the file is closed.
    pub(crate) fn now(&self) -> io::Result<i64> {
        let mut file = open::file_to_write(&self.path, OpenOptions::new().create(true))?;
        file.write_all(b".")?;
        drop(file);
        Ok(facts_of(&open::to_look(&self.path)?)?.mtime)
    }
}
