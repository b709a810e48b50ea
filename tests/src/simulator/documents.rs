//! A device's documents: each write of a sync is a place to stop at, and is looked at.

use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::memory::MemoryDatabase;
use db_to_cloud::{
    Applied, BoxError, Database, Document, DocumentId, Listed, Queueing, Revision, Write,
};
use futures::stream::BoxStream;

use super::invariants;
use super::shared::Shared;

#[derive(Clone)]
pub(super) struct WatchedDocuments {
    pub shared: Arc<Shared>,
    pub device: usize,
    pub documents: MemoryDatabase,
    pub queueing: Queueing,
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

    async fn apply(&self, write: Write) -> Result<Applied, BoxError> {
        self.shared.gate(self.device).await;
        let before = self.documents.documents().get(&write.id).cloned();
        let applied = self.documents.apply(write.clone()).await;
        if matches!(applied, Ok(Applied::Done)) {
            self.shared.note(|| format!("device {}: {:?} is written", self.device, write.id));
            invariants::a_sync_takes_no_edit_away(&self.shared, self.device, &before, &write);
        }
        self.shared.gate(self.device).await;
        applied
    }

    fn queueing(&self) -> Queueing {
        self.queueing
    }
}
