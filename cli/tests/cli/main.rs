//! The real binary on real folders.
// Terminals, signals and permission bits are those of Unix.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout, reason = "these are tests")]

mod addresses;
mod brakes;
mod carried;
mod clouds;
mod columns;
mod conflicts;
mod decisions;
mod importing;
mod interrupted;
mod kill;
mod login;
mod missing;
mod named;
mod output;
mod private;
#[cfg(feature = "profile")]
mod profiles;
mod remotes;
mod repair;
mod restored;
mod s3;
mod selection;
mod several;
mod syncing;
mod tables;
mod terminal;
mod usage;
mod watching;
mod webdav;
mod world;
