//! Every rule of the protocol as a story of named devices on one storage. A module a part of the
//! protocol; the harness is this package's library.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "the check of the rules prints its index on request")]

mod asking;
mod attempts;
mod attributes;
mod basics;
mod branches;
mod budgets;
mod clocks;
mod conflicts;
mod copied_objects;
mod copies;
mod counterexamples;
mod crash_points;
mod damage;
mod decisions;
mod diverged;
mod excluded;
mod gc;
mod identity;
mod layers;
mod limits;
mod lists;
mod locks;
mod mended;
mod missing;
mod mixed;
mod modelled;
mod newer;
mod plan;
mod preview;
mod pull;
mod push;
mod queue;
mod read_only;
mod reads;
mod reinstalled;
mod rejoined;
mod repair;
mod repeated;
mod rules;
mod several;
mod simulated;
mod snapshots;
mod stopped;
mod unreadable;
mod watch;
mod weak;
