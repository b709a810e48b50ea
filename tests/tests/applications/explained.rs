//! Why a device cannot be as the storage is.

use std::collections::{BTreeMap, HashSet};

use crate::application::{Application, Tree};

/// Ids at which a device differs from the storage though it could be the same.
pub(crate) fn unexplained<A: Application>(app: &A, storage: &Tree, device: &Tree) -> Vec<String> {
    let different: BTreeMap<&String, Option<&String>> = storage
        .keys()
        .chain(device.keys())
        .filter(|id| storage.get(*id) != device.get(*id))
        .map(|id| (id, storage.get(id)))
        .collect();
    let mut explained: HashSet<&String> = HashSet::new();
    loop {
        let found: Vec<&String> = different
            .iter()
            .filter(|(id, _)| !explained.contains(**id))
            .filter(|(id, wanted)| match wanted {
                Some(text) => is_impossible(app, storage, device, &explained, (id, text)),
                None => {
                    is_needed(app, device, id) || is_moved(app, storage, device, &explained, id)
                }
            })
            .map(|(id, _)| *id)
            .collect();
        if found.is_empty() {
            break;
        }
        explained.extend(found);
    }
    different.into_keys().filter(|id| !explained.contains(id)).cloned().collect()
}

/// Whether the storage itself holds what cannot be together with this document, or a document that
/// is in its place here cannot go.
fn is_impossible<A: Application>(
    app: &A,
    storage: &Tree,
    device: &Tree,
    explained: &HashSet<&String>,
    (id, text): (&String, &String),
) -> bool {
    let document = (id.as_str(), text.as_str());
    let in_storage = storage.iter().any(|(o, t)| o != id && app.clash(document, (o, t)));
    let stays = |o: &String| explained.contains(o);
    let here = device.iter().any(|(o, t)| o != id && stays(o) && app.clash(document, (o, t)));
    let parent = app.parent(id, text);
    in_storage
        || here
        || parent.is_some_and(|p| !storage.contains_key(&p) || explained.contains(&p))
}

/// Whether a document that is deleted in the storage cannot go here.
fn is_needed<A: Application>(app: &A, device: &Tree, id: &str) -> bool {
    device.iter().any(|(child, text)| app.needs((child, text), id))
}

/// Whether a document that is deleted in the storage is there under another name, with which it
/// cannot be here, or its room is for one that cannot be here: then it stays as it was.
fn is_moved<A: Application>(
    app: &A,
    storage: &Tree,
    device: &Tree,
    explained: &HashSet<&String>,
    id: &String,
) -> bool {
    let Some(text) = device.get(id) else { return false };
    let is_missing = |other: &&String| storage.contains_key(*other) && !device.contains_key(*other);
    explained.iter().copied().filter(is_missing).any(|other| {
        let there = &storage[other];
        there == text || app.clash((id, text), (other, there))
    })
}
