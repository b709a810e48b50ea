//! Changes of the client state that happen together or not at all.

use serde::Serialize;

use super::sync_state::{ATTEMPT, GC_CLOCK, LAST_ENTRY, LOST, MAKER, POSITION, SELECTION, TRAIL};
use crate::local::state::{Table, Update};
use crate::model::format::Change;
use crate::model::{
    Attempt, DeferredChange, GcClock, Kept, LastEntry, LogPosition, LostVersions, MakerId,
    QueuedEdit, SyncedVersion, Trail,
};
use crate::model::{DocumentId, Error, ErrorKind};

/// Updates of the state, typed.
#[derive(Clone, Debug, Default)]
pub(crate) struct Batch {
    updates: Vec<Update>,
    failed: bool,
}

impl Batch {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.updates.is_empty() && !self.failed
    }

    pub(crate) fn into_updates(self) -> Result<Vec<Update>, Error> {
        if self.failed {
            return Err(Error::new(ErrorKind::State, "encode client state"));
        }
        Ok(self.updates)
    }

    pub(crate) fn position(&mut self, position: &LogPosition) {
        self.set(Table::Metadata, POSITION.to_owned(), &super::position::written(position));
    }

    pub(crate) fn maker(&mut self, maker: MakerId) {
        self.set(Table::Metadata, MAKER.to_owned(), &maker);
    }

    pub(crate) fn trail(&mut self, trail: &Trail) {
        self.set(Table::Metadata, TRAIL.to_owned(), trail);
    }

    pub(crate) fn attempt(&mut self, attempt: Option<&Attempt>) {
        match attempt {
            Some(attempt) => self.set(Table::Metadata, ATTEMPT.to_owned(), attempt),
            None => self.clear(Table::Metadata, ATTEMPT.to_owned()),
        }
    }

    pub(crate) fn last_entry(&mut self, own: Option<&LastEntry>) {
        match own {
            Some(own) => self.set(Table::Metadata, LAST_ENTRY.to_owned(), own),
            None => self.clear(Table::Metadata, LAST_ENTRY.to_owned()),
        }
    }

    pub(crate) fn lost(&mut self, lost: &LostVersions) {
        match lost.0.is_empty() {
            false => self.set(Table::Metadata, LOST.to_owned(), lost),
            true => self.clear(Table::Metadata, LOST.to_owned()),
        }
    }

    pub(crate) fn selection(&mut self, mark: Option<&Option<String>>) {
        match mark {
            Some(mark) => self.set(Table::Metadata, SELECTION.to_owned(), mark),
            None => self.clear(Table::Metadata, SELECTION.to_owned()),
        }
    }

    pub(crate) fn gc_clock(&mut self, clock: &GcClock) {
        self.set(Table::Metadata, GC_CLOCK.to_owned(), clock);
    }

    /// `index[id] := version`; `None` forgets the document.
    pub(crate) fn index(&mut self, id: &DocumentId, version: Option<&SyncedVersion>) {
        let (set, cleared) = match version {
            Some(version) if version.deleted => (Some(Table::Tombstones), &[Table::Index][..]),
            Some(_) => (Some(Table::Index), &[Table::Tombstones][..]),
            None => (None, &[Table::Index, Table::Tombstones][..]),
        };
        for table in cleared {
            self.clear(*table, id.to_key());
        }
        if let (Some(table), Some(version)) = (set, version) {
            self.set(table, id.to_key(), version);
        }
    }

    pub(crate) fn dirty(&mut self, id: &DocumentId, dirty: Option<QueuedEdit>) {
        match dirty {
            Some(dirty) => self.set(Table::Dirty, id.to_key(), &dirty),
            None => self.clear(Table::Dirty, id.to_key()),
        }
    }

    pub(crate) fn pending(&mut self, id: &DocumentId, pending: Option<&DeferredChange>) {
        match pending {
            Some(pending) => self.set(Table::Pending, id.to_key(), pending),
            None => self.clear(Table::Pending, id.to_key()),
        }
    }

    pub(crate) fn intent(&mut self, id: &DocumentId, change: Option<&Change>) {
        match change {
            // Only what identifies the target is kept, not the bytes.
            Some(change) => {
                let bare = Change { body: None, ..change.clone() };
                self.set(Table::Intents, id.to_key(), &bare);
            }
            None => self.clear(Table::Intents, id.to_key()),
        }
    }

    /// A change is on both sides; `edited`: but for an edit that came upon it since.
    pub(crate) fn settled(
        &mut self,
        change: &Change,
        version: &SyncedVersion,
        edited: Option<QueuedEdit>,
    ) {
        self.index(&change.id, Some(version));
        self.dirty(&change.id, edited);
        self.pending(&change.id, None);
        self.intent(&change.id, None);
    }

    /// A document is excluded: all that is remembered of it is this record (rule C8).
    pub(crate) fn set_aside(&mut self, id: &DocumentId, record: &DeferredChange) {
        self.index(id, None);
        self.dirty(id, None);
        self.pending(id, Some(record));
        self.intent(id, None);
    }

    /// The local version goes upon this one of the storage: it is pushed (rules P6 and T2).
    pub(crate) fn kept(&mut self, remote: &Change, kept: Option<Box<Kept>>, generation: u64) {
        let version = SyncedVersion { kept, ..SyncedVersion::of(remote, generation) };
        self.index(&remote.id, Some(&version));
        self.dirty(&remote.id, Some(QueuedEdit::on(Some(remote.vid))));
        self.pending(&remote.id, None);
    }

    /// The synced version of a document was met in the log: nothing is deferred of it.
    pub(crate) fn met(
        &mut self,
        id: &DocumentId,
        version: &SyncedVersion,
        generation: u64,
        deferred: bool,
    ) {
        if deferred {
            self.pending(id, None);
        }
        if version.generation != generation {
            self.index(id, Some(&SyncedVersion { generation, ..version.clone() }));
        }
    }

    pub(crate) fn gc_seen(&mut self, key: &str, age: Option<u64>) {
        match age {
            Some(age) => self.set(Table::GcSeen, key.to_owned(), &age),
            None => self.clear(Table::GcSeen, key.to_owned()),
        }
    }

    fn set<T: Serialize>(&mut self, table: Table, key: String, value: &T) {
        match serde_json::to_vec(value) {
            Ok(value) => self.updates.push(Update { table, key, value: Some(value) }),
            Err(_) => self.failed = true,
        }
    }

    fn clear(&mut self, table: Table, key: String) {
        self.updates.push(Update { table, key, value: None });
    }
}
