//! What differs between operating systems.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{Hidden, Signals, host_name, identity, is_private, os_string, url_path};
#[cfg(windows)]
pub(crate) use windows::{Hidden, Signals, host_name, identity, is_private, os_string, url_path};
