//! A storage in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;

use crate::model::{Error, Folder, Key};
use crate::storage::{Adapter, Atomicity, Capabilities, Copied, Created, Page};

/// A storage in memory, shared by its clones: for tests and examples.
#[derive(Clone, Debug, Default)]
pub struct MemoryAdapter {
    objects: Arc<Mutex<BTreeMap<Key, Bytes>>>,
    weak: bool,
}

/// Keys on one page of a list; small, so that tests meet a second page.
const PAGE: usize = 1000;

impl MemoryAdapter {
    /// An empty storage.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty storage that says it has no atomic create.
    pub fn weak() -> Self {
        Self { weak: true, ..Self::default() }
    }

    /// All objects, for tests that look at or damage what is stored.
    pub fn objects(&self) -> MutexGuard<'_, BTreeMap<Key, Bytes>> {
        self.objects.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Adapter for MemoryAdapter {
    fn capabilities(&self) -> Capabilities {
        let create = if self.weak { Atomicity::Weak } else { Atomicity::Atomic };
        Capabilities { create, ..Capabilities::default() }
    }

    async fn get(&self, key: &Key) -> Result<Option<Bytes>, Error> {
        Ok(self.objects().get(key).cloned())
    }

    async fn put(&self, key: &Key, bytes: Bytes) -> Result<(), Error> {
        self.objects().insert(key.clone(), bytes);
        Ok(())
    }

    async fn create(&self, key: &Key, bytes: Bytes) -> Result<Created, Error> {
        let mut objects = self.objects();
        if objects.contains_key(key) {
            return Ok(Created::Occupied);
        }
        objects.insert(key.clone(), bytes);
        Ok(Created::New)
    }

    async fn copy(&self, from: &Key, to: &Key) -> Result<Copied, Error> {
        let mut objects = self.objects();
        let Some(bytes) = objects.get(from).cloned() else { return Ok(Copied::Missing) };
        objects.insert(to.clone(), bytes);
        Ok(Copied::Done)
    }

    async fn delete(&self, key: &Key) -> Result<(), Error> {
        self.objects().remove(key);
        Ok(())
    }

    async fn list(&self, folder: Folder, page: Option<&str>) -> Result<Page, Error> {
        let objects = self.objects();
        let in_folder = |key: &&Key| key.split().is_some_and(|(f, _)| f == folder.name());
        let after = |key: &&Key| page.is_none_or(|last| key.as_str() > last);
        let mut keys: Vec<_> = objects.keys().filter(in_folder).filter(after).cloned().collect();
        let more = keys.len() > PAGE;
        keys.truncate(PAGE);
        let next = keys.last().filter(|_| more).map(Key::to_string);
        Ok(Page { keys, next })
    }

    async fn names(&self, folder: Option<Folder>, at_most: usize) -> Result<Vec<String>, Error> {
        let objects = self.objects();
        let name = |key: &Key| match (key.split(), folder) {
            (Some((place, _)), None) => Some(format!("{place}/")),
            (Some((place, name)), Some(folder)) => {
                (place == folder.name()).then(|| name.to_owned())
            }
            (None, None) => Some(key.to_string()),
            (None, Some(_)) => None,
        };
        let names: BTreeSet<_> = objects.keys().filter_map(name).collect();
        Ok(names.into_iter().take(at_most).collect())
    }
}
