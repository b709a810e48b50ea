//! db-to-cloud through a bucket of S3: AWS, MinIO, Cloudflare R2, LocalStack and the compatible ones.
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use db_to_cloud::Adapter;
//! use db_to_cloud_s3::{Credentials, S3Config};
//!
//! # fn main() -> Result<(), db_to_cloud::Error> {
//! let storage = S3Config::minio("http://127.0.0.1:9000", "notes")
//!     .with_prefix("ada")
//!     .with_credentials(Credentials::explicit("key id", "secret"))
//!     .build()?;
//! let storage: Arc<dyn Adapter> = Arc::new(storage);
//! # Ok(()) }
//! ```
//!
//! Each object of the storage is an object of the bucket, below the prefix. A commit is a PUT with
//! `If-None-Match: *`; whatever answer is unclear is an error whose effect is unknown, and the core
//! reads back. The SDK never repeats a request: a second attempt that meets the object of the first
//! would look like a lost race.
//!
//! Which file does what: `config.rs` and `url.rs` how a storage is named, `credentials.rs` and
//! `profile.rs` who we are, `client.rs`, `look.rs`, `copy.rs` and `multipart.rs` the requests, `portal.rs` answers that are
//! not S3's, `error.rs` what went wrong, `adapter.rs` the trait.
//!
//! What is guaranteed on which service is in the `README.md`.

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}

mod adapter;
mod bucket;
mod client;
mod config;
mod copy;
mod credentials;
mod error;
mod look;
mod multipart;
mod portal;
#[cfg(feature = "profile")]
mod profile;
mod url;

pub use adapter::S3Adapter;
pub use config::{Addressing, Checksums, S3Config, Service};
pub use credentials::Credentials;
