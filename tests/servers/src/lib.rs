//! Storage servers for tests: each is started on a free port of this machine and stopped when it is
//! dropped, or when the test process ends. `cargo xtask servers` installs them; one that is missing
//! makes a test fail, never pass unseen.
//!
//! Between client and server stands, if a test wants it, a [`FaultProxy`] that loses answers, hangs
//! and lies.

#![allow(clippy::panic, reason = "what cannot be started fails the test that needs it")]

mod http;
mod process;
mod proxy;
mod s3;

pub use process::{Server, folder};
pub use proxy::{Counts, Fault, FaultProxy, Faults};
pub use s3::{KEY_ID, SECRET};
