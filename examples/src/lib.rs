//! The examples are beside this file's folder. Here is what those about a storage share.
#![allow(clippy::print_stdout, reason = "an example talks")]

#[doc = include_str!("../../README.md")]
#[cfg(doctest)]
mod readme {}

mod devices;

pub use devices::two_devices_sync;
