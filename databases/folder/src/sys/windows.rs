//! Windows: folders as handles that keep their paths in place, and calls with whole paths.
//!
//! Safe Rust has no calls that are relative to an open folder here. Instead every handle of a folder is
//! opened without `FILE_SHARE_DELETE`: as long as it is open, nobody can rename or remove the folder, or those above
//! it, and its path leads to it. Everything is opened with `FILE_FLAG_OPEN_REPARSE_POINT` and then looked at, so that
//! no symbolic link, junction or mounted volume is followed.
//!
//! There are no permission bits: a new file inherits the access list of the folder that it is made in.

mod clock;
mod dir;
mod entry;
mod error;
mod facts;
mod open;
mod place;
mod rename;

pub(crate) use self::clock::Clock;
pub(crate) use self::dir::{Dir, set_mode};
pub(crate) use self::error::{is_link, is_missing, is_never_possible, is_not_a_folder, is_special};
pub(crate) use self::facts::{Facts, facts_of, identity_at};
pub(crate) use self::place::Place;
