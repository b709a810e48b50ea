//! Signing in, staying signed in and signing out, at doubles of the services.
#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod browser;
mod clock;
mod double;
mod file;
mod renewing;
mod sharing;
mod signing_in;
mod signing_out;
mod unwell;
