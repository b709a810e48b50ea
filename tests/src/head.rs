//! What the log in the storage says, read by the test itself and not by the code under test.

use std::collections::BTreeMap;

use bytes::Bytes;
use db_to_cloud::format::Change;
use db_to_cloud::{Action, ContentHash, DocumentId, Key};
use serde_json::Value;

use crate::World;

impl World {
    /// The fold of the whole log: the last change of each document, deletes among them.
    pub fn fold(&self) -> BTreeMap<DocumentId, Change> {
        let changes = (1..=self.commits()).flat_map(|n| self.entry(n).changes);
        changes.map(|change| (change.id.clone(), change)).collect()
    }

    /// The documents that the log says there are.
    pub fn live(&self) -> BTreeMap<DocumentId, Change> {
        self.fold().into_iter().filter(|(_, c)| c.action == Action::Put).collect()
    }

    /// The bytes of every document that the log names are in the storage, and are the right ones.
    #[track_caller]
    pub fn assert_whole(&self) {
        for (id, change) in self.live() {
            let key = Key::document(&id, change.vid);
            let bytes = self.cloud.objects().get(&key).cloned();
            let bytes = bytes.unwrap_or_else(|| panic!("{key} is named and is not there"));
            assert_eq!(ContentHash::of(&bytes), change.hash, "{key}");
        }
    }

    /// An object as JSON.
    #[track_caller]
    pub fn json(&self, key: &str) -> Value {
        let bytes = self.object(key).unwrap_or_else(|| panic!("{key} is not there"));
        serde_json::from_slice(&bytes).expect("it is JSON")
    }

    /// An object's bytes.
    pub fn object(&self, key: &str) -> Option<Bytes> {
        self.cloud.objects().get(&Key::parse(key).expect("a key")).cloned()
    }

    /// Somebody overwrites an object.
    pub fn overwrite(&self, key: &str, bytes: impl Into<Bytes>) {
        self.cloud.objects().insert(Key::parse(key).expect("a key"), bytes.into());
    }

    /// Somebody removes an object.
    pub fn remove(&self, key: &str) {
        self.cloud.objects().remove(&Key::parse(key).expect("a key"));
    }

    /// The heads of the snapshots, oldest first.
    pub fn snapshots(&self) -> Vec<String> {
        let mut heads: Vec<_> =
            self.keys("snapshot").into_iter().filter(|k| k.split('.').count() == 3).collect();
        heads.sort_by_key(|key| seq(key));
        heads
    }
}

/// The number of the entry that a snapshot's key names.
fn seq(key: &str) -> u64 {
    let digits = key.trim_start_matches("snapshot/").split('.').next();
    digits.and_then(|digits| digits.parse().ok()).expect("a snapshot's key")
}
