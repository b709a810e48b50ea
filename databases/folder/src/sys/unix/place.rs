//! On which file system a folder is.

use std::io;

use super::dir::Dir;

/// The mount that a folder is on. Two folders of one mount have equal places; after another mount a place may
/// come again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    device: u64,
    /// Where the system has such a number: another one also where a part of the same file system is mounted.
    mount: u64,
}

impl Dir {
    /// Where this folder is.
    pub(crate) fn place(&self) -> io::Result<Place> {
        Ok(Place { device: self.own_facts()?.device, mount: mount(self) })
    }
}

/// From Linux 5.8 on; without it the device alone decides.
#[cfg(target_os = "linux")]
fn mount(folder: &Dir) -> u64 {
    use rustix::fs::{AtFlags, StatxFlags};
    let found = rustix::fs::statx(&folder.0, c"", AtFlags::EMPTY_PATH, StatxFlags::MNT_ID);
    found.map_or(0, |found| match found.stx_mask & StatxFlags::MNT_ID.bits() {
        0 => 0,
        _ => found.stx_mnt_id,
    })
}

#[cfg(not(target_os = "linux"))]
fn mount(_: &Dir) -> u64 {
    0
}
