//! Checked when edits and faults have stopped and nothing moves any more.

use std::collections::BTreeMap;

use db_to_cloud::{Action, ContentHash, DocumentId, Key};

use crate::simulator::cloud::Cloud;
use crate::simulator::shared::{Shared, lock};
use crate::simulator::tokens::{self, Tokens};

/// The documents of one device, as text.
pub(in crate::simulator) type Documents = BTreeMap<DocumentId, String>;

/// Invariant 1: all devices, a fresh one among them, hold the same.
pub(in crate::simulator) fn all_devices_end_alike(shared: &Shared, all: &[(String, Documents)]) {
    let Some((first, expected)) = all.first() else { return };
    for (name, documents) in all.iter().filter(|(_, documents)| documents != expected) {
        let detail = format!("{first} has {expected:?}, {name} has {documents:?}");
        shared.violate("all devices end alike (1)", detail);
    }
}

/// Invariant 2: each edit is in the final document, unless it may go (see
/// [`super::super::oracle`]).
pub(in crate::simulator) fn no_edit_is_lost(shared: &Shared, end: &Documents) {
    let lost = lock(&shared.oracle).lost(&all_tokens(end));
    if !lost.is_empty() {
        shared.violate("no edit is lost (2)", format!("{lost:?}"));
    }
}

/// Invariant 3: nothing that was deleted is back without somebody's will.
pub(in crate::simulator) fn nothing_comes_back_to_life(shared: &Shared, end: &Documents) {
    let risen = lock(&shared.oracle).risen(&all_tokens(end));
    if !risen.is_empty() {
        shared.violate("nothing comes back to life (3)", format!("{risen:?}"));
    }
}

/// Invariant 8: the bytes of each document that the head names are in the storage.
pub(in crate::simulator) fn the_head_is_whole(shared: &Shared, cloud: &Cloud) {
    for change in cloud.head.values().filter(|change| change.action == Action::Put) {
        let key = Key::document(&change.id, change.vid);
        let bytes = cloud.objects.get(&key);
        if bytes.is_none_or(|bytes| ContentHash::of(bytes) != change.hash) {
            let detail = format!("{key} is named and is not there");
            shared.violate("cleaning up removes nothing needed (8)", detail);
        }
    }
}

fn all_tokens(documents: &Documents) -> Tokens {
    documents.values().flat_map(|text| tokens::of_text(text.as_bytes())).collect()
}
