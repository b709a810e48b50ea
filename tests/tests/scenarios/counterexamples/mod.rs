//! What goes wrong without each rule of the protocol: the counterexamples that the model found, one
//! story for each row of the table in `protocol.md`, and a story for each other rule that
//! `db_to_cloud::planted` can switch off. Each is named after its rule.
//!
//! Here the rules hold and the stories end well. `tests/planted` is built from this very module: it
//! tells each story again without its rule, and the story must fail. (Hence a `mod.rs`: the module
//! has two parents.) The last row of the table, the protocol of db-to-cloud 0.8, is in the model only.

pub(crate) mod attempt;
pub(crate) mod commit;
pub(crate) mod edits;
pub(crate) mod log;
pub(crate) mod storage;

use std::time::Duration;

use db_to_cloud_tests::{Device, World};

pub(crate) const DAY: Duration = Duration::from_secs(24 * 3600);
pub(crate) const HOUR: Duration = Duration::from_secs(3600);

/// More than fits into an entry.
pub(crate) fn large(text: &str) -> String {
    format!("{text} {}", "x".repeat(5000))
}

/// So many days pass, and these devices sync on each of them.
pub(crate) fn days(world: &World, count: u32, devices: &[&Device]) {
    for _ in 0..count {
        world.time.pass(DAY);
        devices.iter().for_each(|device| drop(device.sync()));
    }
}

/// After a sync of each, all devices and a new one have the same documents.
#[track_caller]
fn assert_alike(world: &World, devices: &[&Device]) {
    for _ in 0..2 {
        devices.iter().for_each(|device| drop(device.sync()));
    }
    let fresh = world.device("fresh");
    fresh.sync();
    for device in devices {
        assert_eq!(device.all(), fresh.all(), "{} and a new device", device.name);
    }
}
