//! The adapter at real servers, each started on a free port: Apache, nginx, lighttpd, WsgiDAV,
//! sabre/dav and rclone.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "servers and seeds of tests that fail are shown")]

mod choice;
mod conformance;
mod copies;
mod endpoint;
mod errors;
mod faults;
mod looks;
mod redirects;
mod requests;
mod slots;
mod support;
mod sync;
mod unfinished;
mod weak;
