//! What the records hold.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::model::format::{Break, Change, Snapshot};
use crate::model::{
    Action, Attributes, CommitId, ContentHash, DeferReason, DocumentId, Revision, Seen, Timestamp,
    VersionId,
};

/// Where this client is in the log.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogPosition {
    /// `v`: all entries up to this one are applied or pending.
    pub version: u64,
    /// The commit of entry `v`.
    pub anchor: Option<CommitId>,
    /// How far the pull under way goes, and the commit of that entry: until `v` is there, some of what
    /// is applied may come from entries after `v` (rule P9).
    #[serde(default, rename = "reaching")]
    pub pull_target: Option<(u64, CommitId)>,
    /// The commit of entry `v - 1`, if it is known (rule W4).
    #[serde(default)]
    pub before: Option<CommitId>,
    /// The commit of entry 1: the identity of the remote.
    pub genesis: Option<CommitId>,
    /// When the anchor was last found in the storage (rule P3).
    pub anchor_checked: Timestamp,
    /// Counts the times this client started over on a remote that diverged (rule D1). Index records
    /// of an earlier generation have not been met in the new log.
    #[serde(default)]
    pub generation: u64,
    /// A start over is under way.
    #[serde(default)]
    pub resyncing: bool,
    /// With `resyncing`: it is another branch of the same log, and both have the entries up to this one
    /// (rule D3). `None`: any difference is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common: Option<u64>,
    /// The commit of that entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub common_commit: Option<CommitId>,
    /// Where this device has read from one branch on into another one that was mixed into the same log
    /// (rule D8).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub crossed: BTreeSet<Break>,
    /// How far this device is with joining such branches for all devices.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joining: Option<Joining>,
    /// The index of a storage that is gone is being queued, so that a new log can be begun from it
    /// (rule D4).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub putting_back: bool,
    /// The first entries of the storages that this one continues, the newest last (rule D4).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub follows: Vec<CommitId>,
    /// What reading the log past the newest known snapshot costs (rule K1).
    #[serde(default)]
    pub log: LogCost,
    /// The nonce of the lock last taken here, so that our own stale lock is known as ours.
    #[serde(default)]
    pub lock: Option<CommitId>,
    /// Where this state lay then: in a copy of it the nonce is that of another device (rule L1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lock_place: Option<String>,
    /// A lock of another client that stood in the way of maintenance, and when it first did: if it
    /// is still there long after, its holder is gone.
    #[serde(default, rename = "obstacle")]
    pub blocking_lock: Option<(CommitId, Timestamp)>,
    /// What the probe found: whether the storage's create is atomic (rule S3).
    #[serde(default)]
    pub atomic: Option<bool>,
    /// When a sync last ended well, for people.
    #[serde(default)]
    pub synced: Option<Timestamp>,
}

impl LogPosition {
    /// Moves on by one entry.
    pub(crate) fn advance(&mut self, commit: CommitId) {
        self.version += 1;
        self.before = self.anchor.replace(commit);
        self.arrive();
        if self.version == 1 {
            self.genesis = Some(commit);
        }
    }
}

impl LogPosition {
    /// How the log that is read relates to the one that the index is of.
    pub(crate) fn branch(&self) -> Branch {
        match (self.resyncing, self.common) {
            // Of what is read now nothing is known to be older than what is here.
            (false, _) if self.is_crossing() => Branch::Parted { common: 0 },
            (false, _) => Branch::Same,
            (true, None) => Branch::Unknown,
            (true, Some(common)) => {
                // After a break the log does not say which versions were replaced by those before it.
                let chain = self.crossed.first().map_or(common, |b| b.slot.saturating_sub(1));
                Branch::Parted { common: common.min(chain) }
            }
        }
    }

    /// Entries of one branch were read, and the next ones may be of a device that has read another one only.
    pub(crate) fn is_crossing(&self) -> bool {
        self.joining.is_some_and(|joining| joining.reading || !joining.marked)
    }

    /// An entry was read or committed that lists where branches were joined.
    pub(crate) fn meet(&mut self, joined: &BTreeSet<Break>) {
        if let Some(joining) = &mut self.joining {
            joining.marked |= self.crossed.is_subset(joined);
        }
    }

    /// Of these breaks those that are before the position and that this device has not read across: it has
    /// read one of the branches only. In the order of their slots.
    pub(crate) fn unknown_breaks(&self, joined: &BTreeSet<Break>) -> impl Iterator<Item = Break> {
        let (crossed, version) = (&self.crossed, self.version);
        joined.iter().filter(move |b| b.slot <= version && !crossed.contains(b)).copied()
    }

    /// Goes on after the last entry of a snapshot.
    pub(crate) fn enter(&mut self, snapshot: &Snapshot, now: Timestamp) {
        self.version = snapshot.seq;
        self.arrive();
        self.anchor = Some(snapshot.commit);
        self.before = None;
        self.genesis = Some(snapshot.genesis);
        self.anchor_checked = now;
        self.log = LogCost { snapshot: snapshot.seq, ..LogCost::default() };
        if self.crossed.is_subset(&snapshot.joined) {
            self.joining = None;
        }
        self.crossed.extend(&snapshot.joined);
    }

    /// A pull is about to apply what the log holds up to this entry.
    pub(crate) fn set_out(&mut self, version: u64, commit: CommitId) {
        if self.pull_target.is_none_or(|(farthest, _)| farthest < version) {
            self.pull_target = Some((version, commit));
        }
    }

    /// Some of what is applied may come from entries up to this one.
    pub(crate) fn pulled_to(&self) -> u64 {
        self.pull_target.map_or(self.version, |(farthest, _)| farthest)
    }

    /// `v` has moved.
    pub(crate) fn arrive(&mut self) {
        self.pull_target = self.pull_target.filter(|(farthest, _)| *farthest > self.version);
    }
}

/// A device joins branches that were mixed in one log (rule D8).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Joining {
    /// It has read past a break, and not yet to the end of the log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reading: bool,
    /// An entry that lists all breaks that it has crossed is in the log.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub marked: bool,
}

/// How the log that is read relates to the one that the index is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Branch {
    /// It is the same.
    Same,
    /// It is another one, or in doubt: any difference is a conflict (rule D1).
    Unknown,
    /// Both have the entries up to this one and were the same storage then (rule D3).
    Parted {
        /// 0 if no common entry is known.
        common: u64,
    },
}

/// The cost of the log past the newest known snapshot.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogCost {
    /// The newest known snapshot holds all up to this entry; 0 if there is none.
    pub snapshot: u64,
    /// Bytes of the entries after it, and of the documents they name.
    pub bytes: u64,
    /// No snapshot before `bytes` reaches this: writing one would cost more than it saves.
    pub threshold: u64,
}

/// The last synced version of a document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SyncedVersion {
    pub vid: VersionId,
    pub rev: Revision,
    pub hash: ContentHash,
    pub len: u64,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub deleted: bool,
    #[serde(default)]
    pub generation: u64,
    /// The revision that the application gave it, if it could not keep the bytes as they are
    /// ([`Outcome::DoneAs`](crate::Outcome::DoneAs)). `hash` and `len` are those of the storage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<Revision>,
    /// Which edits this version contains, as far as they are on record here (rule T1).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seen: Option<Seen>,
    /// It was decided that the local version is to be pushed upon this one (rule T2).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Box<Kept>>,
    /// The first bytes of the hashes of the versions that were synced here before, the newest last (rule
    /// B1).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub older: Vec<u32>,
    /// What is said of this version.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub attr: Attributes,
}

/// A local version that was preferred to the one in the storage, and is not pushed yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Kept {
    /// The hash of its bytes; `None`: the document was deleted.
    pub hash: Option<ContentHash>,
    /// The edits that it contains: those of both sides.
    pub seen: Seen,
}

/// Older versions of a document that are remembered.
const OLDER: usize = 16;

impl SyncedVersion {
    /// The same, in the place of this version.
    pub(crate) fn after(mut self, before: &Self) -> Self {
        self.older.clone_from(&before.older);
        if before.hash != self.hash {
            self.older.retain(|mark| *mark != self.hash.mark());
            self.older.push(before.hash.mark());
        }
        self.older.drain(..self.older.len().saturating_sub(OLDER));
        self
    }

    /// Whether this is the content of a version that was synced here before.
    pub(crate) fn replaced(&self, content: ContentHash) -> bool {
        content != self.hash && self.older.contains(&content.mark())
    }

    pub(crate) fn of(change: &Change, generation: u64) -> Self {
        Self {
            vid: change.vid,
            rev: change.rev.clone(),
            hash: change.hash,
            len: change.len,
            deleted: change.action == Action::Delete,
            generation,
            local: None,
            seen: change.seen.clone(),
            kept: None,
            older: Vec::new(),
            attr: change.attr.clone(),
        }
    }

    /// The change that made this version, as far as it is known here.
    pub(crate) fn as_change(&self, id: &DocumentId) -> Change {
        Change {
            id: id.clone(),
            rev: self.rev.clone(),
            action: if self.deleted { Action::Delete } else { Action::Put },
            vid: self.vid,
            base: None,
            len: self.len,
            hash: self.hash,
            body: None,
            seen: self.seen.clone(),
            attr: self.attr.clone(),
            other: Default::default(),
        }
    }

    /// The revision that the application has of this version.
    pub(crate) fn local_rev(&self) -> &Revision {
        self.local.as_ref().unwrap_or(&self.rev)
    }

    /// The revision the application should have; `None` if the document is deleted.
    pub(crate) fn live_rev(&self) -> Option<&Revision> {
        (!self.deleted).then(|| self.local_rev())
    }
}

/// A queued edit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct QueuedEdit {
    /// The version it was made on.
    pub base: Option<VersionId>,
    /// Another number after each edit, so that an edit that comes in between is noticed.
    #[serde(default)]
    pub edit: u64,
    /// A comparison found it while the document was there, and the application did not queue it. If the
    /// document is missing at the next comparison, nobody said that it is to be deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub found: bool,
    /// The application said on which revision it was made: a mark of that revision (rule C3).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_on: Option<u32>,
}

impl QueuedEdit {
    /// An edit upon this version.
    pub(crate) fn on(base: Option<VersionId>) -> Self {
        Self { base, edit: 0, found: false, made_on: None }
    }

    /// The same, found by a comparison.
    pub(crate) fn found(base: Option<VersionId>) -> Self {
        Self { found: true, ..Self::on(base) }
    }

    /// The same, queued by the application.
    pub(crate) fn queued(base: Option<VersionId>, edit: u64) -> Self {
        Self { edit, ..Self::on(base) }
    }

    /// The same, declared to be made on this revision.
    pub(crate) fn declared(base: Option<VersionId>, edit: u64, revision: &Revision) -> Self {
        Self { made_on: Some(mark_of(revision)), ..Self::queued(base, edit) }
    }

    /// Whether it was declared to be made on another revision.
    pub(crate) fn is_on_another(self, revision: &Revision) -> bool {
        self.made_on.is_some_and(|mark| mark != mark_of(revision))
    }

    /// Whether the application queued it itself.
    pub(crate) fn is_queued(self) -> bool {
        self.edit != 0
    }
}

fn mark_of(revision: &Revision) -> u32 {
    ContentHash::of(revision.as_str().as_bytes()).mark()
}

/// A remote change that is not yet applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct DeferredChange {
    /// `None`: the remote has no such document (only after a start over, rule D1).
    pub change: Option<Change>,
    /// The device that made it and when, for people; unknown from a snapshot.
    pub device: Option<String>,
    pub time: Option<Timestamp>,
    /// Hashes of older versions that the log named (rule P6).
    #[serde(default)]
    pub older: Vec<ContentHash>,
    /// Treat any difference as a conflict (rules C3, D1 and P14).
    #[serde(default)]
    pub diverged: bool,
    /// The versions that it was made upon, the oldest first, as far as they were read (rules P14 and D3).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub replaced: Vec<VersionId>,
    /// Why it was set aside, once it was tried.
    #[serde(default)]
    pub reason: Option<DeferReason>,
    /// When this device first found that the storage lacks its bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// The number of its entry and its place in the entry: the commit order (rule P11).
    #[serde(default)]
    pub order: (u64, u32),
    /// The database refused this very version (rule P12).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<Refusal>,
    /// The document is excluded on this device: the change waits until it is included (rule C8).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set_aside: Option<Box<SetAside>>,
}

/// What is remembered of a document that is excluded on this device, besides its newest change.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct SetAside {
    /// The version that was synced last, if the document was synced before it was excluded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub synced: Option<SyncedVersion>,
}

/// A version that the database could not take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Refusal {
    /// What [`Database::epochs`](crate::Database::epochs) was then.
    pub epoch: u64,
    /// Why, for the report.
    pub why: String,
}

impl DeferredChange {
    /// Whether this is the synced version, and nobody edited another one (rules P4 and C3).
    pub(crate) fn is_synced_as(&self, version: &SyncedVersion) -> bool {
        !self.diverged && self.change.as_ref().is_some_and(|change| change.vid == version.vid)
    }

    /// A conflict of the local document with the synced version: the edit was made on another revision
    /// (rule C3).
    pub(crate) fn contested(id: &DocumentId, synced: &SyncedVersion) -> Self {
        Self { diverged: true, ..Self::of(synced.as_change(id)) }
    }

    /// A change of which nothing else is known.
    pub(crate) fn of(change: Change) -> Self {
        Self { change: Some(change), diverged: false, ..Self::absent() }
    }

    /// The storage has no such document (rule D1).
    pub(crate) fn absent() -> Self {
        Self {
            change: None,
            device: None,
            time: None,
            older: Vec::new(),
            diverged: true,
            replaced: Vec::new(),
            reason: None,
            since: None,
            order: (0, 0),
            refused: None,
            set_aside: None,
        }
    }
}

/// A commit that was sent and whose fate is not known (rules U4, U5, U7).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Attempt {
    pub slot: u64,
    pub commit: CommitId,
    /// The exact bytes, which are JSON.
    pub entry: String,
    /// When the oldest of its uploads began.
    pub uploads_began: Timestamp,
    /// When it was last sent.
    pub last_sent: Timestamp,
}

/// The entry this client stands on, on weak storage: if a late write replaces it, it is offered again
/// (rule W4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LastEntry {
    pub commit: CommitId,
    /// What the index held of each of the entry's documents before it.
    pub replaced: Vec<(DocumentId, Option<SyncedVersion>)>,
}

/// Garbage collection's own measure of time, in seconds. It never goes back and advances by at most
/// a third of the grace period a run, so that a clock that jumps cannot age what is young.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct GcClock {
    pub age: u64,
    pub last_run: Timestamp,
}
