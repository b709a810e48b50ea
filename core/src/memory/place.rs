//! Client states in memory that lie in one place, as in one file.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::local::state::{Sibling, StateError, Table, Turn};

pub(super) type Records = BTreeMap<Table, BTreeMap<String, Vec<u8>>>;

/// States of several storages, and the addresses that lead to them.
#[derive(Clone, Debug, Default)]
pub(super) struct States {
    states: BTreeMap<i64, Records>,
    addresses: BTreeMap<String, i64>,
    pub(super) claimed: BTreeSet<i64>,
    /// The greatest number that a state ever had.
    last: i64,
}

/// The same, shared; and the number of the place.
#[derive(Clone, Debug)]
pub(super) struct Place(Arc<Mutex<States>>, u64);

impl Default for Place {
    fn default() -> Self {
        Self(Arc::default(), number())
    }
}

/// A number that no place has yet.
fn number() -> u64 {
    static PLACES: AtomicU64 = AtomicU64::new(0);
    PLACES.fetch_add(1, Relaxed)
}

impl Place {
    pub(super) fn number(&self) -> u64 {
        self.1
    }

    pub(super) fn states(&self) -> MutexGuard<'_, States> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A copy that shares nothing with this one. No state of it is claimed.
    pub(super) fn copy(&self) -> Self {
        Self(self.reopen().0, number())
    }

    /// The same without its claims, as after the end of the process.
    pub(super) fn reopen(&self) -> Self {
        let states = States { claimed: BTreeSet::new(), ..self.states().clone() };
        Self(Arc::new(Mutex::new(states)), self.1)
    }
}

impl States {
    /// The number of the state to which an address leads, a new one if need be.
    pub(super) fn number(&mut self, address: &str) -> i64 {
        match self.addresses.get(address) {
            Some(number) => *number,
            None => self.lead(address, Records::new()),
        }
    }

    pub(super) fn records(&mut self, address: &str) -> &mut Records {
        let number = self.number(address);
        self.states.entry(number).or_default()
    }

    /// The address leads to a new state with these records.
    fn lead(&mut self, address: &str, records: Records) -> i64 {
        self.last += 1;
        self.states.insert(self.last, records);
        self.addresses.insert(address.to_owned(), self.last);
        self.last
    }

    pub(super) fn siblings(&mut self, address: &str, key: &str) -> Vec<(Sibling, Option<Vec<u8>>)> {
        let own = self.number(address);
        let others = self.states.iter().filter(|(number, _)| **number != own);
        let record = |records: &Records| records.get(&Table::Metadata)?.get(key).cloned();
        others.map(|(number, records)| (Sibling(*number), record(records))).collect()
    }

    pub(super) fn read_siblings(
        &mut self,
        address: &str,
        table: Table,
        keys: &[String],
    ) -> Vec<Vec<Option<Vec<u8>>>> {
        let own = self.number(address);
        let others = self.states.iter().filter(|(number, _)| **number != own);
        let value = |records: &Records, key| records.get(&table)?.get(key).cloned();
        others.map(|(_, records)| keys.iter().map(|key| value(records, key)).collect()).collect()
    }

    pub(super) fn turn_to(&mut self, address: &str, turn: Turn) -> Result<(), StateError> {
        let own = self.number(address);
        let is_known = |n: &i64| *n != own && self.states.contains_key(n);
        let to = match turn {
            Turn::Share(Sibling(n)) | Turn::Replace(Sibling(n)) if is_known(&n) => {
                self.addresses.insert(address.to_owned(), n);
                n
            }
            Turn::Copy(Sibling(n)) if is_known(&n) => {
                let records = self.states.get(&n).cloned().unwrap_or_default();
                self.lead(address, records)
            }
            Turn::New => self.lead(address, Records::new()),
            _ => return Err(StateError::Store("there is no such sibling".into())),
        };
        if matches!(turn, Turn::Replace(_) | Turn::Copy(_)) {
            self.states.remove(&own);
            self.addresses.values_mut().filter(|n| **n == own).for_each(|n| *n = to);
        }
        Ok(())
    }

    pub(super) fn keep_apart(&mut self, address: &str) -> bool {
        let own = self.number(address);
        let is_shared = self.addresses.iter().any(|(other, n)| other != address && *n == own);
        if is_shared {
            let records = self.states.get(&own).cloned().unwrap_or_default();
            self.lead(address, records);
        }
        is_shared
    }
}
