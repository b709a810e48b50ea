//! The order in which a pull is written into the application (rule P11), and the brake (rule B1).

use std::collections::{HashMap, HashSet};

use bytes::Bytes;

use crate::model::format::Change;
use crate::model::{Action, ContentHash, DocumentId, Revision};
use crate::model::{DeferredChange, SyncedVersion};

/// A write into the application that was decided and is not made yet.
#[derive(Clone, Debug)]
pub(crate) struct PlannedWrite {
    pub change: Change,
    /// What is stored if the write is not made.
    pub record: DeferredChange,
    /// The revision that the application must have now.
    pub expected: Option<Revision>,
    /// The hash of the bytes that it replaces, if they are those of the synced version.
    pub replaces: Option<ContentHash>,
    /// The bytes, if the application has them in this document already.
    pub bytes: Option<Bytes>,
    /// A document that the same batch deletes and that has these bytes.
    pub moved_from: Option<DocumentId>,
}

/// Writes in commit order.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    writes: Vec<PlannedWrite>,
}

impl Plan {
    /// Brings the writes into commit order: by entry, and by place in the entry. A delete whose bytes
    /// come again under another id follows the put that takes them, so that both are in one batch.
    pub(crate) fn new(mut writes: Vec<PlannedWrite>) -> Self {
        writes.sort_by_key(|write| write.record.order);
        let mut sources = sources(&writes);
        let mut partners = HashMap::new();
        for write in writes.iter_mut().filter(|write| is_new(write)) {
            let source = sources.get_mut(&write.change.hash).and_then(Vec::pop);
            if let Some(source) = source {
                partners.insert(source.clone(), write.change.id.clone());
                write.moved_from = Some(source);
            }
        }
        if partners.is_empty() {
            return Self { writes };
        }
        let is_source = |write: &PlannedWrite| partners.contains_key(&write.change.id);
        let (moved, rest): (Vec<_>, Vec<_>) = writes.into_iter().partition(is_source);
        let mut moved: HashMap<_, _> =
            moved.into_iter().map(|w| (w.change.id.clone(), w)).collect();
        let mut writes = Vec::with_capacity(moved.len() + rest.len());
        for write in rest {
            let source = write.moved_from.as_ref().and_then(|id| moved.remove(id));
            writes.push(write);
            writes.extend(source);
        }
        Self { writes }
    }

    pub(crate) fn len(&self) -> usize {
        self.writes.len()
    }

    /// Cuts the writes into batches of at most so many items and bytes, in order. A put and the delete
    /// that it was moved from are not separated, and an entry is only if it is larger than a batch.
    pub(crate) fn batches(self, items: usize, bytes: u64) -> Vec<Vec<PlannedWrite>> {
        let mut batches: Vec<Vec<PlannedWrite>> = Vec::new();
        let (mut batch, mut size): (Vec<PlannedWrite>, u64) = (Vec::new(), 0);
        for unit in units(self.writes, items, bytes) {
            let length: u64 = unit.iter().map(|write| write.change.len).sum();
            if !batch.is_empty() && (batch.len() + unit.len() > items || size + length > bytes) {
                batches.push(std::mem::take(&mut batch));
                size = 0;
            }
            batch.extend(unit);
            size += length;
        }
        batches.extend(Some(batch).filter(|batch| !batch.is_empty()));
        batches
    }
}

/// What stays in one batch: the writes of an entry, or of a part of it that is as large as a batch.
fn units(writes: Vec<PlannedWrite>, items: usize, bytes: u64) -> Vec<Vec<PlannedWrite>> {
    let mut units: Vec<Vec<PlannedWrite>> = Vec::new();
    let (mut entry, mut size) = (None, 0);
    let mut writes = writes.into_iter().peekable();
    while let Some(write) = writes.next() {
        let pair = writes.next_if(|next| write.moved_from.as_ref() == Some(&next.change.id));
        let (count, length) = (1 + usize::from(pair.is_some()), write.change.len);
        let number = write.record.order.0;
        match units.last_mut() {
            Some(unit)
                if entry == Some(number)
                    && unit.len() + count <= items
                    && size + length <= bytes =>
            {
                unit.push(write);
                unit.extend(pair);
                size += length;
            }
            _ => {
                units.push(Some(write).into_iter().chain(pair).collect());
                (entry, size) = (Some(number), length);
            }
        }
    }
    units
}

/// The deletes whose documents have exactly the bytes of the synced version, by their hash.
fn sources(writes: &[PlannedWrite]) -> HashMap<ContentHash, Vec<DocumentId>> {
    let mut sources: HashMap<_, Vec<_>> = HashMap::new();
    // In reverse: the first delete is taken first.
    for write in writes.iter().rev().filter(|write| write.change.action == Action::Delete) {
        if let Some(hash) = write.replaces {
            sources.entry(hash).or_default().push(write.change.id.clone());
        }
    }
    sources
}

fn is_new(write: &PlannedWrite) -> bool {
    write.change.action == Action::Put && write.expected.is_none() && write.bytes.is_none()
}

/// What a sync would take from the documents of one side (rule B1).
///
/// A document counts if the synced version goes or is replaced by other bytes. A content that comes
/// again under another id is not lost, and does not count.
#[derive(Debug, Default)]
pub(crate) struct Loss {
    lost: HashMap<ContentHash, u64>,
    overwritten: u64,
    arriving: HashSet<ContentHash>,
}

impl Loss {
    /// A change that is about to be written over this synced version. `overwrites`: whether a
    /// replaced document counts.
    pub(crate) fn add(
        &mut self,
        change: &Change,
        synced: Option<&SyncedVersion>,
        overwrites: bool,
    ) {
        let live = synced.filter(|version| !version.deleted);
        match (change.action, live) {
            (Action::Delete, Some(version)) if version.vid != change.vid => self.lose(version.hash),
            (Action::Put, Some(version)) if version.hash != change.hash => {
                self.overwritten += u64::from(overwrites);
            }
            (Action::Put, None) => self.arrives(change.hash),
            _ => {}
        }
    }

    /// A document with this content goes.
    pub(crate) fn lose(&mut self, hash: ContentHash) {
        *self.lost.entry(hash).or_default() += 1;
    }

    /// A content is, or comes, under an id that was not synced before.
    pub(crate) fn arrives(&mut self, hash: ContentHash) {
        self.arriving.insert(hash);
    }

    /// A content is under an id that this device does not sync.
    pub(crate) fn stays(&mut self, hash: ContentHash) {
        if self.lost.contains_key(&hash) {
            self.arriving.insert(hash);
        }
    }

    /// Documents that go and come under no other id.
    pub(crate) fn deletes(&self) -> u64 {
        let gone = self.lost.iter().filter(|(hash, _)| !self.arriving.contains(hash));
        gone.map(|(_, count)| count).sum()
    }

    /// Documents that go or are replaced.
    pub(crate) fn total(&self) -> u64 {
        self.deletes() + self.overwritten
    }
}

/// So many documents that go or are replaced never stop a sync, unless a scan misses all there were.
const FEW: u64 = 10;

impl Loss {
    /// Whether it never stops a pull, however few documents there are.
    pub(crate) fn is_few(&self) -> bool {
        self.total() <= FEW
    }

    /// Whether it must be accepted first (rule B1): more than ten documents and more than half of
    /// all.
    pub(crate) fn is_large(&self, all: u64) -> bool {
        let lost = self.total();
        lost > FEW && lost * 2 > all
    }

    /// The same for what a scan found missing. If nothing is left of two or more it is asked: that the last
    /// few documents were deleted is less likely than that their drive is not mounted. A single one is
    /// more likely deleted. A change of another device is no such guess.
    pub(crate) fn is_large_scan(&self, all: u64) -> bool {
        self.is_large(all) || (all > 1 && self.deletes() >= all)
    }
}

/// Whether a comparison found older versions in such a number that a backup was rather restored than that
/// a person has edited them.
pub(crate) fn are_many_restored(older: u64, edited: u64) -> bool {
    older > FEW && older * 2 > edited
}

#[cfg(test)]
#[path = "plan/tests.rs"]
mod tests;
