//! A world of devices for tests that read as prose: a storage that fails on request, a clock that
//! the test owns, and devices that can be stopped at any step and started again.
//!
//! Nothing here waits: every operation is ready at once, so that a sync comes to its end in one go. A
//! device that is to stop at a step simply never gets past it, and its sync is dropped.

#![allow(clippy::panic, reason = "a harness of tests fails by panicking")]

mod chosen;
mod device;
mod faults;
pub mod fuzz;
mod head;
mod journal;
mod judge;
pub mod options;
mod peculiar;
pub mod simulator;
mod stepped;
mod steps;
mod time;
mod troubled;

pub use chosen::Chosen;
pub use device::{Backup, Device, Durable, settle};
pub use faults::{Fault, FaultyAdapter};
pub use journal::{Batch, Journal};
pub use judge::Judge;
pub use peculiar::{PeculiarDatabase, Rule};
pub use steps::Steps;
pub use time::TestTime;
pub use troubled::TroubledDatabase;

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Action, Adapter, Atomicity, format};

/// One storage, one time, any number of devices.
#[derive(Clone, Debug)]
pub struct World {
    /// The storage that all devices share.
    pub cloud: MemoryAdapter,
    /// The time that all devices share.
    pub time: TestTime,
}

impl World {
    /// A strong, empty storage.
    pub fn new() -> Self {
        Self { cloud: MemoryAdapter::new(), time: TestTime::new() }
    }

    /// An empty storage without atomic create.
    pub fn weak() -> Self {
        Self { cloud: MemoryAdapter::weak(), time: TestTime::new() }
    }

    /// A new device without documents.
    pub fn device(&self, name: &str) -> Device {
        Device::new(self, name)
    }

    /// Alice and Bob, who both hold these documents with the text `old`.
    pub fn alice_and_bob(&self, ids: &[&str]) -> (Device, Device) {
        let (alice, bob) = (self.device("alice"), self.device("bob"));
        ids.iter().for_each(|id| alice.edit(*id, "old"));
        alice.sync();
        bob.sync();
        (alice, bob)
    }

    /// Another world that is as this one is now, and goes its own way.
    pub fn fork(&self) -> Self {
        let weak = self.cloud.capabilities().create == Atomicity::Weak;
        let cloud = if weak { MemoryAdapter::weak() } else { MemoryAdapter::new() };
        let fork = Self { cloud, time: self.time.fork() };
        fork.restore(&self.backup());
        fork
    }

    /// The number of commits in the storage.
    pub fn commits(&self) -> u64 {
        self.cloud.objects().keys().filter_map(db_to_cloud::Key::slot).max().unwrap_or(0)
    }

    /// A commit as it is stored.
    pub fn entry(&self, n: u64) -> format::Entry {
        let objects = self.cloud.objects();
        let bytes = objects.get(&db_to_cloud::Key::change(n)).expect("the commit is there");
        serde_json_entry(bytes)
    }

    /// The ids and actions of a commit, in the order of the commit.
    pub fn changes(&self, n: u64) -> Vec<(String, Action)> {
        self.entry(n).changes.iter().map(|c| (c.id.to_string(), c.action)).collect()
    }

    /// Objects in one folder of the storage.
    pub fn keys(&self, folder: &str) -> Vec<String> {
        let prefix = format!("{folder}/");
        let keys = self.cloud.objects();
        keys.keys().map(|k| k.to_string()).filter(|k| k.starts_with(&prefix)).collect()
    }

    /// A copy of the storage, to go back to.
    pub fn backup(&self) -> Vec<(db_to_cloud::Key, bytes::Bytes)> {
        self.cloud.objects().iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    }

    /// The storage goes back to a copy.
    pub fn restore(&self, backup: &[(db_to_cloud::Key, bytes::Bytes)]) {
        *self.cloud.objects() = backup.iter().cloned().collect();
    }
}

impl Default for World {
    fn default() -> Self {
        Self::new()
    }
}

fn serde_json_entry(bytes: &[u8]) -> format::Entry {
    serde_json::from_slice(bytes).expect("the commit is an entry")
}
