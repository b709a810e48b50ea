//! db-to-cloud through Google Drive.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use db_to_cloud::Adapter;
//! use db_to_cloud_google_drive::GoogleDriveConfig;
//! use db_to_cloud_oauth::TokenProvider;
//!
//! # fn example(tokens: Arc<dyn TokenProvider>) -> Result<(), db_to_cloud::Error> {
//! // A folder that the user sees; the sign-in asks for `Space::Visible.scope()`.
//! let storage: Arc<dyn Adapter> = Arc::new(GoogleDriveConfig::visible("Apps/notes", tokens).build()?);
//! # Ok(()) }
//! ```
//!
//! # What is stored how
//! Names are not unique in Drive and are found late; ids are unique. So everything is reached by ids, from
//! one file on: `db-to-cloud.json`, the *genesis*, which holds the reserved ids of the folders, of `meta.json`,
//! of the first lock and of the first 64 slots of the log. Slot n carries the id of slot n + 64 and the
//! ids of the documents that its entry names; `meta.json` carries those of the newest snapshot and of the
//! slots after it. Names are for people, and for looking for an object whose id was not told.
//!
//! Which file does what: `config.rs` how a storage is named, `client.rs` one request, `drive.rs`,
//! `upload.rs` and `batch.rs` the methods of Drive, `ids.rs` reserved ids, `genesis.rs` how a storage is
//! found and made, `storage.rs` what is known of it, `memory.rs` what of that survives a restart,
//! `envelope.rs` how an object tells of others, `slots.rs` the log, `lock.rs` the lock, `fixed.rs`
//! `meta.json`, `objects.rs`, `copies.rs` and `names.rs` all else, `look.rs` what lies around, `flat.rs` files
//! of another program, `wait.rs` waiting, `error.rs` what went wrong,
//! `adapter.rs` the trait.
//!
//! What is guaranteed, and what Google does not promise, is in the `README.md`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod adapter;
mod batch;
mod client;
mod config;
mod copies;
mod drive;
mod envelope;
mod error;
mod fixed;
mod flat;
mod genesis;
mod ids;
mod lock;
mod look;
mod memory;
mod names;
mod objects;
mod slots;
mod storage;
mod upload;
mod wait;

pub use adapter::GoogleDriveAdapter;
pub use config::{GoogleDriveConfig, Space};
pub use flat::FlatFiles;
