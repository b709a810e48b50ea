//! The real binary on real folders.

mod brakes;
mod conflicts;
mod interrupted;
mod kill;
mod output;
mod remotes;
mod syncing;
mod terminal;
mod usage;
mod world;
