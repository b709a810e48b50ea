//! Client state in memory.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use async_trait::async_trait;

use super::place::{Place, States};
use crate::local::state::{Claim, Sibling, StateError, StateStore, Table, Turn, Update, Written};

/// Client state in memory, shared by its clones: for tests and examples. It is lost with the
/// process, so a client that uses it starts anew each time.
#[derive(Clone, Debug)]
pub struct MemoryState {
    place: Place,
    address: Arc<str>,
    /// The number of the state that was used last; 0 if none was.
    known: Arc<AtomicI64>,
}

/// Gives the claim of a state back.
#[derive(Debug)]
struct Guard(Place, i64);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.states().claimed.remove(&self.1);
    }
}

impl Default for MemoryState {
    fn default() -> Self {
        Self::of(Place::default(), "".into())
    }
}

impl MemoryState {
    fn of(place: Place, address: Arc<str>) -> Self {
        Self { place, address, known: Arc::default() }
    }

    /// The number of the state, and the one that was used last.
    fn look_up(&self, states: &mut States) -> (i64, i64) {
        let number = states.number(&self.address);
        (number, self.known.swap(number, SeqCst))
    }

    /// The state of a client that never synced.
    pub fn new() -> Self {
        Self::default()
    }

    /// The state for another address in the same place, as another one in the same file would be.
    pub fn at(&self, address: &str) -> Self {
        Self::of(self.place.clone(), address.into())
    }

    /// A copy that shares nothing with this one, such as a backup.
    pub fn snapshot(&self) -> Self {
        Self::of(self.place.copy(), self.address.clone())
    }

    /// This state as it is found by the next process, where this one was stopped: no claim is left.
    #[must_use]
    pub fn reopen(&self) -> Self {
        Self::of(self.place.reopen(), self.address.clone())
    }
}

#[async_trait]
impl StateStore for MemoryState {
    fn place(&self) -> Option<String> {
        Some(self.place.number().to_string())
    }

    async fn claim(&self) -> Result<Claim, StateError> {
        let mut states = self.place.states();
        let (number, _) = self.look_up(&mut states);
        if !states.claimed.insert(number) {
            return Err(StateError::Busy);
        }
        Ok(Box::new(Guard(self.place.clone(), number)))
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let mut states = self.place.states();
        self.look_up(&mut states);
        let records = states.records(&self.address);
        Ok(keys.iter().map(|key| records.get(&table)?.get(key).cloned()).collect())
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        let mut states = self.place.states();
        self.look_up(&mut states);
        let records = states.records(&self.address);
        let found = records.get(&table).into_iter();
        let found = found.flat_map(|records| records.range::<str, _>((start, Bound::Unbounded)));
        Ok(found.take(limit).map(|(key, value)| (key.clone(), value.clone())).collect())
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        let mut states = self.place.states();
        self.look_up(&mut states);
        Ok(states.records(&self.address).get(&table).map_or(0, BTreeMap::len) as u64)
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        let mut states = self.place.states();
        let (number, known) = self.look_up(&mut states);
        // What was read before was read of another state.
        match (known == 0 || known == number, expected.is_empty()) {
            (true, _) => {}
            (false, false) => return Ok(Written::Changed),
            (false, true) => return Err(StateError::Store("the address turned".into())),
        }
        let records = states.records(&self.address);
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

    async fn siblings(&self, key: &str) -> Result<Vec<(Sibling, Option<Vec<u8>>)>, StateError> {
        Ok(self.place.states().siblings(&self.address, key))
    }

    async fn read_siblings(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Vec<Option<Vec<u8>>>>, StateError> {
        Ok(self.place.states().read_siblings(&self.address, table, keys))
    }

    async fn turn_to(&self, turn: Turn) -> Result<bool, StateError> {
        let mut states = self.place.states();
        states.turn_to(&self.address, turn)?;
        self.look_up(&mut states);
        Ok(true)
    }

    async fn keep_apart(&self) -> Result<bool, StateError> {
        let mut states = self.place.states();
        let is_apart = states.keep_apart(&self.address);
        self.look_up(&mut states);
        Ok(is_apart)
    }
}
