//! The calls of the operating system: names are relative to an open folder, and no link is followed.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(windows)]
pub(crate) use windows::{Folder, Modes, force_opened, force_to_disk, look_at};
#[cfg(unix)]
pub(crate) use {
    crate::modes::Modes,
    unix::{Folder, force_opened, force_to_disk, look_at},
};
