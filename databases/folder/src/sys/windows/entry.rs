//! The entries of a folder.

use std::ffi::{OsStr, OsString};
use std::fs::DirEntry;

use super::facts::facts_of;
use super::open;

/// An entry of a folder, as reading the folder shows it.
#[derive(Debug)]
pub(crate) struct Entry {
    name: OsString,
    found: DirEntry,
}

impl Entry {
    pub(super) fn new(found: DirEntry) -> Self {
        Self { name: found.file_name(), found }
    }

    /// The name, without the path.
    pub(crate) fn name(&self) -> &OsStr {
        &self.name
    }

    /// Whether it may be a folder.
    pub(crate) fn may_be_folder(&self) -> bool {
        self.found.file_type().map_or(true, |kind| kind.is_dir())
    }

    /// The number of the file; zero if it cannot be opened.
    pub(crate) fn inode(&self) -> u64 {
        let found = open::to_look(&self.found.path()).and_then(|file| facts_of(&file));
        found.map_or(0, |facts| facts.inode)
    }
}
