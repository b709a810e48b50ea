//! Documents in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::local::{Database, Listed, Outcome, Write};
use crate::model::{BoxError, Document, DocumentId, Revision};
use crate::planted::{Rule, holds};

/// Documents in memory, shared by its clones: for tests and examples.
#[derive(Clone, Debug, Default)]
pub struct MemoryDatabase {
    documents: Arc<Mutex<BTreeMap<DocumentId, Document>>>,
}

impl MemoryDatabase {
    /// No documents.
    pub fn new() -> Self {
        Self::default()
    }

    /// Saves a document, its revision being the hash of its bytes.
    pub fn save(&self, id: impl Into<DocumentId>, bytes: impl Into<bytes::Bytes>) {
        self.documents().insert(id.into(), Document::of_content(bytes));
    }

    /// Removes a document.
    pub fn remove(&self, id: impl Into<DocumentId>) {
        self.documents().remove(&id.into());
    }

    /// All documents, for tests that look at or change them.
    pub fn documents(&self) -> MutexGuard<'_, BTreeMap<DocumentId, Document>> {
        self.documents.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Database for MemoryDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        let listed: Vec<_> = self
            .documents()
            .iter()
            .map(|(id, d)| Ok(Listed { id: id.clone(), revision: Ok(Some(d.revision.clone())) }))
            .collect();
        futures::stream::iter(listed).boxed()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        Ok(self.documents().get(id).cloned())
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        let documents = self.documents();
        ids.iter().map(|id| Ok(documents.get(id).map(|d| d.revision.clone()))).collect()
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let mut documents = self.documents();
        batch.into_iter().map(|write| apply(&mut documents, write)).collect()
    }
}

fn apply(documents: &mut BTreeMap<DocumentId, Document>, write: Write) -> Outcome {
    let there = documents.get(&write.id).map(|d| &d.revision);
    if there != write.expected.as_ref() && holds(Rule::P7) {
        return Outcome::Changed;
    }
    match write.document {
        Some(document) => documents.insert(write.id, document),
        None => documents.remove(&write.id),
    };
    Outcome::Done
}
