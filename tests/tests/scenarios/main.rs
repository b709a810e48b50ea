//! Every rule of the protocol as a story of named devices on one storage. A module a part of the
//! protocol; the harness is this package's library.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod attempts;
mod basics;
mod budgets;
mod conflicts;
mod crash_points;
mod damage;
mod decisions;
mod devices;
mod diverged;
mod gc;
mod limits;
mod locks;
mod pull;
mod push;
mod queue;
mod shuffle;
mod snapshots;
mod weak;
