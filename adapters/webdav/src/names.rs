//! What the members of a collection are to somebody who does not know how slots are stored.

use db_to_cloud::{Folder, Key};

use crate::dav::Member;
use crate::slots::{Slots, is_temporary};

/// The name of a member of the storage or of one of its folders; `None` for a collection that this adapter
/// made for its own use.
pub(crate) fn name(folder: Option<Folder>, member: &Member) -> Option<String> {
    let name = &member.name;
    if !member.is_collection {
        return Some(name.clone());
    }
    let is_marker = folder.is_none() && Slots::of_marker(name).is_some();
    if is_marker || is_temporary(name) {
        return None;
    }
    let slash = if is_slot(folder, name) { "" } else { "/" };
    Some(format!("{name}{slash}"))
}

/// Whether a collection of this name is a slot; else somebody else made it, or it is one of our folders.
fn is_slot(folder: Option<Folder>, name: &str) -> bool {
    match folder {
        // Objects at the top are JSON files.
        None => name.ends_with(".json") && Key::parse(name).is_ok(),
        Some(Folder::Changes) => Folder::Changes.key(name).is_ok_and(|key| key.slot().is_some()),
        Some(Folder::Probe) => Folder::Probe.key(name).is_ok(),
        Some(Folder::Documents | Folder::Snapshots) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(folder: Option<Folder>, name: &str) -> Option<String> {
        self::name(folder, &Member { name: name.to_owned(), is_collection: true, age: None })
    }

    #[test]
    fn a_slot_has_the_name_of_its_object() {
        let name = |folder, name| named(folder, name).unwrap();
        assert_eq!(name(None, "lock.json"), "lock.json");
        assert_eq!(name(None, "changes"), "changes/");
        assert_eq!(name(None, "My Photos"), "My Photos/");
        assert_eq!(name(None, "My Photos.json"), "My Photos.json/");
        assert_eq!(name(Some(Folder::Changes), "17.json"), "17.json");
        assert_eq!(name(Some(Folder::Changes), "2026"), "2026/");
        assert_eq!(name(Some(Folder::Documents), "17.json"), "17.json/");
        assert_eq!(name(Some(Folder::Probe), "a"), "a");
    }

    #[test]
    fn the_own_collections_are_left_out_and_what_looks_like_them_is_not() {
        let temporary = format!("tmp-{}", "0a".repeat(16));
        assert_eq!(named(None, &temporary), None);
        assert_eq!(named(Some(Folder::Changes), &temporary), None);
        assert_eq!(named(None, "slots-move"), None);
        assert_eq!(named(None, "tmp-backup").unwrap(), "tmp-backup/");
        assert_eq!(named(Some(Folder::Changes), "slots-move").unwrap(), "slots-move/");
        let file = Member { name: temporary.clone(), is_collection: false, age: None };
        assert_eq!(name(None, &file), Some(temporary));
    }
}
