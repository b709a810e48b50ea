//! Open folders, so that each is opened once for many files.

use std::collections::HashMap;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::FolderError;
use crate::path::DocumentPath;
use crate::root::{Parent, Root};

/// So many stay open: a process may have some hundred files open.
const MOST: usize = 128;

/// Folders that were opened on the way to documents. It lives for one call: a folder that another
/// program moves away meanwhile is still the one that was opened.
#[derive(Debug)]
pub(crate) struct Folders<'a> {
    pub(crate) root: &'a Root,
    open: Mutex<HashMap<String, Arc<OwnedFd>>>,
}

impl<'a> Folders<'a> {
    pub(crate) fn new(root: &'a Root) -> Self {
        Self { root, open: Mutex::default() }
    }

    /// The folder with this path, exactly so spelled; `None` if there is none.
    pub(crate) fn get(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Option<Arc<OwnedFd>>, FolderError> {
        if let Some(folder) = self.lock().get(path) {
            return Ok(Some(folder.clone()));
        }
        match self.root.folder(operation, path)? {
            Parent::Found(folder) => Ok(Some(self.keep(path, folder))),
            Parent::Missing | Parent::File | Parent::OtherName => Ok(None),
        }
    }

    /// The folder that a document is to be in, made if need be. The paths of the folders that got a
    /// new entry are added to `touched`.
    pub(crate) fn make(
        &self,
        path: &DocumentPath,
        touched: &mut Vec<String>,
    ) -> Result<Arc<OwnedFd>, FolderError> {
        if let Some(folder) = self.lock().get(path.parent()) {
            return Ok(folder.clone());
        }
        let folder = self.root.create_parent(path, touched)?;
        Ok(self.keep(path.parent(), folder))
    }

    /// Closes all: folders were moved or removed.
    pub(crate) fn forget(&self) {
        self.lock().clear();
    }

    fn keep(&self, path: &str, folder: OwnedFd) -> Arc<OwnedFd> {
        let folder = Arc::new(folder);
        let mut open = self.lock();
        if open.len() >= MOST {
            open.clear();
        }
        open.insert(path.to_owned(), folder.clone());
        folder
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<OwnedFd>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
