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
    use db_to_cloud::{Adapter, Created, ErrorKind, Wait};
    use futures::FutureExt;

    use super::*;
    use crate::FsAdapter;
    use crate::tree::SCRATCH;

    #[tokio::test]
    async fn each_commit_is_told_once_also_one_between_two_calls() {
        let root = tempfile::tempdir().unwrap();
        let folder = root.path().join("storage");
        let (ours, theirs) = (FsAdapter::open(&folder).unwrap(), FsAdapter::open(&folder).unwrap());
        let commit = async |slot| {
            let created = theirs.create(&Key::change(slot), "entry".into()).await.unwrap();
            assert_eq!(created, Created::New);
        };
        let wait = async |seconds| ours.wait_for_change(Duration::from_secs(seconds)).await;
        assert_eq!(wait(60).await.unwrap(), Wait::Changed, "nothing is known at first");
        assert_eq!(wait(0).await.unwrap(), Wait::TimedOut);
        commit(1).await;
        commit(2).await;
        // A call that is dropped tells nothing; one that is very quick has answered.
        let told = match ours.wait_for_change(PAUSE).now_or_never() {
            None => wait(0).await,
            told => told.unwrap(),
        };
        assert_eq!(told.unwrap(), Wait::Changed);
        let (told, ()) = tokio::join!(wait(60), async {
            tokio::time::sleep(PAUSE / 2).await;
            commit(3).await;
        });
        assert_eq!(told.unwrap(), Wait::Changed);
        assert_eq!(wait(0).await.unwrap(), Wait::TimedOut);
        std::fs::remove_dir_all(&folder).unwrap();
        assert_eq!(wait(60).await.unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[test]
    fn the_newest_slot_is_found_from_any_that_was_known() {
        let root = tempfile::tempdir().unwrap();
        crate::open::open(root.path()).unwrap();
        let tree = Tree::open(root.path(), SCRATCH).unwrap();
        let commit = |slot| std::fs::write(root.path().join(Key::change(slot).as_str()), "");
        assert_eq!((newest(&tree, None).unwrap(), newest(&tree, Some(0)).unwrap()), (0, 0));
        (1..=12).for_each(|slot| commit(slot).unwrap());
        for known in [None, Some(0), Some(7), Some(12)] {
            assert_eq!(newest(&tree, known).unwrap(), 12, "{known:?}");
        }
        // A backup was restored that is older than what was known.
        assert_eq!(newest(&tree, Some(40)).unwrap(), 12);
        drop(tree);
        std::fs::remove_dir_all(root.path()).unwrap();
        std::fs::create_dir(root.path()).unwrap();
        let other = Tree::open(root.path(), SCRATCH).unwrap();
        assert_eq!(newest(&other, Some(12)).unwrap_err(), Failure::RootReplaced);
    }
}
