//! Client state in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::state::{Claim, State, StateError, Table, Update, Written};

type Records = BTreeMap<(Table, String), Vec<u8>>;

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
impl State for MemoryState {
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
        Ok(keys.iter().map(|key| records.get(&(table, key.clone())).cloned()).collect())
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let start = match after {
            Some(key) => Bound::Excluded((table, key.to_owned())),
            None => Bound::Included((table, String::new())),
        };
        let records = self.records();
        let in_table =
            records.range((start, Bound::Unbounded)).take_while(|((t, _), _)| *t == table);
        Ok(in_table.take(limit).map(|((_, key), value)| (key.clone(), value.clone())).collect())
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        Ok(self.records().keys().filter(|(t, _)| *t == table).count() as u64)
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        let mut records = self.records();
        for Update { table, key, value } in expected {
            if records.get(&(table, key)) != value.as_ref() {
                return Ok(Written::Changed);
            }
        }
        for Update { table, key, value } in updates {
            match value {
                Some(value) => records.insert((table, key), value),
                None => records.remove(&(table, key)),
            };
        }
        Ok(Written::Done)
    }
}
