//! Opening a storage: makes its folders, finds out what the file system can do, cleans up.

use std::io;
use std::path::Path;
use std::sync::Arc;

use db_to_cloud::{Created, Folder};

use crate::error::Failure;
use crate::seen::Kind;
use crate::sys::Folder as Directory;
use crate::temp::{Exclusive, TempFile, is_random_name, random_name};
use crate::tree::{SCRATCH, Scratch, Tree, sync_folder};

/// No write takes this long: an older temporary file belongs to a client that died.
const STALE_SECONDS: i64 = 24 * 60 * 60;

/// What was found out about the folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Opened {
    /// How a file is created exclusively in it.
    pub(crate) exclusive: Exclusive,
    /// Whether the file system keeps who may read a file.
    pub(crate) keeps_modes: bool,
    /// The folder by which the storage is known.
    pub(crate) mark: &'static str,
}

/// Prepares the folder. One that has a storage and cannot be written is opened as it is.
pub(crate) fn open(root: &Path) -> Result<Opened, Failure> {
    make_root(root)?;
    match prepare(root) {
        Err(failure) if failure.forbids_writing() => find_readable(root).ok_or(failure),
        opened => opened,
    }
}

fn prepare(root: &Path) -> Result<Opened, Failure> {
    let tree = Tree::open(root, SCRATCH)?;
    tree.share(&tree.make_folder(SCRATCH)?)?;
    // The log first: by it others know a storage that is just being made.
    for folder in [Folder::Changes, Folder::Documents, Folder::Snapshots] {
        tree.share(&tree.make_folder(folder.name())?)?;
    }
    // Another client may have made them and not have come as far as this.
    tree.sync()?;
    let scratch = Arc::new(tree.scratch()?);
    let keeps_modes = clean_up(&scratch)?;
    Ok(Opened { exclusive: find_exclusive(&scratch)?, keeps_modes, mark: SCRATCH })
}

/// A storage that is there and cannot be written now. What it can do is found out by the first write.
fn find_readable(root: &Path) -> Option<Opened> {
    let is_marked = |mark| Tree::open(root, mark).and_then(|tree| tree.check()).is_ok();
    let mark = [SCRATCH, Folder::Changes.name()].into_iter().find(|mark| is_marked(mark))?;
    Some(Opened { exclusive: Exclusive::Unknown, keeps_modes: true, mark })
}

/// Makes the last part of the path only. If its parent is missing, then a drive is not mounted, and
/// a new, empty storage in its place would look like one that lost everything.
fn make_root(root: &Path) -> Result<(), Failure> {
    match make_private(root) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(Failure::RootGone),
        // It is there; or the parent cannot be written, which does not matter if it is there.
        Err(_) if root.is_dir() => return Ok(()),
        Err(error) => return Err(Failure::io("make the folder")(error)),
    }
    match root.parent().map(Directory::open) {
        Some(Ok(parent)) => sync_folder(&parent),
        // A parent that may be written and not read cannot be synced.
        _ => Ok(()),
    }
}

#[cfg(unix)]
fn make_private(folder: &Path) -> io::Result<()> {
    std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700).create(folder)
}

/// It is as private as the folder around it.
#[cfg(windows)]
fn make_private(folder: &Path) -> io::Result<()> {
    std::fs::create_dir(folder)
}

/// Tries it out, since what a file system answers depends on its type, its server and its options.
pub(crate) fn find_exclusive(scratch: &Arc<Scratch>) -> Result<Exclusive, Failure> {
    if is_exclusive(scratch, Exclusive::Link)? {
        return Ok(Exclusive::Link);
    }
    if scratch.folder.renames_locally() && is_exclusive(scratch, Exclusive::Rename)? {
        return Ok(Exclusive::Rename);
    }
    Ok(Exclusive::Unsupported)
}

/// Whether the second of two files is refused the name of the first.
fn is_exclusive(scratch: &Arc<Scratch>, exclusive: Exclusive) -> Result<bool, Failure> {
    // Empty, so that a full disk can be opened, read and cleaned up.
    let (first, second) = (TempFile::write(scratch, b"")?, TempFile::write(scratch, b"")?);
    let name = random_name()?;
    let first = first.place_new(&scratch.folder, &name, exclusive);
    let second = second.place_new(&scratch.folder, &name, exclusive);
    // If this fails the name is cleaned up as a stale one.
    let _ = scratch.folder.remove_file(&name);
    Ok(matches!((first, second), (Ok(Created::New), Ok(Created::Occupied))))
}

/// Deletes what clients that died have left. All times are those of the file system: the clock of
/// this machine may be wrong, and would then delete what others are just writing. Says whether a new
/// file has the permission bits that it was given.
fn clean_up(scratch: &Arc<Scratch>) -> Result<bool, Failure> {
    let newest = TempFile::write(scratch, b"")?;
    let written = newest.look()?;
    let now = written.seconds;
    let entries = scratch.folder.entries().map_err(Failure::io("list the folder .tmp"))?;
    for entry in entries.flatten() {
        let Ok(seen) = scratch.folder.look(&entry.name) else { continue };
        let ours = entry.name.to_str().is_some_and(is_random_name) && seen.kind == Kind::File;
        if ours && now.saturating_sub(seen.seconds) > STALE_SECONDS {
            // Another client may clean up at the same time.
            let _ = scratch.folder.remove_file(&entry.name);
        }
    }
    Ok(!scratch.modes.is_loose(&written))
}
