//! All calls of the operating system that the standard library does not offer in a safe form.
//!
//! The rest of the crate works with a [`Dir`], a handle of an open folder, and with names in it. No
//! name of these calls may contain a separator, except where it says so, and no call follows a link.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{
    Clock, Dir, Facts, Place, facts_of, identity_at, is_link, is_missing, is_never_possible,
    is_not_a_folder, is_special, set_mode,
};
#[cfg(windows)]
pub(crate) use windows::{
    Clock, Dir, Facts, Place, facts_of, identity_at, is_link, is_missing, is_never_possible,
    is_not_a_folder, is_special, set_mode,
};
