//! Client state and documents whose operations are steps too.

use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::memory::{MemoryDatabase, MemoryState};
use db_to_cloud::state::{Claim, Sibling, StateError, StateStore, Table, Turn, Update, Written};
use db_to_cloud::{
    BoxError, Database, Document, DocumentId, Listed, Outcome, Revision, Selects, Write,
};
use futures::stream::BoxStream;

use crate::{Chosen, Steps};

pub(crate) struct SteppedState(pub MemoryState, pub Steps);

#[async_trait]
impl StateStore for SteppedState {
    fn place(&self) -> Option<String> {
        self.0.place()
    }

    async fn claim(&self) -> Result<Claim, StateError> {
        self.0.claim().await
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.1.take_turns().await;
        self.0.read(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        self.1.take_turns().await;
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
        self.1.step().await;
        self.1.take_turns().await;
        let written = self.0.write(expected, updates).await;
        self.1.step().await;
        written
    }

    async fn siblings(&self, key: &str) -> Result<Vec<(Sibling, Option<Vec<u8>>)>, StateError> {
        self.0.siblings(key).await
    }

    async fn read_siblings(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Vec<Option<Vec<u8>>>>, StateError> {
        self.0.read_siblings(table, keys).await
    }

    async fn turn_to(&self, turn: Turn) -> Result<bool, StateError> {
        self.1.step().await;
        let turned = self.0.turn_to(turn).await;
        self.1.step().await;
        turned
    }

    async fn keep_apart(&self) -> Result<bool, StateError> {
        self.1.step().await;
        let kept = self.0.keep_apart().await;
        self.1.step().await;
        kept
    }
}

pub(crate) struct SteppedDatabase(pub MemoryDatabase, pub Steps, pub Chosen);

#[async_trait]
impl Database for SteppedDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        self.0.list()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        self.0.get(id).await
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        self.0.revisions(ids).await
    }

    /// Each write of a batch is a step: a device may stop between two of them.
    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(batch.len());
        for write in batch {
            self.1.step().await;
            outcomes.extend(self.0.apply(vec![write]).await);
            self.1.step().await;
        }
        outcomes
    }

    async fn selection(&self) -> Result<Option<Arc<dyn Selects>>, BoxError> {
        self.2.selection()
    }
}
