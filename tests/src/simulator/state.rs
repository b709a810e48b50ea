//! A device's client state: each operation is a place to stop at, and each write is looked at.

use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::CommitId;
use db_to_cloud::memory::MemoryState;
use db_to_cloud::state::{Claim, StateError, StateStore, Table, Update, Written};
use serde::Deserialize;

use super::invariants;
use super::shared::Shared;

/// Where a client is in the log, as its record says.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Place {
    pub version: u64,
    pub anchor: Option<CommitId>,
    #[serde(default)]
    pub generation: u64,
}

#[derive(Clone)]
pub(super) struct WatchedState {
    pub shared: Arc<Shared>,
    pub device: usize,
    pub state: MemoryState,
}

/// Reads without waiting for anybody.
pub(super) fn at_once<T>(future: impl Future<Output = T>) -> Option<T> {
    futures::FutureExt::now_or_never(future)
}

/// A record of a state.
pub(super) fn record(state: &MemoryState, table: Table, key: &str) -> Option<Vec<u8>> {
    let keys = [key.to_owned()];
    at_once(state.read(table, &keys))?.ok()?.pop().flatten()
}

/// All records of a table.
pub(super) fn records(state: &MemoryState, table: Table) -> Vec<(String, Vec<u8>)> {
    at_once(state.scan(table, None, usize::MAX >> 1)).and_then(Result::ok).unwrap_or_default()
}

pub(super) fn place(state: &MemoryState) -> Place {
    let place = record(state, Table::Metadata, "position");
    place.and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default()
}

#[async_trait]
impl StateStore for WatchedState {
    fn place(&self) -> Option<String> {
        self.state.place()
    }

    async fn claim(&self) -> Result<Claim, StateError> {
        self.state.claim().await
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        self.shared.maybe_gate(self.device).await;
        self.state.read(table, keys).await
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        self.shared.maybe_gate(self.device).await;
        self.state.scan(table, after, limit).await
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        self.state.count(table).await
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        self.shared.gate(self.device).await;
        let before = place(&self.state);
        let written = self.state.write(expected, updates).await;
        let after = place(&self.state);
        invariants::a_version_never_goes_back(&self.shared, self.device, &before, &after);
        invariants::readers_stand_in_the_log(&self.shared, self.device, &after);
        self.shared.gate(self.device).await;
        written
    }
}
