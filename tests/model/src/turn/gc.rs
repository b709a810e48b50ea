//! G1 and D2: garbage collection, and its opposite.

use super::Turn;
use crate::client::{Garbage, Step};
use crate::config::{Configuration, Pointer, Rule};
use crate::words::{Change, Time};
use crate::world::World;

impl Turn<'_> {
    /// G1: lists first. What is younger than G is no candidate; that stands for `gc_seen`.
    pub(crate) fn list_candidates(&mut self) {
        self.world.left.gcs -= 1;
        let grace = if self.keeps(Rule::Ages) { 2 } else { 1 };
        let (now, ages) = (self.world.now, self.config.ages);
        let is_old = |since: Time| now >= since + grace || ages == 0;
        let storage = self.storage();
        let documents = storage.documents.iter().filter(|(_, (_, since))| is_old(*since));
        let mut candidates: Vec<_> = documents.map(|(vid, _)| Garbage::Document(*vid)).collect();
        let folders = storage.folders.iter().filter(|(_, folder)| is_old(folder.made));
        candidates.extend(folders.map(|(name, _)| Garbage::Folder(*name)));
        if self.config.pointer != Pointer::Stubs {
            candidates.extend(storage.snapshots.keys().map(|seq| Garbage::Snapshot(*seq)));
        }
        self.go(Step::GcListed(candidates));
    }

    /// G1: then reads the head. What it names stays.
    pub(super) fn judge_candidates(&mut self, candidates: Vec<Garbage>) {
        let head = self.storage().head(self.config.documents, self.config.trust());
        let floor = self.storage().floor(self.config.trust());
        let is_named = |garbage: &Garbage| match garbage {
            Garbage::Document(vid) => head.newest.iter().flatten().any(|c| c.vid == *vid),
            Garbage::Snapshot(seq) => *seq == floor,
            Garbage::Folder(_) => false,
        };
        let garbage: Vec<_> = candidates.into_iter().filter(|g| !is_named(g)).collect();
        if garbage.is_empty() { self.end() } else { self.go(Step::GcDelete(garbage)) }
    }

    /// One delete. A server deletes a folder member by member: first it is empty, then it is gone.
    pub(super) fn delete_garbage(&mut self, mut garbage: Vec<Garbage>) {
        let storage = &mut self.world.storage;
        let is_gone = match garbage[0] {
            Garbage::Document(vid) => {
                storage.documents.remove(&vid);
                true
            }
            Garbage::Snapshot(seq) => {
                storage.snapshots.remove(&seq);
                true
            }
            Garbage::Folder(name) => {
                let entry = storage.folders.get_mut(&name).and_then(|folder| folder.entry.take());
                if entry.is_none() {
                    storage.folders.remove(&name);
                }
                entry.is_none()
            }
        };
        if is_gone {
            garbage.remove(0);
        }
        if garbage.is_empty() { self.end() } else { self.go(Step::GcDelete(garbage)) }
    }

    /// D2: puts a document again that the head names and the storage lacks.
    pub(crate) fn put_again(&mut self) {
        let now = self.world.now;
        if let Some(change) = missing_here(self.config, self.world, self.me) {
            self.world.storage.documents.insert(change.vid, (change.content, now));
        }
    }
}

/// A document that the head names, the storage lacks and this client holds.
pub(crate) fn missing_here(config: &Configuration, world: &World, me: usize) -> Option<Change> {
    let durable = &world.clients[me].durable;
    let is_here = |change: &Change| {
        let d = change.document as usize;
        let known = (change.vid, change.content);
        change.content.live && durable.index[d] == known && !durable.is_edited(d)
    };
    let is_missing = |change: &Change| !world.storage.documents.contains_key(&change.vid);
    let head = world.storage.head(config.documents, config.trust());
    head.newest.into_iter().flatten().find(|change| is_here(change) && is_missing(change))
}
