//! Writes that wait for others of the same batch.

use std::collections::{BTreeMap, HashMap};

use db_to_cloud::DocumentId;

use crate::batch::Job;
use crate::circle::rows;
use crate::transaction::Open;
use crate::write::Unwritten;

/// The writes that wait, and for what.
#[derive(Default)]
pub(crate) struct Waiting {
    open: BTreeMap<DocumentId, Open>,
    /// Who waits for a document.
    by: HashMap<DocumentId, Vec<DocumentId>>,
    /// Documents whose room others need.
    rooms: HashMap<DocumentId, usize>,
}

impl Waiting {
    /// Keeps a write until this document is written.
    pub(crate) fn keep(&mut self, job: Job, why: Unwritten, until: Option<DocumentId>) {
        if let Some(until) = until {
            self.by.entry(until).or_default().push(job.id.clone());
        }
        for row in rows(&why) {
            *self.rooms.entry(row.clone()).or_default() += 1;
        }
        self.open.insert(job.id.clone(), (job, why));
    }

    /// Whether a write that waits needs the room of this document.
    pub(crate) fn is_room(&self, id: &DocumentId) -> bool {
        self.rooms.get(id).is_some_and(|count| *count > 0)
    }

    /// The writes that waited for this document.
    pub(crate) fn freed(&mut self, id: &DocumentId) -> Vec<Job> {
        let mut freed = Vec::new();
        for waiter in self.by.remove(id).unwrap_or_default() {
            let Some((job, why)) = self.open.remove(&waiter) else { continue };
            for row in rows(&why) {
                if let Some(count) = self.rooms.get_mut(row) {
                    *count -= 1;
                }
            }
            freed.push(job);
        }
        freed
    }

    /// All that still wait.
    pub(crate) fn open(self) -> Vec<Open> {
        self.open.into_values().collect()
    }
}
