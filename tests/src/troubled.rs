//! Documents that cannot be read or written, and edits that come at the worst moment.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use db_to_cloud::memory::MemoryDatabase;
use db_to_cloud::{
    BoxError, ChangeTracking, Database, Document, DocumentId, Listed, Outcome, Revision, Selects,
    Write,
};
use futures::StreamExt;
use futures::stream::BoxStream;

use crate::Chosen;

/// A device's documents with troubles that a test asks for. The clones are one database.
#[derive(Clone, Default)]
pub struct TroubledDatabase {
    documents: MemoryDatabase,
    /// Which documents are synced.
    pub chosen: Chosen,
    troubles: Arc<Mutex<Troubles>>,
}

#[derive(Default)]
struct Troubles {
    unreadable: HashSet<DocumentId>,
    unlisted: HashSet<DocumentId>,
    refused: HashSet<DocumentId>,
    transactional: bool,
    unknown_revisions: bool,
    reads: usize,
    /// How many documents each call that reads several has answered; `None` if each reads one.
    together: Option<Vec<usize>>,
    revisions_asked: usize,
    before_apply: VecDeque<Box<dyn FnOnce() + Send>>,
    /// Another number each time that the troubles end.
    epoch: u64,
}

impl TroubledDatabase {
    /// No troubles yet with these documents.
    pub fn of(documents: &MemoryDatabase) -> Self {
        Self { documents: documents.clone(), ..Self::default() }
    }

    /// The document exists but cannot be read: it is listed with an error.
    pub fn make_unreadable(&self, id: impl Into<DocumentId>) {
        self.troubles().unreadable.insert(id.into());
    }

    /// The document exists and can be read, but is not listed: the application ignores it by now.
    pub fn unlist(&self, id: impl Into<DocumentId>) {
        self.troubles().unlisted.insert(id.into());
    }

    /// The application does not take this document.
    pub fn refuse(&self, id: impl Into<DocumentId>) {
        self.troubles().refused.insert(id.into());
    }

    /// The application says that it queues each edit in the transaction of the edit.
    pub fn queue_in_transactions(&self) {
        self.troubles().transactional = true;
    }

    /// No revision is known without reading the document, as of files that have just changed.
    pub fn list_without_revisions(&self) {
        self.troubles().unknown_revisions = true;
    }

    /// From now on documents are read several at a time.
    pub fn read_together(&self) {
        self.troubles().together = Some(Vec::new());
    }

    /// How many documents each such call has answered.
    pub fn read_at_once(&self) -> Vec<usize> {
        self.troubles().together.clone().unwrap_or_default()
    }

    /// How many documents were read since this was asked last.
    pub fn reads(&self) -> usize {
        std::mem::take(&mut self.troubles().reads)
    }

    /// How many revisions were asked for since this was asked last.
    pub fn revisions_asked(&self) -> usize {
        std::mem::take(&mut self.troubles().revisions_asked)
    }

    /// Just before the next write of a sync into the documents, the user acts.
    pub fn before_apply(&self, act: impl FnOnce() + Send + 'static) {
        self.troubles().before_apply.push_back(Box::new(act));
    }

    /// No more troubles.
    pub fn heal(&self) {
        let mut troubles = self.troubles();
        *troubles = Troubles { epoch: troubles.epoch + 1, ..Troubles::default() };
    }

    fn troubles(&self) -> MutexGuard<'_, Troubles> {
        self.troubles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn readable(&self, id: &DocumentId) -> Result<(), BoxError> {
        match self.troubles().unreadable.contains(id) {
            true => Err("the document cannot be read".into()),
            false => Ok(()),
        }
    }
}

impl std::fmt::Debug for TroubledDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TroubledDatabase")
    }
}

#[async_trait]
impl Database for TroubledDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        let unknown = self.troubles().unknown_revisions;
        let checked = move |listed: Result<Listed, BoxError>| {
            listed.map(|Listed { id, revision }| {
                let revision = self.readable(&id).and(revision);
                let revision = revision.map(|revision| revision.filter(|_| !unknown));
                Listed { id, revision }
            })
        };
        let unlisted = self.troubles().unlisted.clone();
        let shown = move |listed: &Result<Listed, BoxError>| {
            let hidden = matches!(listed, Ok(listed) if unlisted.contains(&listed.id));
            futures::future::ready(!hidden)
        };
        self.documents.list().filter(shown).map(checked).boxed()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        self.readable(id)?;
        self.troubles().reads += 1;
        self.documents.get(id).await
    }

    async fn get_some(
        &self,
        ids: &[DocumentId],
        enough: u64,
    ) -> Vec<Result<Option<Document>, BoxError>> {
        let most = if self.troubles().together.is_some() { ids.len() } else { 1 };
        let (mut documents, mut bytes) = (Vec::new(), 0);
        for id in ids.iter().take(most) {
            let document = self.get(id).await;
            bytes += document.iter().flatten().map(|d| d.bytes.len() as u64).sum::<u64>();
            documents.push(document);
            if bytes >= enough {
                break;
            }
        }
        if let Some(together) = &mut self.troubles().together {
            together.push(documents.len());
        }
        documents
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        self.troubles().revisions_asked += ids.len();
        let revisions = self.documents.revisions(ids).await;
        ids.iter().zip(revisions).map(|(id, r)| self.readable(id).and(r)).collect()
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            let act = self.troubles().before_apply.pop_front();
            if let Some(act) = act {
                act();
            }
            if self.troubles().refused.contains(&write.id) {
                let why = "the application does not take this document";
                outcomes.push(Outcome::Refused(why.into()));
                continue;
            }
            outcomes.extend(self.documents.apply(vec![write]).await);
        }
        outcomes
    }

    async fn epochs(&self, ids: &[DocumentId]) -> Vec<u64> {
        vec![self.troubles().epoch; ids.len()]
    }

    async fn selection(&self) -> Result<Option<Arc<dyn Selects>>, BoxError> {
        self.chosen.selection()
    }

    fn tracking(&self) -> ChangeTracking {
        match self.troubles().transactional {
            true => ChangeTracking::Transactional,
            false => ChangeTracking::Scanned,
        }
    }
}
