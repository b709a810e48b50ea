//! Open folders, so that each is opened once for many files.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::FolderError;
use crate::path::DocumentPath;
use crate::root::{Parent, Root};
use crate::sys::Dir;

/// So many stay open: a process may have some hundred files open.
const MOST: usize = 128;

/// Folders that were opened on the way to documents. It lives for one call: a folder that another
/// program moves away meanwhile is still the one that was opened.
#[derive(Debug)]
pub(crate) struct Folders<'a> {
    pub(crate) root: &'a Root,
    open: Mutex<HashMap<String, Arc<Dir>>>,
    /// Folders that were looked for and are not there.
    missing: Mutex<HashSet<String>>,
}

/// What was found where a folder may be.
#[derive(Debug)]
pub(crate) enum Found {
    Folder(Arc<Dir>),
    /// Nothing, and nothing is in the way on the path to it.
    Nothing,
    /// A file is in the way, or a folder whose name is spelled otherwise.
    Other,
}

impl<'a> Folders<'a> {
    pub(crate) fn new(root: &'a Root) -> Self {
        Self { root, open: Mutex::default(), missing: Mutex::default() }
    }

    /// The folder with this path, exactly so spelled; `None` if there is none.
    pub(crate) fn get(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Option<Arc<Dir>>, FolderError> {
        Ok(match self.find(operation, path)? {
            Found::Folder(folder) => Some(folder),
            Found::Nothing | Found::Other => None,
        })
    }

    /// What is found under this path. That there is nothing is remembered too.
    pub(crate) fn find(&self, operation: &'static str, path: &str) -> Result<Found, FolderError> {
        if let Some(folder) = self.lock().get(path) {
            return Ok(Found::Folder(folder.clone()));
        }
        if self.missing().contains(path) {
            return Ok(Found::Nothing);
        }
        Ok(match self.root.folder(operation, path)? {
            Parent::Found(folder) => Found::Folder(self.keep(path, folder)),
            Parent::Missing => {
                self.missing().insert(path.to_owned());
                Found::Nothing
            }
            Parent::File | Parent::OtherName => Found::Other,
        })
    }

    /// The folder that a document is to be in, made if need be. The paths of the folders that got a
    /// new entry are added to `touched`.
    pub(crate) fn make(
        &self,
        path: &DocumentPath,
        touched: &mut Vec<String>,
    ) -> Result<Arc<Dir>, FolderError> {
        if let Some(folder) = self.lock().get(path.parent()) {
            return Ok(folder.clone());
        }
        let folder = self.root.create_parent(path, touched)?;
        self.missing().clear();
        Ok(self.keep(path.parent(), folder))
    }

    /// Closes all: folders were moved or removed.
    pub(crate) fn forget(&self) {
        self.lock().clear();
        self.missing().clear();
    }

    fn keep(&self, path: &str, folder: Dir) -> Arc<Dir> {
        let folder = Arc::new(folder);
        let mut open = self.lock();
        if open.len() >= MOST {
            open.clear();
        }
        open.insert(path.to_owned(), folder.clone());
        folder
    }

    fn missing(&self) -> std::sync::MutexGuard<'_, HashSet<String>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<Dir>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
