//! The doubles, judged by the official clients of the services, and by what those do not show: the bytes on
//! the wire, and what goes wrong.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

mod drive;
mod dropbox;
