//! What lies in the folder and is not synced.

use std::fmt;
use std::path::PathBuf;

/// Something in the folder that is not a document, for those who wonder why it is not synced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its path, relative to the folder.
    pub path: PathBuf,
    /// Why it is not a document.
    pub reason: SkipReason,
}

/// Why something in the folder was skipped. What a pattern ignores is reported on demand only.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SkipReason {
    /// It is a symbolic link, and those are not followed.
    SymbolicLink,
    /// It is a socket, a pipe or a device.
    Special,
    /// Its name is not UTF-8.
    NotUtf8,
    /// Its name is kept for the sync's own files, or its path is too long.
    Reserved,
    /// It is a folder with the files of a storage of db-to-cloud, which are left out. Its other files are
    /// documents.
    Storage,
    /// It is a folder that could not be read. The documents below it are not taken for deleted.
    Unreadable(String),
    /// It is an ignore file that came from the storage and has no effect here until it is accepted
    /// ([`accept_patterns`](crate::FolderDatabase::accept_patterns)).
    NotAccepted,
    /// A pattern keeps it in that an ignore file from the storage, which was not accepted, lacks.
    KeptIn(String),
    /// This pattern of an ignore file leaves it out. Only [`ignored`](crate::FolderDatabase::ignored) lists it.
    Ignored(String),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SymbolicLink => f.write_str("a symbolic link"),
            Self::Special => f.write_str("a socket, a pipe or a device"),
            Self::NotUtf8 => f.write_str("its name is not UTF-8"),
            Self::Reserved => f.write_str("its name is reserved or its path is too long"),
            Self::Storage => f.write_str("the files of a storage of db-to-cloud in it"),
            Self::Unreadable(why) => write!(f, "a folder that cannot be read: {why}"),
            Self::NotAccepted => f.write_str(
                "patterns that came from another device, which have no effect here until they are accepted",
            ),
            Self::KeptIn(rule) => write!(
                f,
                "kept in by {rule}; patterns that came from another device and were not accepted would let it out"
            ),
            Self::Ignored(rule) => write!(f, "left out by {rule}"),
        }
    }
}

impl fmt::Display for Skipped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.reason)
    }
}
