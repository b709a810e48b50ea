//! A limbo on each file system: a file cannot be renamed from one to another.
//!
//! That of the folder itself is `.db-to-cloud/tmp`; what is mounted inside has a `.db-to-cloud` of its own, made when
//! it is first needed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::FolderError;
use crate::folders::{Folders, Found};
use crate::limbo::Limbo;
use crate::path::{STATE_DIR, parent};
use crate::root::Root;
use crate::state_folder;
use crate::sys::Dir;

/// The limbos by the folders that their file systems are mounted on; the empty path is the folder itself.
#[derive(Debug)]
pub(crate) struct Limbos {
    root: Arc<Limbo>,
    inside: Mutex<BTreeMap<String, Arc<Limbo>>>,
}

impl Limbos {
    pub(crate) fn new(root: Limbo) -> Self {
        Self { root: Arc::new(root), inside: Mutex::default() }
    }

    /// That of the folder itself.
    pub(crate) fn root(&self) -> &Arc<Limbo> {
        &self.root
    }

    /// The limbo from which a file can be renamed to this path, whose folder need not exist.
    pub(crate) fn of(&self, folders: &Folders<'_>, path: &str) -> Result<Arc<Limbo>, FolderError> {
        match mount_of(folders, path)? {
            None => Ok(self.root.clone()),
            Some(mount) => self.on(folders.root, &mount),
        }
    }

    /// The limbo of what is mounted on this folder, the same one until it is [closed](Self::close).
    fn on(&self, root: &Root, mount: &str) -> Result<Arc<Limbo>, FolderError> {
        let mut inside = self.inside.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(limbo) = inside.get(mount) {
            return Ok(limbo.clone());
        }
        let limbo = Arc::new(Self::open(root, mount)?);
        inside.insert(mount.to_owned(), limbo.clone());
        Ok(limbo)
    }

    /// Opens the limbo of what is mounted on this folder, for one use.
    pub(crate) fn open(root: &Root, mount: &str) -> Result<Limbo, FolderError> {
        let path = root.full(mount);
        let failed = || FolderError::io("open folder", path.join(STATE_DIR));
        let folder = root.open_listed(mount).map_err(failed())?;
        let state = state_folder::open(&folder, &path)?;
        root.found_folding(&state).map_err(failed())?;
        Limbo::open(&state).map_err(failed())
    }

    /// All that are there: what earlier syncs left in them is to be looked at.
    pub(crate) fn all(&self, root: &Root, mounts: &BTreeSet<String>) -> Vec<Arc<Limbo>> {
        let has_limbo = |mount: &&String| {
            let state = root.open_listed(mount).and_then(|folder| folder.open_folder(STATE_DIR));
            state.and_then(|state| state.open_folder("tmp")).is_ok()
        };
        let inside = mounts.iter().filter(has_limbo);
        let inside = inside.filter_map(|mount| Self::open(root, mount).ok().map(Arc::new));
        [self.root.clone()].into_iter().chain(inside).collect()
    }

    /// Closes those inside: an open one would keep its drive from being unmounted.
    pub(crate) fn close(&self) {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner).clear();
    }
}

/// The folder on which the file system is mounted that this path is on; `None` if that is the folder's own.
fn mount_of(folders: &Folders<'_>, path: &str) -> Result<Option<String>, FolderError> {
    let mut at = path;
    let mut below: Option<(&str, Arc<Dir>)> = None;
    loop {
        if at.is_empty() {
            return Ok(None);
        }
        at = parent(at);
        let Found::Folder(folder) = folders.find("write", at)? else { continue };
        let place = |folder: &Dir| {
            folder.place().map_err(FolderError::io("look at", folders.root.full(at)))
        };
        if let Some((path, inner)) = &below
            && place(inner)? != place(&folder)?
        {
            return Ok(Some((*path).to_owned()));
        }
        if place(&folder)? == folders.root.place() {
            return Ok(None);
        }
        below = Some((at, folder));
    }
}
