//! The adapter with real servers: LocalStack, MinIO, moto and rclone, started here on free ports.
//! `cargo xtask servers` installs them.
//!
//! `DB_TO_CLOUD_S3_URL=s3://bucket/prefix?region=…` and the usual AWS variables point the tests of a
//! strong storage at any other: `cargo test -p db-to-cloud-s3 --test servers endpoint`.

#![expect(clippy::unwrap_used, reason = "a test, helpers included")]

mod conformance;
mod copies;
mod endpoint;
mod errors;
mod faults;
mod large;
mod looks;
mod support;
mod sync;
mod weak;
