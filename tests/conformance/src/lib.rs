//! Test cases that every adapter, every database and every client state must pass, each run in one call
//! from its own tests.
//!
//! Each case of an adapter is a function named after one promise of [`Adapter`](db_to_cloud::Adapter). It uses
//! keys with random names only, deletes what it made, and never looks at other objects: the suite
//! may run on a storage in use. A case whose need is not met, such as an atomic create, is reported
//! as skipped, never as passed.
//!
//! ```
//! use std::sync::Arc;
//!
//! use db_to_cloud::memory::MemoryAdapter;
//! use db_to_cloud_conformance::{Options, run_with};
//!
//! # #[tokio::main(flavor = "current_thread")] async fn main() {
//! let storage = MemoryAdapter::new();
//! // A second client of the same storage, and fewer keys than usual.
//! let options = Options::new().with_other(Arc::new(storage.clone())).with_listed_keys(1200);
//! run_with(Arc::new(storage), options).await.assert_passed();
//! # }
//! ```
//!
//! Prefer a runtime with several threads: the races are then real ones.
//!
//! [`database`] has the cases of a [`Database`](db_to_cloud::Database), and [`state`] those of a
//! [`StateStore`](db_to_cloud::state::StateStore).
//!
//! Which file tests what: `cases/objects.rs` single objects, `cases/names.rs` awkward keys,
//! `cases/create.rs` the exclusive create, `cases/partial.rs` torn and dropped writes,
//! `cases/list.rs` lists, `cases/looks.rs` starts of objects and names, `cases/batches.rs` the `_many` methods, `cases/copies.rs` copies, `cases/clients.rs` a second and
//! an unreachable client.

mod cases;
mod content;
mod context;
pub mod database;
mod options;
mod outcome;
pub mod state;
mod suite;

pub use options::Options;
pub use outcome::{Outcome, Verdict};
pub use suite::{run, run_with};
