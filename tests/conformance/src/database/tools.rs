//! What the cases share.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use db_to_cloud::{BoxError, Database, Document, DocumentId, Outcome, Revision, Write};
use futures::StreamExt;

use super::Application;
use crate::context::{CaseResult, Stop, check, equal};

/// One for each case.
pub(super) struct Context<'a> {
    make: &'a (dyn Fn() -> Arc<dyn Application> + Sync),
    pub(super) app: Arc<dyn Application>,
}

impl<'a> Context<'a> {
    pub(super) fn new(make: &'a (dyn Fn() -> Arc<dyn Application> + Sync)) -> Self {
        Self { make, app: make() }
    }

    /// These documents as another device has them, which all can be there at the same time.
    pub(super) async fn elsewhere(
        &self,
        documents: &[(DocumentId, Bytes)],
    ) -> CaseResult<Vec<Document>> {
        let other = (self.make)();
        documents_of(&*other, documents).await
    }

    /// A version of the first so many documents as another device has them.
    pub(super) async fn version(&self, count: usize, version: usize) -> CaseResult<Vec<Document>> {
        let documents: Vec<_> =
            (0..count).map(|n| (self.app.id(n), self.app.bytes(n, version))).collect();
        self.elsewhere(&documents).await
    }

    /// The application makes its first so many documents; the revisions that they have.
    pub(super) async fn edit_all(
        &self,
        database: &dyn Database,
        count: usize,
        version: usize,
    ) -> CaseResult<Vec<Revision>> {
        let mut revisions = Vec::new();
        for n in 0..count {
            self.app.edit(&self.app.id(n), Some(&self.app.bytes(n, version)));
            revisions.push(revision(database, &self.app.id(n)).await?);
        }
        revisions.into_iter().map(|found| found.ok_or_else(|| missing("an edit"))).collect()
    }
}

/// The application makes these documents, and they are read.
pub(super) async fn documents_of(
    app: &dyn Application,
    documents: &[(DocumentId, Bytes)],
) -> CaseResult<Vec<Document>> {
    let database = app.open().await;
    for (id, bytes) in documents {
        app.edit(id, Some(bytes));
    }
    let mut read = Vec::new();
    for (id, bytes) in documents {
        let document = get(&*database, id).await?.ok_or_else(|| missing("an edit"))?;
        equal!(document.bytes, bytes, "{id:?} as the application made it");
        read.push(document);
    }
    Ok(read)
}

fn missing(what: &str) -> Stop {
    Stop::Failed(format!("{what} is not there"))
}

impl From<BoxError> for Stop {
    fn from(error: BoxError) -> Self {
        Self::with_sources(&*error)
    }
}

/// A need that is not met.
pub(super) fn need<T>(found: Option<T>, what: &str) -> CaseResult<T> {
    found.ok_or_else(|| Stop::Skipped(format!("the application has no {what}")))
}

pub(super) fn put(id: DocumentId, document: &Document, expected: Option<Revision>) -> Write {
    Write { id, document: Some(document.clone()), expected, moved_from: None }
}

pub(super) fn delete(id: DocumentId, expected: Option<Revision>) -> Write {
    Write { id, document: None, expected, moved_from: None }
}

/// Applies a batch; there is an outcome for each write.
pub(super) async fn apply(database: &dyn Database, batch: Vec<Write>) -> CaseResult<Vec<Outcome>> {
    let count = batch.len();
    let outcomes = database.apply(batch).await;
    equal!(outcomes.len(), count, "outcomes of a batch");
    Ok(outcomes)
}

/// Applies a batch whose writes are all made, to the byte.
pub(super) async fn apply_all(database: &dyn Database, batch: Vec<Write>) -> CaseResult {
    let ids: Vec<_> = batch.iter().map(|write| write.id.clone()).collect();
    for (id, outcome) in ids.iter().zip(apply(database, batch).await?) {
        check!(matches!(outcome, Outcome::Done), "{id:?}: {outcome:?} instead of Done");
    }
    Ok(())
}

pub(super) async fn get(database: &dyn Database, id: &DocumentId) -> CaseResult<Option<Document>> {
    Ok(database.get(id).await?)
}

pub(super) async fn revision(
    database: &dyn Database,
    id: &DocumentId,
) -> CaseResult<Option<Revision>> {
    let mut revisions = database.revisions(std::slice::from_ref(id)).await;
    equal!(revisions.len(), 1, "revisions of one document");
    Ok(revisions.remove(0)?)
}

/// The document is this one, however it is asked for.
pub(super) async fn expect(
    database: &dyn Database,
    id: &DocumentId,
    document: Option<&Document>,
) -> CaseResult {
    // The bytes first: a test may say no more than their length.
    let found = get(database, id).await?;
    let bytes = |document: Option<&Document>| document.map(|document| document.bytes.clone());
    check!(
        bytes(found.as_ref()) == bytes(document),
        "{id:?} is {found:?} instead of {document:?}, or has other bytes"
    );
    equal!(found.as_ref(), document, "{id:?}");
    let revision = revision(database, id).await?;
    equal!(revision.as_ref(), document.map(|d| &d.revision).as_ref().copied(), "{id:?}");
    Ok(())
}

/// The list: each document once.
pub(super) async fn list(
    database: &dyn Database,
) -> CaseResult<BTreeMap<String, Result<Option<Revision>, BoxError>>> {
    let mut all = BTreeMap::new();
    let mut stream = database.list();
    while let Some(listed) = stream.next().await {
        let listed = listed?;
        let before = all.insert(listed.id.to_key(), listed.revision);
        check!(before.is_none(), "{:?} is listed twice", listed.id);
    }
    Ok(all)
}
