//! The adapter at a strict double of Dropbox; what can be, at the real one too (`endpoint.rs`).

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "seeds of tests that fail are shown")]

mod batches;
mod conformance;
mod copies;
mod endpoint;
mod errors;
mod faults;
mod kills;
mod large;
mod looks;
mod requests;
mod support;
mod sync;
mod throttling;
mod tokens;
mod watch;
