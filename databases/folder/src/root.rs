//! The folder as a handle, and the way from it to a document's folder, over no symbolic link.

use std::ffi::CStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use crate::error::FolderError;
use crate::path::DocumentPath;
use crate::stamp::{Look, Stamp};

const FOLDER: OFlags =
    OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);

/// The folder. All access goes through its handle: if its drive is unmounted and the empty mount
/// point appears under its path, no file is taken for deleted.
#[derive(Debug)]
pub(crate) struct Root {
    handle: OwnedFd,
    path: PathBuf,
    /// Device and inode of the folder `.db-to-cloud`.
    state: (u64, u64),
    /// Whether one file may go by several names, as on a file system that ignores case.
    pub(crate) folds: bool,
    /// Whether a whole path can be opened by one call, as far as is known.
    whole: AtomicBool,
}

/// What is found one step down.
enum Step {
    Folder(OwnedFd),
    Missing,
    File,
    /// There is something, but its name is spelled otherwise.
    OtherName,
}

/// The folder of a document, or why there is none.
pub(crate) enum Parent {
    Found(OwnedFd),
    Missing,
    /// A file is where a folder must be.
    File,
    /// A folder's name is spelled otherwise.
    OtherName,
}

impl Root {
    /// A root with an open state folder.
    pub(crate) fn new(path: PathBuf, handle: OwnedFd, state: &OwnedFd) -> io::Result<Self> {
        let whole = AtomicBool::new(cfg!(target_os = "linux"));
        Ok(Self { state: identity(state)?, handle, path, folds: false, whole })
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
        let now = std::fs::metadata(&self.path).map(|m| (m.dev(), m.ino()));
        match (now, identity(&self.handle)) {
            (Ok(now), Ok(opened)) if now == opened => Ok(()),
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
        match self.open_whole(path, FOLDER) {
            Some(Ok(folder)) => return Ok(Parent::Found(folder)),
            Some(Err(Errno::NOENT)) => return Ok(Parent::Missing),
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

    /// Opens a file or folder below by one call, over no link; `None` if it takes one call a step: on
    /// other systems, and where names are folded, as each step must be spelled exactly.
    pub(crate) fn open_whole(
        &self,
        path: &str,
        flags: OFlags,
    ) -> Option<rustix::io::Result<OwnedFd>> {
        if self.folds || path.is_empty() || !self.whole.load(Ordering::Relaxed) {
            return None;
        }
        let opened = open_beneath(&self.handle, path, flags);
        // An old kernel, or a sandbox that does not know the call.
        if matches!(opened, Err(Errno::NOSYS | Errno::PERM | Errno::INVAL | Errno::TOOBIG)) {
            self.whole.store(false, Ordering::Relaxed);
            return None;
        }
        Some(opened)
    }

    /// Whether a file that had this stamp has it still: one call, of what the system has just read.
    pub(crate) fn is_unchanged(&self, path: &str, stamp: &Stamp) -> bool {
        let found = rustix::fs::statat(&self.handle, path, AtFlags::SYMLINK_NOFOLLOW);
        let found = found.map(|stat| Look::of(&stat));
        matches!(found, Ok(Look::File { stamp: now, .. }) if now == *stamp)
    }

    /// The folder that a document is to be in, made if need be. The paths of the folders that got
    /// a new entry are added to `touched`.
    pub(crate) fn create_parent(
        &self,
        path: &DocumentPath,
        touched: &mut Vec<String>,
    ) -> Result<OwnedFd, FolderError> {
        let mut folder = self.reopen("write")?;
        for (prefix, name) in prefixes(path.parent()) {
            let mut step = self.step("write", &folder, prefix, name)?;
            if matches!(step, Step::Missing) {
                match rustix::fs::mkdirat(&folder, name, Mode::from_raw_mode(0o777)) {
                    Ok(()) | Err(Errno::EXIST) => {}
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
                    return Err(FolderError::io("write", full())(Errno::NOENT));
                }
            }
        }
        Ok(folder)
    }

    fn step(
        &self,
        operation: &'static str,
        folder: &OwnedFd,
        prefix: &str,
        name: &str,
    ) -> Result<Step, FolderError> {
        let failed = FolderError::io::<Errno>(operation, self.full(prefix));
        let next = match rustix::fs::openat(folder, name, FOLDER, Mode::empty()) {
            Ok(next) => next,
            Err(Errno::NOENT | Errno::NAMETOOLONG) => return Ok(Step::Missing),
            Err(Errno::NOTDIR | Errno::LOOP | Errno::MLINK) => {
                return match look(folder, name).map_err(failed)? {
                    Some(Look::Link) => {
                        Err(FolderError::Link { operation, path: self.full(prefix) })
                    }
                    Some(_) => Ok(Step::File),
                    None => Ok(Step::Missing),
                };
            }
            Err(errno) => return Err(failed(errno)),
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
    pub(crate) fn is_state(&self, folder: &OwnedFd) -> io::Result<bool> {
        Ok(self.folds && identity(folder)? == self.state)
    }

    /// Whether an existing entry has exactly this name. It reads the folder, so it is asked only
    /// where names are folded.
    pub(crate) fn is_exact(&self, folder: &OwnedFd, name: &str) -> io::Result<bool> {
        if !self.folds {
            return Ok(true);
        }
        has_entry(folder, name)
    }

    pub(crate) fn reopen(&self, operation: &'static str) -> Result<OwnedFd, FolderError> {
        rustix::fs::openat(&self.handle, c".", FOLDER, Mode::empty())
            .map_err(FolderError::io(operation, self.path.clone()))
    }
}

#[cfg(target_os = "linux")]
fn open_beneath(root: &OwnedFd, path: &str, flags: OFlags) -> rustix::io::Result<OwnedFd> {
    use rustix::fs::ResolveFlags;
    let resolve =
        ResolveFlags::BENEATH.union(ResolveFlags::NO_SYMLINKS).union(ResolveFlags::NO_MAGICLINKS);
    rustix::fs::openat2(root, path, flags, Mode::empty(), resolve)
}

#[cfg(not(target_os = "linux"))]
fn open_beneath(_: &OwnedFd, _: &str, _: OFlags) -> rustix::io::Result<OwnedFd> {
    Err(Errno::NOSYS)
}

/// Opens a folder, which must not be a symbolic link.
pub(crate) fn open_folder(
    parent: impl AsFd,
    name: impl rustix::path::Arg,
) -> rustix::io::Result<OwnedFd> {
    rustix::fs::openat(parent, name, FOLDER, Mode::empty())
}

/// What lies under a name; `None` if nothing does.
pub(crate) fn look(folder: impl AsFd, name: &str) -> rustix::io::Result<Option<Look>> {
    match rustix::fs::statat(folder, name, AtFlags::SYMLINK_NOFOLLOW) {
        Ok(stat) => Ok(Some(Look::of(&stat))),
        Err(Errno::NOENT | Errno::NAMETOOLONG) => Ok(None),
        Err(errno) => Err(errno),
    }
}

/// Whether one of the folder's entries is spelled exactly so.
pub(crate) fn has_entry(folder: impl AsFd, name: &str) -> io::Result<bool> {
    for entry in Dir::read_from(folder)? {
        if CStr::to_bytes(entry?.file_name()) == name.as_bytes() {
            return Ok(true);
        }
    }
    Ok(false)
}

#[allow(clippy::unnecessary_cast, reason = "the types of the fields differ between systems")]
fn identity(folder: &OwnedFd) -> io::Result<(u64, u64)> {
    let stat = rustix::fs::fstat(folder)?;
    Ok((stat.st_dev as u64, stat.st_ino as u64))
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
    use std::fs::{self, File};

    use super::*;

    #[test]
    fn where_names_are_folded_only_the_exact_spelling_is_the_document() {
        let temporary = tempfile::tempdir().unwrap();
        for folder in ["state", "Notes"] {
            fs::create_dir(temporary.path().join(folder)).unwrap();
        }
        let handle = OwnedFd::from(File::open(temporary.path()).unwrap());
        let state = open_folder(&handle, "state").unwrap();
        let mut root = Root::new(temporary.path().to_owned(), handle, &state).unwrap();
        root.folds = true;
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
