//! The changes log (rules S5 and S6).

use std::collections::{BTreeSet, HashSet};
use std::time::SystemTime;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::{About, Body, Break, OtherFields};
use crate::model::{
    Action, Attributes, CommitId, ContentHash, DocumentId, Error, ErrorKind, Key, Revision, Seen,
    Sizes, Timestamp, VersionId,
};

/// What `changes/<n>.json` holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Slot {
    /// A commit.
    Entry(Entry),
    /// What is left of an old commit whose content a snapshot holds.
    Stub(Stub),
}

/// One commit: `changes/<n>.json`, created once and never deleted.
///
/// ```json
/// {"format": 1, "commit": "…", "prev": "…", "client": "laptop", "time": "2026-11-23T04:26:51.000Z",
///  "changes": [{"id": "a", "rev": "7", "action": "put", "vid": "…", "base": null,
///               "len": 5, "hash": "…", "body": "hello"}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// The random name of this commit.
    pub commit: CommitId,
    /// The commit in the slot before; `null` in slot 1.
    pub prev: Option<CommitId>,
    /// The device that committed, as it named itself. For people.
    #[serde(default)]
    pub client: String,
    /// When, by that device's clock. For people: no decision rests on it.
    #[serde(default, with = "time")]
    pub time: Timestamp,
    /// In slot 1: what this storage is for (rule C6).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub about: Option<Box<About>>,
    /// In slot 1: the storages that this one continues, by the commits of their first entries, the newest
    /// last. A device that had synced with them put its documents back here.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<CommitId>,
    /// Names of features that a reader may ignore. A writer of snapshots keeps them.
    #[serde(default, deserialize_with = "super::newer::names")]
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub may: BTreeSet<String>,
    /// Where the log before this entry passes from one branch to another. Its author has read it all and
    /// joined the branches; a snapshot with the same list follows (rule D8).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub joined: BTreeSet<Break>,
    /// At most 500 changes, at most one of each document.
    pub changes: Vec<Change>,
}

/// One document's change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Which document.
    pub id: DocumentId,
    /// Its revision; for a delete, the revision that was deleted.
    pub rev: Revision,
    /// What became of it.
    pub action: Action,
    /// The name of the new version; a delete has one too.
    pub vid: VersionId,
    /// The version this change replaces; `null` if the document is new.
    pub base: Option<VersionId>,
    /// The length of the document in bytes; 0 for a delete.
    pub len: u64,
    /// The hash of the bytes; for a delete, of the version that was deleted, so that a device
    /// without state can distinguish an old copy from an edit.
    pub hash: ContentHash,
    /// A copy of the bytes, if they are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Which edits this version contains (rule T1); absent if neither its device nor any before it
    /// syncs the document with several storages.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// What its application says of it beside its bytes: a map of at most [`Attributes::MOST`] bytes,
    /// and not of a delete.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attr: Attributes,
    /// What a newer program says of this version.
    #[serde(flatten)]
    pub other: OtherFields,
}

/// What is left of an old commit: `{"format": 1, "commit": "…", "prev": "…", "snapshot": "…"}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stub {
    /// The random name of the commit.
    pub commit: CommitId,
    /// The commit in the slot before; `null` in slot 1.
    pub prev: Option<CommitId>,
    /// The key of a snapshot that holds the commit's content; a newer one may have replaced it.
    pub snapshot: String,
}

impl Slot {
    /// Reads what a slot holds.
    pub(crate) fn decode(key: &Key, bytes: &[u8]) -> Result<Self, Error> {
        let entry: Entry = match super::decode(key, bytes) {
            // Rarely a stub: trying both at once would cost each entry a second copy.
            Err(e) if e.kind() == ErrorKind::Corrupt => {
                return super::decode(key, bytes).map(Self::Stub).map_err(|_| e);
            }
            entry => entry?,
        };
        match entry.beyond_bounds() {
            Some(what) => Err(super::damaged(key, what)),
            None => Ok(Self::Entry(entry)),
        }
    }

    /// The random name of the commit.
    pub fn commit(&self) -> CommitId {
        match self {
            Self::Entry(entry) => entry.commit,
            Self::Stub(stub) => stub.commit,
        }
    }

    /// The commit in the slot before.
    pub fn prev(&self) -> Option<CommitId> {
        match self {
            Self::Entry(entry) => entry.prev,
            Self::Stub(stub) => stub.prev,
        }
    }
}

impl Entry {
    /// What no client writes: more changes or longer copies than an entry may have (rule S5), a
    /// document twice, or a length that no document has. Lengths are those of the documents, whatever
    /// they take as JSON.
    fn beyond_bounds(&self) -> Option<&'static str> {
        let most = Sizes::default();
        let copies = || self.changes.iter().filter_map(|change| change.body.as_ref());
        let mut ids = HashSet::with_capacity(self.changes.len());
        if self.changes.len() > most.entry_changes {
            Some("more changes than an entry may have")
        } else if copies().any(|body| body.0.len() > most.body) {
            Some("a copy of a document that is too long to be copied")
        } else if copies().map(|body| body.0.len()).sum::<usize>() > most.entry_bodies {
            Some("more bytes of documents than an entry may have")
        } else if !self.changes.iter().all(|change| ids.insert(&change.id)) {
            Some("one document twice")
        } else if self.changes.iter().any(|change| change.len > super::PLAUSIBLE) {
            Some("an impossible length")
        } else {
            None
        }
    }

    /// The length of all documents it names; what a hostile entry says is not added up beyond the
    /// largest number.
    pub(crate) fn documents_len(&self) -> u64 {
        self.changes.iter().fold(0, |sum, change| sum.saturating_add(change.len))
    }
}

impl Change {
    /// Whether these bytes are the document's (rule P5).
    pub(crate) fn is_content(&self, bytes: &[u8]) -> bool {
        bytes.len() as u64 == self.len && ContentHash::of(bytes) == self.hash
    }
}

/// Times as RFC 3339 text; what cannot be read is 1970, for they are only for people.
mod time {
    use super::*;

    pub(super) fn serialize<S: Serializer>(time: &Timestamp, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(time)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(d: D) -> Result<Timestamp, D::Error> {
        let text = String::deserialize(d)?;
        let time = humantime::parse_rfc3339_weak(&text).unwrap_or(SystemTime::UNIX_EPOCH);
        Ok(time.into())
    }
}
