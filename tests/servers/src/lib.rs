//! Storage servers for tests: each is started on a free port of this machine and stopped when it is
//! dropped, or when the test process ends. `cargo xtask servers` installs them; one that is missing
//! makes a test fail, never pass unseen.
//!
//! Between client and server stands, if a test wants it, a [`FaultProxy`] that loses answers, hangs
//! and lies.
//!
//! [`Device`] and [`stories`] are what whole syncs through any of them are tested with.

#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails here fails the test")]
#![allow(clippy::print_stdout, reason = "seeds of tests that fail are shown")]

mod copying;
mod device;
mod http;
mod process;
mod proxy;
mod s3;
mod sqlite3;
pub mod stories;
mod webdav;

pub use copying::{CopyingServer, Step};
pub use device::Device;
pub use process::{Server, folder};
pub use proxy::{Counts, Fault, FaultProxy, Faults};
pub use s3::{KEY_ID, SECRET};
pub use sqlite3::{sqlite3, sqlite3_as};
pub use webdav::{PASSWORD, USER};
