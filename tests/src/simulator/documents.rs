//! A device's documents: each write of a sync is a place to stop at, and is looked at.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use db_to_cloud::memory::MemoryDatabase;
use db_to_cloud::{
    BoxError, ChangeTracking, Database, Document, DocumentId, Listed, Outcome, Revision, Selects,
    Write,
};
use futures::stream::BoxStream;

use super::invariants;
use super::shared::{Shared, lock};
use crate::Chosen;

#[derive(Clone)]
pub(super) struct WatchedDocuments {
    pub shared: Arc<Shared>,
    pub device: usize,
    pub documents: MemoryDatabase,
    pub queueing: ChangeTracking,
    pub selection: Selection,
}

/// Which documents a device syncs: as its user says now, and as the last sync was given it.
#[derive(Clone, Default)]
pub(super) struct Selection {
    pub chosen: Chosen,
    pub given: Arc<Mutex<Chosen>>,
}

impl Selection {
    /// Whether a delete of this document is none for other devices, now or by a sync under way.
    pub(super) fn may_exclude(&self, id: &DocumentId) -> bool {
        self.chosen.excludes(id) || lock(&self.given).excludes(id)
    }
}

#[async_trait]
impl Database for WatchedDocuments {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        self.documents.list()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        self.shared.maybe_gate(self.device).await;
        self.documents.get(id).await
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        let revisions = self.documents.revisions(ids).await;
        self.shared.maybe_gate(self.device).await;
        revisions
    }

    /// A device may stop between any two writes of a batch.
    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            self.shared.gate(self.device).await;
            let before = self.documents.documents().get(&write.id).cloned();
            if lock(&self.selection.given).excludes(&write.id) {
                let detail = format!("device {}: {:?} is written", self.device, write.id);
                self.shared.violate("an excluded document stays as it is (C8)", detail);
            }
            let outcome = self.documents.apply(vec![write.clone()]).await;
            if outcome.iter().all(Outcome::is_done) {
                self.shared.note(|| format!("device {}: {:?} is written", self.device, write.id));
                invariants::a_sync_takes_no_edit_away(&self.shared, self.device, &before, &write);
            }
            self.shared.gate(self.device).await;
            outcomes.extend(outcome);
        }
        outcomes
    }

    async fn selection(&self) -> Result<Option<Arc<dyn Selects>>, BoxError> {
        *lock(&self.selection.given) = self.selection.chosen.copy();
        self.selection.chosen.selection()
    }

    fn tracking(&self) -> ChangeTracking {
        self.queueing
    }
}
