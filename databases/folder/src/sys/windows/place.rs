//! On which file system a folder is.

use std::io;

use super::dir::Dir;

/// The volume that a folder is on. A volume that is mounted in a folder is a link here, and not followed, so that all
/// folders have the same one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    volume: u64,
}

impl Dir {
    /// Where this folder is.
    pub(crate) fn place(&self) -> io::Result<Place> {
        Ok(Place { volume: self.own_facts()?.device })
    }
}
