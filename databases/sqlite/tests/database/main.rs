//! Tables of an application's database, synced between devices. The storage is in memory; edits are
//! made by the `sqlite3` command line tool or by a connection that knows nothing of db-to-cloud.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what fails by panicking"
)]

mod attaching;
mod ddl;
mod edits;
mod evolution;
mod foreign;
mod hammer;
mod joined;
mod lent;
mod lent_conformance;
mod lent_files;
mod lent_settings;
mod lent_temp;
mod lent_uses;
mod look;
mod orders;
mod replacing;
mod restored;
mod rings;
mod semantics;
mod several;
mod triggers;
mod values;
mod world;
