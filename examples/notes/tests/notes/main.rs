//! Stories of devices that share a folder: what people type, and what they see.
#![allow(clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod conflicts;
mod device;
mod editing;
mod remotes;
mod syncing;
mod terminal;
