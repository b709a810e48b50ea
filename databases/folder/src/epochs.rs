//! A number for what stands in a document's way.

use db_to_cloud::DocumentId;
use sha2::{Digest, Sha256};

use crate::guarded::is_guarded;
use crate::path::DocumentPath;
use crate::root::{Root, prefixes};
use crate::shared::Shared;
use crate::stamp::Look;
use crate::sys::{Dir, Facts};

/// Folders that are looked into below a folder in the way.
const MOST: usize = 1000;

/// The number of a place where nothing stands.
const FREE: u64 = 0;

/// A number that changes when another thing stands where this document must go, or nothing does:
/// kind, device, inode and time of the first thing on its path that is no folder, or whose name is
/// spelled otherwise. For a folder in the way the times of those below count too, since they change
/// when a file in it is moved away. It changes too when a guarded name is opened.
pub(crate) fn epoch(shared: &Shared, id: &DocumentId) -> u64 {
    let is_open = id.as_str().is_some_and(is_guarded) && shared.records.get().guard_is_open;
    number_of_place(&shared.root, id).wrapping_add(u64::from(is_open))
}

fn number_of_place(root: &Root, id: &DocumentId) -> u64 {
    let Ok(path) = DocumentPath::parse(id) else { return FREE };
    let Ok(mut folder) = root.reopen("look") else { return FREE };
    for (prefix, name) in prefixes(path.as_str()) {
        let Ok(facts) = folder.facts(name) else { return FREE };
        let is_folder = facts.look == Look::Folder;
        let is_way = is_folder && prefix.len() < path.as_str().len();
        let next = if is_folder { folder.open_folder(name).ok() } else { None };
        match next {
            Some(next) if is_way && root.is_exact(&folder, name).unwrap_or(false) => folder = next,
            next => return number(&facts, prefix, next.as_ref()),
        }
    }
    FREE
}

fn number(facts: &Facts, prefix: &str, folder: Option<&Dir>) -> u64 {
    let mut left = MOST;
    let below = folder.map_or(0, |folder| below(folder, &mut left));
    // Zero stands for a free place.
    hash(facts, prefix).wrapping_add(below).max(1)
}

/// The sum does not depend on the order in which a folder is read.
fn below(folder: &Dir, left: &mut usize) -> u64 {
    let Ok(entries) = folder.entries() else { return 0 };
    let mut sum: u64 = 0;
    for entry in entries.flatten() {
        if !entry.may_be_folder() || *left == 0 {
            continue;
        }
        let Ok(inner) = folder.open_folder(entry.name()) else { continue };
        let Ok(facts) = inner.own_facts() else { continue };
        *left -= 1;
        let name = entry.name().to_string_lossy();
        sum = sum.wrapping_add(hash(&facts, &name)).wrapping_add(below(&inner, left));
    }
    sum
}

fn hash(facts: &Facts, name: &str) -> u64 {
    let mut hasher = Sha256::new();
    let time = facts.mtime.cast_unsigned();
    for number in [facts.kind, facts.device, facts.inode, time] {
        hasher.update(number.to_le_bytes());
    }
    hasher.update(name.as_bytes());
    let mut bytes = [0; 8];
    bytes.copy_from_slice(&hasher.finalize()[..8]);
    u64::from_le_bytes(bytes)
}
