//! Strict doubles of the services that cannot run here, built from `facts/` and proved with the official
//! clients of the services. What is exact and what is assumed: `README.md`.
//!
//! A double is a server on a free port of 127.0.0.1 that keeps everything in memory. Shared by all:
//! [`Faults`], by which requests fail; [`Requests`], what was asked.

#![cfg_attr(doctest, doc = include_str!("../README.md"))]
#![allow(clippy::panic, clippy::unwrap_used, reason = "what fails here fails the test")]

pub mod drive;
pub mod dropbox;
mod faults;
mod requests;
mod server;
mod tokens;

pub use drive::Drive;
pub use dropbox::Dropbox;
pub use faults::{Answer, Fault, Faults};
pub use requests::Requests;
