//! db-to-cloud through a WebDAV server: Nextcloud, ownCloud, Apache, nginx, lighttpd and the like.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use db_to_cloud::Adapter;
//! use db_to_cloud_webdav::{Credentials, WebDavConfig};
//!
//! # fn main() -> Result<(), db_to_cloud::Error> {
//! let storage = WebDavConfig::new("https://cloud.example/remote.php/dav/files/ada/notes")
//!     .with_credentials(Credentials::password("ada", "an app password"))
//!     .build()?;
//! let storage: Arc<dyn Adapter> = Arc::new(storage);
//! # Ok(()) }
//! ```
//!
//! # What is stored how
//! Document versions, snapshots and `meta.json` are files. Log slots, the lock and the objects of the
//! probe are *slots*: collections with one file, `entry.json`, because no single request of WebDAV
//! writes a file only if there is none, on all servers (`shared/facts` of the project: eleven were
//! measured), and several requests on a collection do. How a server makes a slot is its [`Slots`];
//! it is found by racing and kept in the storage as the name of an empty collection, such as
//! `slots-move`, so that all devices use the same.
//!
//! Which file does what: `config.rs` and `url.rs` how a storage is named, `credentials.rs` and
//! `sign_in.rs` who we are, `client.rs` one request, `dav.rs` the methods of WebDAV,
//! `multistatus.rs` lists, `folders.rs` collections that are made on demand, `slots.rs` and `slots/`
//! the ways to make a slot, `choose.rs` which is used, `names.rs` what lies around, `error.rs` what went wrong, `adapter.rs` the
//! trait.
//!
//! What is guaranteed on which server is in the `README.md`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod adapter;
mod choose;
mod client;
mod config;
mod credentials;
mod dav;
mod error;
mod folders;
mod multistatus;
mod names;
mod sign_in;
mod slots;
mod url;

pub use adapter::WebDavAdapter;
pub use config::WebDavConfig;
pub use credentials::Credentials;
pub use slots::Slots;
