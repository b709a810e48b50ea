//! The doubles, judged by the official clients of the services.

#![allow(clippy::unwrap_used, reason = "what fails here fails the test")]

mod dropbox;
