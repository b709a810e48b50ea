//! Client state in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::local::state::{Claim, StateError, StateStore, Table, Update, Written};

type Records = BTreeMap<Table, BTreeMap<String, Vec<u8>>>;

/// Client state in memory, shared by its clones: for tests and examples. It is lost with the
/// process, so a client that uses it starts anew each time.
#[derive(Clone, Debug, Default)]
pub struct MemoryState {
    records: Arc<Mutex<Records>>,
    claimed: Arc<AtomicBool>,
}

#[derive(Debug)]
struct Guard(Arc<AtomicBool>);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.store(false, Ordering::SeqCst);
    }
}

impl MemoryState {
    /// The state of a client that never synced.
    pub fn new() -> Self {
        Self::default()
    }

    /// A copy that shares nothing with this one, such as a backup.
    pub fn snapshot(&self) -> Self {
        Self { records: Arc::new(Mutex::new(self.records().clone())), claimed: Arc::default() }
    }

    fn records(&self) -> MutexGuard<'_, Records> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl StateStore for MemoryState {
    async fn claim(&self) -> Result<Claim, StateError> {
        if self.claimed.swap(true, Ordering::SeqCst) {
            return Err(StateError::Busy);
        }
        Ok(Box::new(Guard(self.claimed.clone())))
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let records = self.records();
        Ok(keys.iter().map(|key| records.get(&table)?.get(key).cloned()).collect())
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let records = self.records();
        let found = records.get(&table).into_iter();
        let found = found.flat_map(|records| records.range::<str, _>((start, Bound::Unbounded)));
        Ok(found.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        Ok(self.records().get(&table).map_or(0, BTreeMap::len) as u64)
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        let mut records = self.records();
        for Update { table, key, value } in expected {
            if records.get(&table).and_then(|records| records.get(&key)) != value.as_ref() {
                return Ok(Written::Changed);
            }
        }
        for Update { table, key, value } in updates {
            let records = records.entry(table).or_default();
            match value {
                Some(value) => records.insert(key, value),
                None => records.remove(&key),
            };
        }
        Ok(Written::Done)
    }
}
