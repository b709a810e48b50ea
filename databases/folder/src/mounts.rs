//! What is not there is not deleted (rule F1): documents on a file system that is mounted inside the
//! folder, and those in folders that could not be read.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::FolderError;
use crate::path::{is_below, parent};
use crate::record::Records;
use crate::root::{Parent, Root};

/// What a listing saw.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// The mounts, and whether there was a document on each.
    mounts: BTreeMap<Arc<str>, bool>,
    /// The folders that could not be read.
    unreadable: BTreeSet<String>,
}

/// What the last listing saw, and which mounts are gone for good.
#[derive(Debug, Default)]
struct Known {
    seen: Seen,
    forgotten: BTreeSet<String>,
}

impl Seen {
    /// A folder on which another file system is mounted.
    pub(crate) fn mount(&mut self, path: &Arc<str>) {
        self.mounts.entry(path.clone()).or_default();
    }

    /// A document on this mount.
    pub(crate) fn document(&mut self, mount: &Arc<str>) {
        if let Some(has_documents) = self.mounts.get_mut(mount) {
            *has_documents = true;
        }
    }

    /// A folder that could not be read.
    pub(crate) fn unreadable(&mut self, path: &str) {
        self.unreadable.insert(path.to_owned());
    }
}

/// The mounts inside the folder.
#[derive(Debug, Default)]
pub(crate) struct Mounts(Mutex<Known>);

impl Mounts {
    /// After a listing: mounts are remembered, also across restarts.
    pub(crate) fn saw(&self, records: &Records, seen: Seen) -> Result<(), FolderError> {
        let known = records.get().mounts;
        let new: Vec<_> = seen.mounts.keys().filter(|m| !known.contains(&***m)).collect();
        if !new.is_empty() {
            let new: Vec<String> = new.into_iter().map(|mount| mount.to_string()).collect();
            records.change(|record| record.mounts.extend(new))?;
        }
        self.lock().seen = seen;
        Ok(())
    }

    /// Takes the documents on this mount for deleted from now on. Whether it was one that was remembered.
    pub(crate) fn forget(&self, records: &Records, mount: &str) -> Result<bool, FolderError> {
        let mut was_known = false;
        records.change(|record| was_known = record.mounts.remove(mount))?;
        self.lock().forgotten.insert(mount.to_owned());
        Ok(was_known)
    }

    /// Whether it may be believed that there is no file with this path: an error if its drive is not there, or a
    /// folder above it could not be read.
    pub(crate) fn check(
        &self,
        root: &Root,
        records: &Records,
        operation: &'static str,
        path: &str,
    ) -> Result<(), FolderError> {
        let full = || root.full(path);
        let Known { seen, forgotten } = &*self.lock();
        if let Some(folder) = seen.unreadable.iter().find(|folder| is_below(path, folder)) {
            let folder = root.full(folder);
            return Err(FolderError::Unreadable { operation, path: full(), folder });
        }
        let mut mounts = records.mounts_above(path);
        mounts.retain(|mount| !forgotten.contains(mount));
        for (i, mount) in mounts.iter().enumerate() {
            let is_nearest = i + 1 == mounts.len();
            let is_empty = is_nearest && seen.mounts.get(&**mount) == Some(&false);
            let found = match is_mounted(root, operation, mount)? {
                false => "nothing is mounted",
                true if is_empty => "none of its documents is found",
                true => continue,
            };
            let mount = root.full(mount);
            return Err(FolderError::NotMounted { operation, path: full(), mount, found });
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether another file system is mounted on this folder.
fn is_mounted(root: &Root, operation: &'static str, path: &str) -> Result<bool, FolderError> {
    let Parent::Found(folder) = root.folder(operation, path)? else { return Ok(false) };
    let Parent::Found(above) = root.folder(operation, parent(path))? else { return Ok(false) };
    let failed = || FolderError::io(operation, root.full(path));
    Ok(folder.place().map_err(failed())? != above.place().map_err(failed())?)
}
