//! What can go wrong with a folder.

use std::io;
use std::path::PathBuf;

use db_to_cloud::DocumentId;

use crate::sys;

/// Why a folder or one of its documents could not be used. It never shows content.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FolderError {
    /// The operating system refused.
    #[error("{operation} {path:?}: check its permissions and the free space of the disk")]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file or folder.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The folder to sync is not there. It is not taken for an empty one.
    #[error("open the folder {path:?}: it does not exist: is its drive mounted?")]
    NoFolder {
        /// The path that was given.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// At the folder's path there is another folder now, such as the mount point of a drive.
    #[error(
        "list {path:?}: it is not the folder that was opened: is its drive mounted? was it moved?"
    )]
    Replaced {
        /// The path of the folder.
        path: PathBuf,
    },
    /// The id cannot be the path of a file in the folder.
    #[error(
        "write document {id:?}: its id cannot be a file here: {why}: rename it where it was made"
    )]
    Unfit {
        /// The id.
        id: DocumentId,
        /// Which rule it breaks.
        why: &'static str,
    },
    /// The path leads over a symbolic link.
    #[error(
        "{operation} {path:?}: it is a symbolic link, and those are not followed: replace it by what it points to"
    )]
    Link {
        /// What was tried.
        operation: &'static str,
        /// The link.
        path: PathBuf,
    },
    /// There is something else than a file, such as a pipe.
    #[error("{operation} {path:?}: it is neither a file nor a folder: move it away")]
    Special {
        /// What was tried.
        operation: &'static str,
        /// The path.
        path: PathBuf,
    },
    /// A file stands where a folder must be, or the other way around.
    #[error("write {path:?}: a {what} of that name is in the way: rename one of them")]
    InTheWay {
        /// What cannot be written.
        path: PathBuf,
        /// `file` or `folder`.
        what: &'static str,
    },
    /// Something that is not synced stands where the document must go.
    #[error(
        "write {path:?}: {found:?} is in the way and is not synced: move it away, or rename one of them"
    )]
    Foreign {
        /// What cannot be written.
        path: PathBuf,
        /// What is in the way: a file that a pattern ignores, a link, a pipe.
        found: PathBuf,
    },
    /// A delete makes room for a document that could not be written.
    #[error(
        "delete {path:?}: not before {place:?} is written, which takes its place: see why that failed"
    )]
    HeldBack {
        /// What is not deleted yet.
        path: PathBuf,
        /// The document that could not be written.
        place: String,
    },
    /// The file system takes the name for that of another file.
    #[error(
        "write {path:?}: this file system takes it for another name, which differs in case or in accents only: rename one of them"
    )]
    SameName {
        /// What cannot be written.
        path: PathBuf,
    },
    /// The file changes faster than it can be read.
    #[error("read {path:?}: it changed each time while it was read: sync again when it is at rest")]
    KeepsChanging {
        /// The file.
        path: PathBuf,
    },
    /// The document was not written by a folder.
    #[error(
        "write {path:?}: its revision is not the SHA-256 of its content, so that it was not pushed from a folder: sync it with the application that made it"
    )]
    ForeignRevision {
        /// What cannot be written.
        path: PathBuf,
    },
    /// The patterns of what to ignore cannot be read. Nothing is listed, so that nothing is synced
    /// that should be ignored.
    #[error("read {path:?}, which says what to ignore: check its permissions")]
    IgnoreFile {
        /// The ignore file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// A line of an ignore file cannot be understood. Nothing is listed, so that nothing is synced that it may
    /// have been meant to keep out.
    #[error("read {path:?}, line {line}: {why}: mend this line; nothing is synced until then")]
    Pattern {
        /// The ignore file.
        path: PathBuf,
        /// The line, from 1 on; 0 if it is all of them together.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// What the folder remembers cannot be understood.
    #[error(
        "read {path:?}, which a newer version wrote or which is damaged: use that version, or remove the file: then the mounts, the ignore files and the guard are as for a new folder"
    )]
    Record {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// A pattern of a [`Selection`](crate::Selection) cannot be understood.
    #[error("select by the pattern {pattern:?}: {why}")]
    SelectionPattern {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        why: String,
    },
    /// The selection of this device cannot be understood. It is not taken for one of all files.
    #[error(
        "read {path:?}, which says what this device syncs, and which a newer version wrote or which is damaged: use that version, or set the selection again; nothing is synced until then"
    )]
    Selection {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
    /// This device does not sync the document.
    #[error("write {path:?}: it is not in the selection of this device")]
    Excluded {
        /// The document.
        path: PathBuf,
    },
    /// The folder `.db-to-cloud` cannot be trusted with the state of the sync.
    #[error("open {path:?}: {why}: look at what is in it, and mend or remove it")]
    StateFolder {
        /// The folder, or what is in it.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
    /// The document lies, or is to lie, on a file system that is not mounted now. It is not taken for deleted.
    #[error(
        "{operation} {path:?}: it lies on a drive, and {found} at {mount:?}: mount the drive; if it is gone for good, forget that mount, and its documents count as deleted"
    )]
    NotMounted {
        /// What was tried.
        operation: &'static str,
        /// The document.
        path: PathBuf,
        /// The folder that it is mounted on.
        mount: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// A folder on the way to the document could not be read. The document is not taken for deleted.
    #[error(
        "{operation} {path:?}: {folder:?} could not be read: check its permissions and its drive"
    )]
    Unreadable {
        /// What was tried.
        operation: &'static str,
        /// The document.
        path: PathBuf,
        /// The folder that could not be read.
        folder: PathBuf,
    },
    /// A program obeys a file of this name, and it came from another device.
    #[error(
        "write {path:?}: programs obey a file of this name without asking, so it is not taken from other devices: open the guard on this device if all that sync with it may write such files"
    )]
    Guarded {
        /// The file.
        path: PathBuf,
    },
    /// A task ended early.
    #[error("{operation} {path:?}: the task did not end")]
    Task {
        /// What was tried.
        operation: &'static str,
        /// The folder.
        path: PathBuf,
        /// How it ended.
        source: tokio::task::JoinError,
    },
}

impl FolderError {
    /// Whether trying again is of no use before something in the folder, or the document, changes.
    pub(crate) fn is_final(&self) -> bool {
        match self {
            Self::Unfit { .. }
            | Self::Link { .. }
            | Self::Special { .. }
            | Self::Foreign { .. }
            | Self::SameName { .. }
            | Self::Guarded { .. }
            | Self::Excluded { .. }
            | Self::ForeignRevision { .. } => true,
            Self::Io { source, .. } => sys::is_never_possible(source),
            _ => false,
        }
    }

    /// Whether the disk or the user's share of it is full.
    pub(crate) fn is_no_space(&self) -> bool {
        use io::ErrorKind::{QuotaExceeded, StorageFull};
        matches!(self, Self::Io { source, .. } if matches!(source.kind(), StorageFull | QuotaExceeded))
    }

    /// Turns an error of the operating system into one that says where.
    pub(crate) fn io<E: Into<io::Error>>(
        operation: &'static str,
        path: impl Into<PathBuf>,
    ) -> impl FnOnce(E) -> Self {
        let path = path.into();
        move |source| Self::Io { operation, path, source: source.into() }
    }
}
