//! db-to-cloud through a folder of the user's Dropbox.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use db_to_cloud::Adapter;
//! use db_to_cloud_dropbox::DropboxConfig;
//! use db_to_cloud_oauth::{AccessToken, StaticToken};
//!
//! # fn main() -> Result<(), db_to_cloud::Error> {
//! // For a script; `db-to-cloud-oauth` has a provider that signs in and renews.
//! let tokens = Arc::new(StaticToken(AccessToken::new("sl.…")));
//! let storage = DropboxConfig::new("/notes", tokens).build()?;
//! let storage: Arc<dyn Adapter> = Arc::new(storage);
//! # Ok(()) }
//! ```
//!
//! # What is stored how
//! Each object is a file: `/notes/changes/17.json` and so on. Names of the core are in lower case, so
//! it does not matter that Dropbox ignores the case of paths.
//!
//! Which file does what: `config.rs` which folder, `call.rs` a request, `client.rs` how it is sent,
//! `files.rs` single files, `look.rs` the start of a file and what lies around, `batch.rs` and `append.rs` many in few requests, `sessions.rs` files too large for one request, `deletes.rs` many
//! deletes, `copies.rs` copies, `job.rs` what Dropbox does after it has answered, `watch.rs` waiting for a change, `hash.rs` the checksum of a file, `tags.rs` and
//! `refusal.rs` what Dropbox says and what it means, `error.rs` what went wrong, `adapter.rs` the
//! trait.
//!
//! What is guaranteed, and what of it was measured, is in the `README.md`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod adapter;
mod append;
mod batch;
mod call;
mod client;
mod config;
mod copies;
mod deletes;
mod error;
mod files;
mod hash;
mod job;
mod look;
mod refusal;
mod sessions;
mod tags;
mod watch;

pub use adapter::DropboxAdapter;
pub use config::DropboxConfig;
