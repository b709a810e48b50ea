//! Renames: those that replace, those that never do, and swaps.

use std::ffi::OsStr;
use std::fs::FileTimes;
use std::io;
use std::path::Path;
use std::time::SystemTime;

use winsafe::co::{ERROR, MOVEFILE, REPLACEFILE};
use winsafe::{MoveFileEx, ReplaceFile};

use super::dir::Dir;
use super::open;

impl Dir {
    /// Moves an entry to another name, in place of a file that has it.
    pub(crate) fn rename(&self, old: &str, to: &Self, new: &str) -> io::Result<()> {
        note_time(&self.at(old));
        std::fs::rename(self.at(old), to.at(new))
    }

    /// Gives a file a second name, which must be free.
    pub(crate) fn link(&self, old: &str, to: &Self, new: &str) -> io::Result<()> {
        std::fs::hard_link(self.at(old), to.at(new))
    }

    /// Swaps two files. It takes two steps: the file that was at `new` has the name `between` here for a moment, and
    /// keeps it if the process is stopped then.
    ///
    /// `ReplaceFileW` makes the first step. It also gives the file that comes in the access list, the time
    /// of birth and the further streams of the one that goes out.
    pub(crate) fn exchange(
        &self,
        old: &str,
        between: &str,
        to: &Self,
        new: &str,
    ) -> io::Result<bool> {
        let (comes, goes, place) = (self.at(old), self.at(between), to.at(new));
        note_time(&place);
        let no_flags = REPLACEFILE::default();
        match ReplaceFile(text(&place)?, text(&comes)?, Some(text(&goes)?), no_flags) {
            Ok(()) => {}
            // The one is out, and the other is not in.
            Err(ERROR::UNABLE_TO_MOVE_REPLACEMENT_2) => move_to_free(&comes, &place)?,
            Err(error) => return Err(system(error)),
        }
        move_to_free(&goes, &comes)?;
        Ok(true)
    }

    /// Moves an entry to a name that must be free; `AlreadyExists` if it is not.
    pub(crate) fn rename_new(
        &self,
        old: impl AsRef<OsStr>,
        to: &Self,
        new: impl AsRef<OsStr>,
    ) -> io::Result<()> {
        move_to_free(&self.at(old), &to.at(new))
    }
}

/// Never replaces anything, and returns when the new name is on the disk.
fn move_to_free(from: &Path, to: &Path) -> io::Result<()> {
    MoveFileEx(text(from)?, Some(text(to)?), MOVEFILE::WRITE_THROUGH).map_err(system)
}

/// A rename changes no time of a file that could be read here. That of the last access shows the sweep how long a file
/// has been in the limbo. If it cannot be set, the sweep may come early.
fn note_time(path: &Path) {
    let times = FileTimes::new().set_accessed(SystemTime::now());
    if let Err(error) = open::to_touch(path).and_then(|file| file.set_times(times)) {
        tracing::debug!(%error, "the time of a move could not be noted");
    }
}

/// The calls take text.
fn text(path: &Path) -> io::Result<&str> {
    path.to_str().ok_or_else(|| io::ErrorKind::InvalidFilename.into())
}

fn system(error: ERROR) -> io::Error {
    io::Error::from_raw_os_error(error.raw().cast_signed())
}
