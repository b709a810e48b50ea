//! Waiting for another commit: a look at the next slot of the log, each second.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use db_to_cloud::{Folder, Key};

use crate::error::Failure;
use crate::list;
use crate::tree::{Tree, is_file};

/// Between two looks.
pub(crate) const PAUSE: Duration = Duration::from_secs(1);

/// The newest slot that the caller was told of; none before the first look.
#[derive(Debug, Default)]
pub(crate) struct Told(Mutex<Option<u64>>);

impl Told {
    pub(crate) fn get(&self) -> Option<u64> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn set(&self, newest: u64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(newest);
    }
}

/// The number of the newest slot, 0 if there is none. Slots are never freed and have no gaps: from one
/// that is known the next is one look away. If it is gone, as after a backup, the folder is listed.
pub(crate) fn newest(tree: &Tree, known: Option<u64>) -> Result<u64, Failure> {
    let Some(folder) = tree.folder(Folder::Changes.name())? else { return Ok(0) };
    let is_there = |slot| match Key::change(slot).split() {
        Some((_, name)) => is_file(&folder, name),
        None => Ok(false),
    };
    let mut newest = match known {
        Some(slot) if slot == 0 || is_there(slot)? => slot,
        _ => {
            let keys = list::read(tree, Folder::Changes)?;
            keys.iter().filter_map(Key::slot).max().unwrap_or(0)
        }
    };
    while is_there(newest + 1)? {
        newest += 1;
    }
    Ok(newest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_slot_is_found_from_any_that_was_known() {
        let root = tempfile::tempdir().unwrap();
        crate::open::open(root.path()).unwrap();
        let tree = Tree::open(root.path()).unwrap();
        let commit = |slot| std::fs::write(root.path().join(Key::change(slot).as_str()), "");
        assert_eq!((newest(&tree, None).unwrap(), newest(&tree, Some(0)).unwrap()), (0, 0));
        (1..=12).for_each(|slot| commit(slot).unwrap());
        for known in [None, Some(0), Some(7), Some(12)] {
            assert_eq!(newest(&tree, known).unwrap(), 12, "{known:?}");
        }
        // A backup was restored that is older than what was known.
        assert_eq!(newest(&tree, Some(40)).unwrap(), 12);
        std::fs::remove_dir_all(root.path()).unwrap();
        std::fs::create_dir(root.path()).unwrap();
        let other = Tree::open(root.path()).unwrap();
        assert_eq!(newest(&other, Some(12)).unwrap_err(), Failure::RootReplaced);
    }
}
