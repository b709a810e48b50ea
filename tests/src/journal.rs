//! What a device asked of the storage, in order.

use std::sync::{Arc, Mutex, PoisonError};

/// The requests of one device: `get lock.json`, `put docs/…`.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>, Arc<Mutex<Vec<Batch>>>);

/// One call for many objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// `get`, `put`, `copy` or `delete`.
    pub operation: &'static str,
    /// How many objects.
    pub items: usize,
    /// How many bytes are put.
    pub bytes: usize,
}

impl Journal {
    pub(crate) fn note(&self, operation: &str, name: &str) {
        self.lines().push(format!("{operation} {name}"));
    }

    /// All requests since the last call. Of documents and snapshots only the folder is named.
    pub fn take(&self) -> Vec<String> {
        let lines = std::mem::take(&mut *self.lines());
        let short = |line: String| match line.split_once("/") {
            Some((folder, _)) if !line.contains("changes/") => format!("{folder}/…"),
            _ => line,
        };
        lines.into_iter().map(short).collect()
    }

    pub(crate) fn note_batch(&self, operation: &'static str, items: usize, bytes: usize) {
        self.batches().push(Batch { operation, items, bytes });
    }

    /// The calls for many objects since the last time.
    pub fn take_batches(&self, operation: &str) -> Vec<Batch> {
        let batches = std::mem::take(&mut *self.batches());
        batches.into_iter().filter(|batch| batch.operation == operation).collect()
    }

    fn batches(&self) -> std::sync::MutexGuard<'_, Vec<Batch>> {
        self.1.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
