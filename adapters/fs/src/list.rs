//! Lists of a folder, in pages.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::vec::IntoIter;

use db_to_cloud::{Folder, Key, Page};

use crate::error::Failure;
use crate::seen::Kind;
use crate::tree::{Tree, is_file};

/// Keys on one page.
const PAGE: usize = 1000;

/// Lists under way that are kept at most; one that nobody goes on with is dropped in time.
const LISTINGS: usize = 8;

/// Names that are legal keys but never ours: desktops and other sync programs leave them in every
/// folder. Their conflicted copies have spaces or capitals and are no legal keys at all.
fn is_foreign(name: &str) -> bool {
    matches!(name, "desktop.ini" | "thumbs.db") || name.ends_with(".tmp")
}

/// What is left of each list under way, by its last key so far. Without it each page would read the
/// whole folder again; a page whose list is not here does.
#[derive(Debug, Default)]
pub(crate) struct Listings(Mutex<HashMap<String, IntoIter<Key>>>);

impl Listings {
    /// The page after the key `after`.
    pub(crate) fn page(
        &self,
        tree: &Tree,
        folder: Folder,
        after: Option<&str>,
    ) -> Result<Page, Failure> {
        let kept = after.and_then(|after| self.lock().remove(after));
        let mut rest = match kept {
            Some(rest) => rest,
            None => read_sorted(tree, folder, after)?,
        };
        let keys: Vec<_> = rest.by_ref().take(PAGE).collect();
        let next = keys.last().filter(|_| rest.len() > 0).map(Key::to_string);
        if let Some(next) = &next {
            let mut listings = self.lock();
            if listings.len() >= LISTINGS {
                listings.clear();
            }
            listings.insert(next.clone(), rest);
        }
        Ok(Page { keys, next })
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, IntoIter<Key>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read_sorted(tree: &Tree, folder: Folder, after: Option<&str>) -> Result<IntoIter<Key>, Failure> {
    let mut keys = read(tree, folder)?;
    keys.sort_unstable();
    // Some file systems show a file twice that is renamed while they are read.
    keys.dedup();
    keys.retain(|key| after.is_none_or(|after| key.as_str() > after));
    Ok(keys.into_iter())
}

/// All keys of a folder, in no order.
pub(crate) fn read(tree: &Tree, folder: Folder) -> Result<Vec<Key>, Failure> {
    let Some(handle) = tree.folder(folder.name())? else { return Ok(Vec::new()) };
    let entries = handle.entries().map_err(Failure::io("list the folder"))?;
    let mut keys = Vec::new();
    for entry in entries {
        let entry = entry.map_err(Failure::io("list the folder"))?;
        let Some(name) = entry.name.to_str() else { continue };
        let Ok(key) = folder.key(name) else { continue };
        let is_file = match entry.kind {
            Some(kind) => kind == Kind::File,
            // This file system does not say: look.
            None => is_file(&handle, name).unwrap_or(false),
        };
        if is_file && !is_foreign(name) {
            keys.push(key);
        }
    }
    Ok(keys)
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;
    use crate::tree::SCRATCH;

    #[test]
    fn a_list_goes_on_where_another_process_left_it() {
        let root = tempfile::tempdir().unwrap();
        crate::open::open(root.path()).unwrap();
        for n in 1..=2500 {
            std::fs::write(root.path().join(Key::change(n).as_str()), "").unwrap();
        }
        let tree = Tree::open(root.path(), SCRATCH).unwrap();
        let (mut page, mut seen) = (None::<String>, HashSet::new());
        loop {
            // Each page comes from lists that know nothing of the one before.
            let listings = Listings::default();
            let answer = listings.page(&tree, Folder::Changes, page.as_deref()).unwrap();
            assert!(answer.keys.len() <= PAGE);
            seen.extend(answer.keys.iter().cloned());
            page = answer.next;
            if page.is_none() {
                break;
            }
        }
        assert_eq!(seen.len(), 2500);
    }

    #[test]
    fn abandoned_lists_do_not_pile_up() {
        let root = tempfile::tempdir().unwrap();
        crate::open::open(root.path()).unwrap();
        let listings = Listings::default();
        for n in 1..=PAGE + LISTINGS * 2 {
            std::fs::write(root.path().join(format!("docs/{n:05}")), "").unwrap();
        }
        let tree = Tree::open(root.path(), SCRATCH).unwrap();
        for n in 1..LISTINGS * 2 {
            let after = format!("docs/{n:05}");
            listings.page(&tree, Folder::Documents, Some(&after)).unwrap();
            assert!(listings.lock().len() <= LISTINGS);
        }
    }
}
