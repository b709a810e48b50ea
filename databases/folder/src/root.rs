//! The folder as a handle, and the way from it to a document's folder, over no symbolic link.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::FolderError;
use crate::limbo::random;
use crate::path::DocumentPath;
use crate::stamp::{Look, Stamp};
use crate::sys::{self, Dir, Place};

/// The folder. All access goes through its handle: if its drive is unmounted and the empty mount
/// point appears under its path, no file is taken for deleted.
#[derive(Debug)]
pub(crate) struct Root {
    handle: Dir,
    path: PathBuf,
    /// Device and inode of the folder `.db-to-cloud`.
    state: (u64, u64),
    /// Whether one file may go by several names, as on a file system that ignores case.
    folds: AtomicBool,
    place: Place,
    /// Whether a whole path can be opened by one call, as far as is known.
    whole: AtomicBool,
}

/// What is found one step down.
enum Step {
    Folder(Dir),
    Missing,
    File,
    /// There is something, but its name is spelled otherwise.
    OtherName,
}

/// The folder of a document, or why there is none.
pub(crate) enum Parent {
    Found(Dir),
    Missing,
    /// A file is where a folder must be.
    File,
    /// A folder's name is spelled otherwise.
    OtherName,
}

impl Root {
    /// A root with an open state folder.
    pub(crate) fn new(path: PathBuf, handle: Dir, state: &Dir) -> io::Result<Self> {
        let (folds, whole) = (AtomicBool::new(folds(state)?), AtomicBool::new(true));
        let (state, place) = (state.own_facts()?.identity(), handle.place()?);
        Ok(Self { state, handle, path, folds, place, whole })
    }

    /// Whether one file may go by several names: somewhere in the folder, as far as is known.
    pub(crate) fn folds(&self) -> bool {
        self.folds.load(Ordering::Relaxed)
    }

    /// Finds out whether names are folded where this state folder is, which is one on another file system.
    pub(crate) fn found_folding(&self, state: &Dir) -> io::Result<()> {
        self.folds.fetch_or(folds(state)?, Ordering::Relaxed);
        Ok(())
    }

    /// The file system that the folder is on.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The canonical path of the folder.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The full path of a document, for messages.
    pub(crate) fn full(&self, path: &str) -> PathBuf {
        self.path.join(path)
    }

    /// Whether the folder's path still leads to this folder.
    pub(crate) fn check(&self) -> Result<(), FolderError> {
        match (sys::identity_at(&self.path), self.handle.own_facts()) {
            (Ok(now), Ok(opened)) if now == opened.identity() => Ok(()),
            _ => Err(FolderError::Replaced { path: self.path.clone() }),
        }
    }

    /// The folder that a document is in.
    pub(crate) fn parent(
        &self,
        operation: &'static str,
        path: &DocumentPath,
    ) -> Result<Parent, FolderError> {
        self.folder(operation, path.parent())
    }

    /// The folder with this path; the empty text is the root itself.
    pub(crate) fn folder(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Parent, FolderError> {
        match self.whole(path, Dir::open_folder_below) {
            Some(Ok(folder)) => return Ok(Parent::Found(folder)),
            Some(Err(error)) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Parent::Missing);
            }
            // Step by step it turns out what is in the way.
            _ => {}
        }
        let mut folder = self.reopen(operation)?;
        for (prefix, name) in prefixes(path) {
            folder = match self.step(operation, &folder, prefix, name)? {
                Step::Folder(next) => next,
                Step::Missing => return Ok(Parent::Missing),
                Step::File => return Ok(Parent::File),
                Step::OtherName => return Ok(Parent::OtherName),
            }
        }
        Ok(Parent::Found(folder))
    }

    /// Opens a file below by one call, over no link; `None` if it takes one call a step.
    pub(crate) fn open_file_whole(&self, path: &str) -> Option<io::Result<File>> {
        self.whole(path, Dir::open_file_below)
    }

    /// Opens something below by one call; `None` if it takes one call a step: on other systems, and
    /// where names are folded, as each step must be spelled exactly.
    fn whole<T>(
        &self,
        path: &str,
        open: impl FnOnce(&Dir, &str) -> Option<io::Result<T>>,
    ) -> Option<io::Result<T>> {
        if self.folds() || path.is_empty() || !self.whole.load(Ordering::Relaxed) {
            return None;
        }
        let opened = open(&self.handle, path);
        if opened.is_none() {
            self.whole.store(false, Ordering::Relaxed);
        }
        opened
    }

    /// A folder that a listing found, whose name is therefore spelled as it is there.
    pub(crate) fn open_listed(&self, path: &str) -> io::Result<Dir> {
        if path.is_empty() {
            return self.handle.reopen();
        }
        if let Some(folder) = self.handle.open_folder_below(path) {
            return folder;
        }
        let mut folder = self.handle.reopen()?;
        for (_, name) in prefixes(path) {
            folder = folder.open_folder(name)?;
        }
        Ok(folder)
    }

    /// The permission bits of a file that had this stamp, if it has it still: one call, of what the system
    /// has just read.
    pub(crate) fn mode_if_unchanged(&self, path: &str, before: &Stamp) -> Option<u32> {
        match self.handle.look(path) {
            Ok(Some(Look::File { stamp, mode })) if stamp == *before => Some(mode),
            _ => None,
        }
    }

    /// The folder that a document is to be in, made if need be. The paths of the folders that got
    /// a new entry are added to `touched`.
    pub(crate) fn create_parent(
        &self,
        path: &DocumentPath,
        touched: &mut Vec<String>,
    ) -> Result<Dir, FolderError> {
        let mut folder = self.reopen("write")?;
        for (prefix, name) in prefixes(path.parent()) {
            let mut step = self.step("write", &folder, prefix, name)?;
            if matches!(step, Step::Missing) {
                match folder.make_folder(name, 0o777) {
                    Ok(()) => {}
                    Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
                    Err(e) => return Err(FolderError::io("make folder", self.full(prefix))(e)),
                }
                touched.push(crate::path::parent(prefix).to_owned());
                step = self.step("write", &folder, prefix, name)?;
            }
            let full = || self.full(path.as_str());
            folder = match step {
                Step::Folder(next) => next,
                Step::File => return Err(FolderError::InTheWay { path: full(), what: "file" }),
                Step::OtherName => return Err(FolderError::SameName { path: full() }),
                // It was removed again by another program.
                Step::Missing => {
                    let gone = io::Error::from(io::ErrorKind::NotFound);
                    return Err(FolderError::io("write", full())(gone));
                }
            }
        }
        Ok(folder)
    }

    fn step(
        &self,
        operation: &'static str,
        folder: &Dir,
        prefix: &str,
        name: &str,
    ) -> Result<Step, FolderError> {
        let failed = FolderError::io::<io::Error>(operation, self.full(prefix));
        let next = match folder.open_folder(name) {
            Ok(next) => next,
            Err(error) if sys::is_missing(&error) => return Ok(Step::Missing),
            Err(error) if sys::is_not_a_folder(&error) => {
                return match folder.look(name).map_err(failed)? {
                    Some(Look::Link) => {
                        Err(FolderError::Link { operation, path: self.full(prefix) })
                    }
                    Some(_) => Ok(Step::File),
                    None => Ok(Step::Missing),
                };
            }
            Err(error) => return Err(failed(error)),
        };
        // The state folder under a name that only this file system takes for it.
        let is_state = self.is_state(&next);
        let other = is_state.map_err(FolderError::io(operation, self.full(prefix)))?
            || !self
                .is_exact(folder, name)
                .map_err(FolderError::io(operation, self.full(prefix)))?;
        Ok(if other { Step::OtherName } else { Step::Folder(next) })
    }

    /// Whether this is the folder of the sync, which only a folding file system has other names for.
    pub(crate) fn is_state(&self, folder: &Dir) -> io::Result<bool> {
        Ok(self.folds() && folder.own_facts()?.identity() == self.state)
    }

    /// Whether an existing entry has exactly this name. It reads the folder, so it is asked only
    /// where names are folded.
    pub(crate) fn is_exact(&self, folder: &Dir, name: &str) -> io::Result<bool> {
        if !self.folds() {
            return Ok(true);
        }
        folder.has_entry(name)
    }

    pub(crate) fn reopen(&self, operation: &'static str) -> Result<Dir, FolderError> {
        self.handle.reopen().map_err(FolderError::io(operation, self.path.clone()))
    }
}

/// Whether the file system takes two names for one that differ in case or in the form of accents.
fn folds(state: &Dir) -> io::Result<bool> {
    // A name of its own each time: another process may be opening the same folder.
    let random = random()?;
    let name = |start: &str| format!("{start}-{random}");
    let probe = name("Probe-\u{e9}");
    state.create_new(&probe, 0o600)?;
    let is_there = |name: String| matches!(state.look(name), Ok(Some(_)));
    let other_name = is_there(name("probe-\u{e9}")) || is_there(name("Probe-e\u{301}"));
    let folds = other_name || !state.has_entry(&probe)?;
    state.remove_file(&probe)?;
    Ok(folds)
}

/// `a`, `a/b`, `a/b/c` of `a/b/c`, each with its last segment.
pub(crate) fn prefixes(path: &str) -> impl Iterator<Item = (&str, &str)> {
    let ends = path.match_indices('/').map(|(i, _)| i).chain([path.len()]);
    let mut start = 0;
    ends.filter(|_| !path.is_empty()).map(move |end| {
        let name = &path[start..end];
        start = end + 1;
        (&path[..end], name)
    })
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn where_names_are_folded_only_the_exact_spelling_is_the_document() {
        let temporary = tempfile::tempdir().unwrap();
        for folder in ["state", "Notes"] {
            fs::create_dir(temporary.path().join(folder)).unwrap();
        }
        let handle = Dir::open(temporary.path()).unwrap();
        let state = handle.open_folder("state").unwrap();
        let mut root = Root::new(temporary.path().to_owned(), handle, &state).unwrap();
        root.folds = AtomicBool::new(true);
        let found = root.folder("read", "Notes").unwrap();
        assert!(matches!(found, Parent::Found(_)));
        let handle = root.reopen("read").unwrap();
        assert!(root.is_exact(&handle, "Notes").unwrap());
        assert!(!root.is_exact(&handle, "notes").unwrap());
        // The folder of the sync under any other name, as `.db-to-cloud` with an invisible
        // character has on some file systems.
        assert!(matches!(root.folder("read", "state").unwrap(), Parent::OtherName));
        let path = DocumentPath::from_text("state/x").unwrap();
        let error = root.create_parent(&path, &mut Vec::new()).unwrap_err();
        assert!(matches!(error, FolderError::SameName { .. }));
    }

    #[test]
    fn a_path_is_walked_folder_by_folder() {
        let steps: Vec<_> = prefixes("a/bc/d").collect();
        assert_eq!(steps, [("a", "a"), ("a/bc", "bc"), ("a/bc/d", "d")]);
        assert_eq!(prefixes("").count(), 0);
    }
}
