//! What a device asked of the storage, in order.

use std::sync::{Arc, Mutex, PoisonError};

/// The requests of one device: `get lock.json`, `put docs/…`.
#[derive(Clone, Debug, Default)]
pub struct Journal(Arc<Mutex<Vec<String>>>);

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

    fn lines(&self) -> std::sync::MutexGuard<'_, Vec<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
