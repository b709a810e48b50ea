//! Unix: folders as file descriptors, with the calls of the family `openat`.

mod clock;
mod dir;
mod entry;
mod error;
mod facts;
mod place;
mod rename;

pub(crate) use self::clock::Clock;
pub(crate) use self::dir::{Dir, set_mode};
pub(crate) use self::error::{is_link, is_missing, is_never_possible, is_not_a_folder, is_special};
pub(crate) use self::facts::{Facts, facts_of, identity_at};
pub(crate) use self::place::Place;
