//! Storage, client state and documents of a device, whose operations are moments.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::state::{Claim, StateError, StateStore, Table, Update, Written};
use db_to_cloud::{
    Adapter, BoxError, Capabilities, ChangeTracking, Created, Database, Document, DocumentId,
    Effect, Error, ErrorKind, Folder, Joined, Key, Listed, Missing, Outcome, Page, Revision,
    Settling, Write,
};
use db_to_cloud_fs::FsAdapter;
use futures::stream::BoxStream;

use crate::moments::Moments;

/// A part of a device, and its moments.
pub(crate) struct Disturbed<T>(pub T, pub Moments);

impl<T> fmt::Debug for Disturbed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Disturbed")
    }
}

/// The answer of a write that was made is lost: whether it was is unknown.
fn unknown(error: Error) -> Error {
    Error::new(ErrorKind::Forbidden, error.operation())
        .with_effect(Effect::Unknown)
        .with_message("the test loses this answer")
}

#[async_trait]
impl Adapter for Disturbed<FsAdapter> {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        self.1.request("get").await?;
        self.0.get(key).await
    }

    async fn get_start(&self, key: &Key, at_most: usize) -> Result<Option<Bytes>, Error> {
        self.1.request("get").await?;
        self.0.get_start(key, at_most).await
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        self.1.request("list").await?;
        self.0.names(folder, at_most).await
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.1.request("put").await?;
        self.0.put(key, bytes).await?;
        self.1.request("put").await.map_err(unknown)
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        self.1.request("create").await?;
        let created = self.0.create(key, bytes).await?;
        self.1.request("create").await.map_err(unknown)?;
        Ok(created)
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.1.request("delete").await?;
        self.0.delete(key).await
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        self.1.request("list").await?;
        self.0.list(folder, page).await
    }
}

#[async_trait]
impl StateStore for Disturbed<Arc<dyn StateStore>> {
    fn place(&self) -> Option<String> {
        self.0.place()
    }

    /// The documents are disturbed likewise.
    fn shared(&self) -> Option<&(dyn Any + Send + Sync)> {
        self.0.shared()
    }

    async fn claim(&self) -> Result<Claim, StateError> {
        self.0.claim().await
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.0.read(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        self.0.scan(table, after, limit).await
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        self.0.count(table).await
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        self.1.pass().await;
        let written = self.0.write(expected, updates).await;
        self.1.pass().await;
        written
    }
}

#[async_trait]
impl Database for Disturbed<Arc<dyn Database>> {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        self.0.list()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        self.1.pass().await;
        self.0.get(id).await
    }

    async fn get_some(
        &self,
        ids: &[DocumentId],
        enough: u64,
    ) -> Vec<Result<Option<Document>, BoxError>> {
        self.1.pass().await;
        self.0.get_some(ids, enough).await
    }

    async fn missing(&self) -> Result<Vec<Missing>, BoxError> {
        let missing = self.0.missing().await;
        self.1.pass().await;
        missing
    }

    fn guards_overwrites(&self) -> bool {
        self.0.guards_overwrites()
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        let revisions = self.0.revisions(ids).await;
        self.1.pass().await;
        revisions
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        self.1.before_apply(&batch).await;
        let outcomes = self.0.apply(batch).await;
        self.1.after_apply().await;
        outcomes
    }

    fn joined(&self, state: &(dyn Any + Send + Sync)) -> Option<Arc<dyn Joined>> {
        Some(Arc::new(Disturbed(self.0.joined(state)?, self.1.clone())))
    }

    fn tracking(&self) -> ChangeTracking {
        self.0.tracking()
    }

    async fn epochs(&self, ids: &[DocumentId]) -> Vec<u64> {
        self.0.epochs(ids).await
    }
}

#[async_trait]
impl Joined for Disturbed<Arc<dyn Joined>> {
    async fn apply(&self, batch: Vec<Settling>) -> Result<Vec<Outcome>, StateError> {
        let writes: Vec<_> = batch.iter().map(|settling| settling.write.clone()).collect();
        self.1.before_apply(&writes).await;
        let outcomes = self.0.apply(batch).await;
        self.1.after_apply().await;
        outcomes
    }
}
