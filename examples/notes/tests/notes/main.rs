//! Stories of devices that share a folder: what people type, and what they see.

mod conflicts;
mod device;
mod editing;
mod remotes;
mod syncing;
mod terminal;
