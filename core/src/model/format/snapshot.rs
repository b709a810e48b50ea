//! Snapshots: the state after some entry, for clients that are far behind (rule S7).

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{Body, Break, Change, OtherFields};
use crate::model::{
    Action, Attributes, CommitId, ContentHash, DocumentId, Key, Revision, Seen, VersionId,
};

/// `snapshot/<seq>.<rand>.json`: the head of a snapshot.
///
/// ```json
/// {"format": 1, "seq": 40, "commit": "…", "genesis": "…",
///  "parts": [{"key": "snapshot/40.….0.json", "from": "", "bytes": 81234, "hash": "…"}]}
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The number of the last entry it holds.
    pub seq: u64,
    /// That entry's commit.
    pub commit: CommitId,
    /// The commit of entry 1: the identity of this remote.
    pub genesis: CommitId,
    /// Names of features that a reader may ignore: those of all entries up to `seq`.
    #[serde(default, deserialize_with = "super::newer::names")]
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub may: BTreeSet<String>,
    /// Where the log up to `seq` passes from one branch to another (rule D8): the documents are those of all
    /// branches.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub joined: BTreeSet<Break>,
    /// The parts, in the order of the document keys they begin with.
    pub parts: Vec<PartName>,
}

/// Where a part is and which documents it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartName {
    /// The part's key.
    pub key: String,
    /// The part holds the documents whose [`DocumentId::to_key`] is at least this and less than the
    /// next part's.
    pub from: String,
    /// The part's length in bytes.
    pub bytes: u64,
    /// The hash of the part, for a document that a damaged part lacks would count as deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hash: Option<ContentHash>,
}

/// `snapshot/<seq>.<rand>.<k>.json`: some of the documents of a snapshot, by
/// [`DocumentId::to_key`]: `{"format": 1, "documents": {"sa": {"vid": "…", …}}}`. Of live documents
/// the bytes, if they are few; of deleted ones a tombstone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Live and deleted documents by key.
    pub documents: BTreeMap<String, Record>,
}

/// The newest version of one document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The name of the version.
    pub vid: VersionId,
    /// Its revision; of a deleted document, the last one it had.
    pub rev: Revision,
    /// The length in bytes; 0 for a deleted document.
    #[serde(default)]
    pub len: u64,
    /// The hash of the bytes; of a deleted document, the last it had.
    pub hash: ContentHash,
    /// For a deleted document, the number of the entry that deleted it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<u64>,
    /// A copy of the bytes, if they are few.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<Body>,
    /// Which edits it contains (rule T1), if its change said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// What its application says of it, if its change said so.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attr: Attributes,
    /// What a newer program says of this version.
    #[serde(flatten)]
    pub other: OtherFields,
}

impl Snapshot {
    /// The key of a part; `None` if the name is not a part's.
    pub(crate) fn part_key(part: &PartName) -> Option<Key> {
        Key::parse(&part.key).ok().filter(|key| key.as_str().starts_with("snapshot/"))
    }
}

impl Record {
    /// The record after a change of entry `seq`.
    pub(crate) fn of(change: &Change, seq: u64) -> Self {
        Self {
            vid: change.vid,
            rev: change.rev.clone(),
            len: change.len,
            hash: change.hash,
            deleted: (change.action == Action::Delete).then_some(seq),
            body: change.body.clone(),
            seen: change.seen.clone(),
            attr: change.attr.clone(),
            other: change.other.clone(),
        }
    }

    /// The record as a change, for a client that lacks it.
    pub(crate) fn into_change(self, id: DocumentId) -> Change {
        let action = if self.deleted.is_some() { Action::Delete } else { Action::Put };
        let Self { vid, rev, len, hash, body, seen, attr, other, .. } = self;
        Change { id, rev, action, vid, base: None, len, hash, body, seen, attr, other }
    }
}
