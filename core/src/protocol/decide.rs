//! What to do with one document: the only place where this is decided.
//!
//! The first line that fits decides. *Apart* means that any difference is a conflict: the edit was
//! declared on another revision (rule C3), the storage is another one than before (rule D1), or the
//! change was made without seeing the version that was synced here (rule P14).
//! *Unedited* means: not queued, and the application has the synced revision, or nothing if there
//! is none.
//!
//! With a remote change:
//!
//! | # | if | decision | rule |
//! |---|---|---|---|
//! | 1 | it is the synced version, and not apart | `InSync` | P4 |
//! | 2 | the document cannot be read | `Wait(Unreadable)` | P10 |
//! | 3 | the storage has no such document: absent here too, or else | `Forget`, or `Conflict` | D1 |
//! | 4 | a delete, and the document is absent | `MarkSynced` | P6 |
//! | 5 | unedited and not apart | `Write` | P6 |
//! | 6 | the document is absent | `Conflict`: deleted here, changed there | P6 |
//! | 7 | the content is not known yet | `Need(Content)` | P6 |
//! | 8 | not apart, and the content is the synced one | `Write`: queued, but not changed | U1, P6 |
//! | 9 | a put of the same bytes and revision | `MarkSynced` | P6 |
//! | 10 | a put of the same bytes | `Write`: it takes the revision | P6 |
//! | 11 | never synced: a delete of these very bytes, or they are an older version | `Write` | P6 |
//! | 12 | never synced, and the log before the snapshot was not looked at | `Need(History)` | P6 |
//! | 13 | else | `Conflict` | P6 |
//!
//! Where lines 5, 6, 8, 11 or 13 decided, it is not apart, and the bytes differ, the edits that the two versions
//! contain decide first, as far as they are known (rule T2): a remote version that contains the local one is a
//! `Write`, one that the local version contains is a `Keep`, and if neither does, it is a `Conflict`.
//!
//! `Write` becomes `Wait(Refused)` if the database refused this version and is as it was (rule P12).
//!
//! Without a remote change:
//!
//! | # | if | decision | rule |
//! |---|---|---|---|
//! | 14 | the document cannot be read | `Wait(Unreadable)` | P10 |
//! | 15 | unedited | `InSync` | U1 |
//! | 16 | queued on another version than the synced one | `Conflict` | C3 |
//! | 17 | absent, and there is no synced version | `InSync`: made and deleted in between | U1 |
//! | 18 | absent, and only a scan that saw it has queued it | `Wait(Scan)` | B1 |
//! | 19 | absent | `Push(Delete)` | U1 |
//! | 20 | the content is not known yet | `Need(Content)` | U1 |
//! | 21 | the content is the synced one | `InSync` | U1 |
//! | 22 | else | `Push(Put)` | U1 |

use super::lineage::{Kin, Lineage};
use crate::model::{Action, ContentHash, Revision};
use crate::model::{DeferredChange, QueuedEdit, SyncedVersion};

/// All that a decision about one document looks at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts<'a> {
    /// The version that was synced last; a tombstone, if it was a delete.
    pub synced: Option<&'a SyncedVersion>,
    /// The same of the other storages of this database (rule T2).
    pub elsewhere: &'a [SyncedVersion],
    /// The edit that is queued.
    pub edit: Option<&'a QueuedEdit>,
    /// What the application has.
    pub local: Local<'a>,
    /// The newest change of the log, joined with one that was deferred before (rule P4).
    pub remote: Option<&'a DeferredChange>,
    /// The database refused this remote version and is as it was then (rule P12).
    pub refused: bool,
    /// Whether the local bytes are an older version that the log names; `None` if the part of the
    /// log before the snapshot was not looked at.
    pub older: Option<bool>,
    /// The application's documents are scanned: a document that is missing is found by the next scan.
    pub scanned: bool,
}

impl<'a> Facts<'a> {
    /// A document that the application lacks, of which this version was synced last, and of which
    /// nothing else is known.
    pub(crate) fn of(synced: Option<&'a SyncedVersion>) -> Self {
        Self {
            synced,
            elsewhere: &[],
            edit: None,
            local: Local::Absent,
            remote: None,
            refused: false,
            older: Some(false),
            scanned: false,
        }
    }

    /// What the storages of this database had of the document.
    pub(crate) fn lineage(&self) -> Lineage<'a> {
        Lineage { here: self.synced, elsewhere: self.elsewhere, are_several: false }
    }
}

/// What the application has of a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Local<'a> {
    Unreadable,
    Absent,
    /// It exists; its bytes were not read.
    Revision(&'a Revision),
    Content(&'a Revision, ContentHash),
}

/// What to do with a document.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nothing: it leaves the queue and the deferred changes.
    InSync,
    /// Both sides are alike: only the index must follow.
    MarkSynced,
    /// The remote side is written into the application, over the revision that it has.
    Write,
    /// The local side goes upon the remote one, which it contains: it is pushed.
    Keep,
    /// The local side is committed, based on the synced version.
    Push(Action),
    /// The application decides.
    Conflict,
    /// Neither side has it.
    Forget,
    /// It is deferred.
    Wait(Wait),
    /// This must be known to decide: ask again with it.
    Need(Fact),
}

/// Why a document is deferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wait {
    Unreadable,
    Refused,
    /// The next scan finds that it is missing, and counts it for the brake (rule B1).
    Scan,
}

/// A fact that costs a read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fact {
    Content,
    History,
}

/// Decides by the tables above.
#[must_use]
pub(crate) fn decide(facts: &Facts<'_>) -> Decision {
    match facts.remote {
        Some(remote) => among_storages(facts, remote, with_remote(facts, remote)),
        None => without_remote(facts),
    }
}

/// Whether the application has what was synced last; by the revision, and by the hash if it is known.
pub(crate) fn is_as_synced(synced: Option<&SyncedVersion>, local: Local<'_>) -> bool {
    let synced = synced.filter(|version| !version.deleted);
    match local {
        Local::Unreadable => false,
        Local::Absent => synced.is_none(),
        Local::Revision(revision) => synced.is_some_and(|v| v.local_rev() == revision),
        Local::Content(revision, hash) => synced
            .is_some_and(|v| v.local_rev() == revision && (v.hash == hash || v.local.is_some())),
    }
}

/// What the edits of both versions say, where the log of this storage alone would write or ask.
fn among_storages(facts: &Facts<'_>, remote: &DeferredChange, alone: Decision) -> Decision {
    let is_open = matches!(alone, Decision::Write | Decision::Conflict)
        || alone == Decision::Wait(Wait::Refused);
    let Some(change) = remote.change.as_ref().filter(|_| is_open && !remote.diverged) else {
        return alone;
    };
    let same_bytes = match facts.local {
        Local::Unreadable => true,
        Local::Content(_, hash) => hash == change.hash,
        Local::Revision(_) => facts.synced.is_some_and(|version| version.hash == change.hash),
        Local::Absent => false,
    };
    if same_bytes && change.action == Action::Put {
        return alone;
    }
    match facts.lineage().kin(facts.local, change) {
        None => alone,
        Some(Kin::Older) => Decision::Keep,
        Some(Kin::Newer) if facts.refused => Decision::Wait(Wait::Refused),
        Some(Kin::Newer) => Decision::Write,
        Some(Kin::Apart) => Decision::Conflict,
    }
}

fn with_remote(facts: &Facts<'_>, remote: &DeferredChange) -> Decision {
    let write = if facts.refused { Decision::Wait(Wait::Refused) } else { Decision::Write };
    let (change, apart) = (remote.change.as_ref(), remote.diverged);
    if facts.synced.is_some_and(|version| remote.is_synced_as(version)) {
        return Decision::InSync;
    }
    let absent = facts.local == Local::Absent;
    let Some(change) = change.filter(|_| facts.local != Local::Unreadable) else {
        return match facts.local {
            Local::Unreadable => Decision::Wait(Wait::Unreadable),
            Local::Absent => Decision::Forget,
            _ => Decision::Conflict,
        };
    };
    if change.action == Action::Delete && absent {
        return Decision::MarkSynced;
    }
    if facts.edit.is_none() && is_as_synced(facts.synced, facts.local) && !apart {
        return write;
    }
    let (revision, hash) = match facts.local {
        Local::Content(revision, hash) => (revision, hash),
        Local::Revision(_) => return Decision::Need(Fact::Content),
        Local::Absent | Local::Unreadable => return Decision::Conflict,
    };
    let same_bytes = hash == change.hash;
    match change.action {
        _ if is_as_synced(facts.synced, facts.local) && !apart => write,
        Action::Put if same_bytes && *revision == change.rev => Decision::MarkSynced,
        Action::Put if same_bytes => Decision::Write,
        _ if facts.synced.is_some() => Decision::Conflict,
        Action::Delete if same_bytes => write,
        _ if remote.older.contains(&hash) => write,
        _ => match facts.older {
            None => Decision::Need(Fact::History),
            Some(true) => write,
            Some(false) => Decision::Conflict,
        },
    }
}

fn without_remote(facts: &Facts<'_>) -> Decision {
    let live = facts.synced.filter(|version| !version.deleted);
    let as_synced = is_as_synced(facts.synced, facts.local);
    let base = facts.edit.map(|edit| edit.base);
    match facts.local {
        Local::Unreadable => Decision::Wait(Wait::Unreadable),
        _ if base.is_none() && as_synced => Decision::InSync,
        _ if is_on_another(facts.synced, base) => Decision::Conflict,
        Local::Absent if live.is_none() => Decision::InSync,
        Local::Absent if facts.scanned && facts.edit.is_some_and(|edit| edit.found) => {
            Decision::Wait(Wait::Scan)
        }
        Local::Absent => Decision::Push(Action::Delete),
        Local::Revision(_) => Decision::Need(Fact::Content),
        Local::Content(..) if as_synced => Decision::InSync,
        Local::Content(..) => Decision::Push(Action::Put),
    }
}

/// Whether the queued edit was made on another version than the synced one (rule C3).
fn is_on_another(synced: Option<&SyncedVersion>, base: Option<Option<crate::VersionId>>) -> bool {
    matches!((synced, base), (Some(version), Some(base)) if base != Some(version.vid))
}

#[cfg(test)]
#[path = "decide/tests.rs"]
mod tests;
