//! Databases that keep a rule of their own, as real ones do: no two documents share a text, or a text
//! is normalised when it is written.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use db_to_cloud::memory::MemoryDatabase;
use db_to_cloud::{BoxError, Database, Document, DocumentId, Listed, Outcome, Revision, Write};
use futures::stream::BoxStream;

/// The rule that a database keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// No two documents share a text. The writes of a batch are made one after another, as given.
    Unique,
    /// Texts are stored in lower case, or in upper case.
    Lower,
    /// Texts are stored in upper case.
    Upper,
}

/// Documents in memory under such a rule. The clones are one database.
#[derive(Clone, Debug)]
pub struct PeculiarDatabase {
    documents: MemoryDatabase,
    rule: Rule,
    batches: Arc<Mutex<Vec<Vec<Write>>>>,
}

impl PeculiarDatabase {
    /// These documents under a rule.
    pub fn of(documents: &MemoryDatabase, rule: Rule) -> Self {
        Self { documents: documents.clone(), rule, batches: Arc::default() }
    }

    /// The batches that were given so far.
    pub fn batches(&self) -> Vec<Vec<Write>> {
        self.log().clone()
    }

    fn log(&self) -> MutexGuard<'_, Vec<Vec<Write>>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_taken(&self, write: &Write) -> bool {
        let documents = self.documents.documents();
        let text = write.document.as_ref().map(|document| &document.bytes);
        documents.iter().any(|(id, there)| *id != write.id && Some(&there.bytes) == text)
    }

    async fn write(&self, write: Write) -> Outcome {
        let normalised = |text: &Document| {
            let text = String::from_utf8_lossy(&text.bytes).into_owned();
            match self.rule {
                Rule::Unique => text,
                Rule::Lower => text.to_lowercase(),
                Rule::Upper => text.to_uppercase(),
            }
        };
        if self.rule == Rule::Unique && self.is_taken(&write) {
            return Outcome::Blocked("another document has this text".into());
        }
        let wanted = write.document.clone();
        let stored = wanted.as_ref().map(|document| Document::of_content(normalised(document)));
        let exact = stored.as_ref().map(|d| &d.bytes) == wanted.as_ref().map(|d| &d.bytes);
        let document = if exact { wanted } else { stored.clone() };
        match (self.documents.apply(vec![Write { document, ..write }]).await.pop(), stored) {
            (Some(Outcome::Done), Some(stored)) if !exact => Outcome::DoneAs(stored.revision),
            (outcome, _) => outcome.unwrap_or(Outcome::Changed),
        }
    }
}

#[async_trait]
impl Database for PeculiarDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        self.documents.list()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        self.documents.get(id).await
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        self.documents.revisions(ids).await
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        self.log().push(batch.clone());
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            outcomes.push(self.write(write).await);
        }
        outcomes
    }
}
