//! The adapter at the double of Google Drive, and, given a token, at the real service.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "seeds of tests that fail are shown")]

mod chain;
mod conformance;
mod copies;
mod endpoint;
mod errors;
mod faults;
mod genesis;
mod kills;
mod lock;
mod looks;
mod objects;
mod requests;
mod support;
mod sync;
mod wait;
