//! What applications do, played at random on real folders and real SQLite files.
//!
//! Each run has two or three devices. Their users rename, swap and replace files, or hand over
//! UNIQUE values, change keys and renumber lists; between that the devices sync, and some syncs are
//! stopped, dropped, lose a request, or run while an application edits. Then all sync until nothing
//! moves, and `rest.rs` checks the end:
//!
//! - all devices and the storage have the same documents, but for what is impossible, such as one
//!   unique value that two devices gave to two rows; that is reported as deferred;
//! - every version that a user made is there, or was replaced by a user who saw it, or lost a conflict;
//! - no deleted document came back;
//! - no conflict was asked about twice, or where only one device edited;
//! - the databases are sound.
//!
//! `drawn/` plays applications whose schemas are drawn from the seed, and change between the edits.
//!
//! `plan.rs` makes the run of a seed, `shrink.rs` the shortest one that still fails.
//!
//! ```sh
//! cargo test -p db-to-cloud-tests --test applications                          # the fixed seeds
//! DB_TO_CLOUD_SEED=7 cargo test -p db-to-cloud-tests --test applications tables
//! DB_TO_CLOUD_FROM=1000 DB_TO_CLOUD_RUNS=600s cargo test -p db-to-cloud-tests --test applications
//! ```
//!
//! It is a target of its own because no other test of this crate needs files or SQLite, and no crate
//! of one database should need the other's.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking and prints what failed"
)]

mod application;
mod broken;
mod device;
mod disturbed;
mod drawn;
mod explained;
mod folders;
mod moments;
mod oracle;
mod plan;
mod play;
mod resolver;
mod rest;
mod seeds;
mod shrink;
mod tables;
mod upgrades;
