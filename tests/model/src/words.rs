//! The objects of the protocol, without what it never decides by: no names of people, no times of
//! day, no bytes.

use std::collections::BTreeMap;

/// The random name of one version of one document; [`NONE`] stands for null.
pub type VersionId = u8;
/// The random name of one commit; [`NONE`] stands for null.
pub type Commit = u8;
/// The number of a slot of the log: 1, 2, 3 … and 0 for "before the first".
pub type Seq = u8;
/// Time in units of G/2 (and of F, which is no longer).
pub type Time = u8;

/// No version, no commit.
pub const NONE: u8 = 0;

/// What a document is: the edits whose effect it contains. Two versions are equal if and only if
/// they contain the same edits, so this stands for bytes, hash and revision at once.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord, Default)]
pub struct Content {
    /// One bit for each edit. A delete is an edit too: its bit is what must not get lost.
    pub edits: u16,
    /// False: deleted, or never made.
    pub live: bool,
}

impl Content {
    /// Whether everything in `other` is in `self` too.
    pub fn includes(self, other: Self) -> bool {
        self.edits & other.edits == other.edits
    }
}

/// One change of an entry (S5), and also what a snapshot remembers of a document (S7); a tombstone
/// is one whose content is not live.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub struct Change {
    /// The document's id.
    pub document: u8,
    /// The new version.
    pub vid: VersionId,
    /// The version that it replaces.
    pub base: VersionId,
    /// The new content.
    pub content: Content,
    /// For a delete: the content that was deleted (S5, `hash`).
    pub deleted: Content,
}

/// The newest change of each document, by its id.
pub type Changes = Vec<Option<Change>>;

/// One commit (S5).
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct Entry {
    /// Its random name.
    pub commit: Commit,
    /// The commit before it.
    pub prev: Commit,
    /// What it changes.
    pub changes: Vec<Change>,
    /// D4, in a first entry: the first commits of the logs that this one continues.
    pub follows: Vec<Commit>,
}

/// What stands at a slot of the log.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Slot {
    /// A commit.
    Entry(Entry),
    /// What is left of a commit that a snapshot covers (S6).
    Stub {
        /// The commit's name.
        commit: Commit,
        /// The commit before it.
        prev: Commit,
    },
    /// On WebDAV a slot is a folder; readers take one without an entry for absent.
    EmptyFolder,
}

impl Slot {
    /// The commit's name.
    pub fn commit(&self) -> Commit {
        match self {
            Self::Entry(entry) => entry.commit,
            Self::Stub { commit, .. } => *commit,
            Self::EmptyFolder => NONE,
        }
    }

    /// The commit before it.
    pub fn prev(&self) -> Commit {
        match self {
            Self::Entry(entry) => entry.prev,
            Self::Stub { prev, .. } => *prev,
            Self::EmptyFolder => NONE,
        }
    }
}

/// The state after one entry (S7).
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Snapshot {
    /// The entry's commit.
    pub commit: Commit,
    /// The newest change of each document, tombstones included.
    pub newest: Changes,
}

/// On WebDAV: a temporary folder, to be moved to a slot.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub struct TmpFolder {
    /// What was put into it so far.
    pub entry: Option<Entry>,
    /// When it was made.
    pub made: Time,
}

/// The temporary folders by their random names.
pub type TmpFolders = BTreeMap<u8, TmpFolder>;
