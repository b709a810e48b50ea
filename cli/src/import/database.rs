//! The documents of an old storage as a database that is only read.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::{
    BoxError, Database, Document, DocumentId, Error, Listed, Outcome, Revision, Write,
};
use futures::StreamExt;
use futures::stream::BoxStream;
use tokio::task::JoinHandle;

use super::files::Patient;
use super::log::OldDocument;
use super::record;

/// A push reads one document after another, in the order of their keys: so many are read ahead.
const AHEAD: usize = 8;

/// A file that is being read.
type Reading = JoinHandle<Result<Option<Bytes>, Error>>;

/// The documents. Nobody edits them: a revision that was read stays.
#[derive(Debug)]
pub(super) struct OldDatabase {
    files: Patient,
    /// In the order of their keys.
    documents: Vec<OldDocument>,
    places: HashMap<DocumentId, usize>,
    revisions: Mutex<HashMap<DocumentId, Revision>>,
    reads: Mutex<HashMap<usize, Reading>>,
}

impl OldDatabase {
    pub(super) fn new(files: Patient, mut documents: Vec<OldDocument>) -> Self {
        documents.sort_by_cached_key(|document| document.id.to_key());
        let places = documents.iter().enumerate().map(|(i, old)| (old.id.clone(), i)).collect();
        let (revisions, reads) = (Mutex::default(), Mutex::default());
        Self { files, documents, places, revisions, reads }
    }

    /// Reads a file, and begins to read those behind it.
    async fn read(&self, place: usize) -> Result<Option<Bytes>, BoxError> {
        let begun = {
            let mut reads = lock(&self.reads);
            let window = place..(place + 1 + AHEAD).min(self.documents.len());
            reads.retain(|i, read| {
                let is_wanted = window.contains(i);
                if !is_wanted {
                    read.abort();
                }
                is_wanted
            });
            for i in window {
                reads.entry(i).or_insert_with(|| self.begin(i));
            }
            reads.remove(&place)
        };
        match begun {
            Some(read) => Ok(read.await??),
            None => Ok(None),
        }
    }

    fn begin(&self, place: usize) -> Reading {
        let path = self.documents.get(place).map(|old| old.path.clone()).unwrap_or_default();
        let files = self.files.clone();
        tokio::spawn(async move { files.get(&path).await })
    }
}

impl Drop for OldDatabase {
    fn drop(&mut self) {
        lock(&self.reads).drain().for_each(|(_, read)| read.abort());
    }
}

#[async_trait]
impl Database for OldDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        let listed = |old: &OldDocument| Ok(Listed { id: old.id.clone(), revision: Ok(None) });
        futures::stream::iter(self.documents.iter().map(listed)).boxed()
    }

    /// What is missing or damaged is an error: it is reported by its id, and the others are imported.
    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        let place = self.places.get(id).copied();
        let found = place.and_then(|place| Some((place, self.documents.get(place)?)));
        let Some((place, old)) = found else { return Ok(None) };
        let Some(bytes) = self.read(place).await? else {
            return Err(format!("its file {} is missing in the old storage", old.path).into());
        };
        let document = record::document(&bytes, old.revision.as_ref());
        let document =
            document.map_err(|why| format!("its file {} is damaged: {why}", old.path))?;
        lock(&self.revisions).insert(id.clone(), document.revision.clone());
        Ok(Some(document))
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        let mut revisions = Vec::with_capacity(ids.len());
        for id in ids {
            let known = lock(&self.revisions).get(id).cloned();
            revisions.push(match known {
                Some(revision) => Ok(Some(revision)),
                None => self.get(id).await.map(|document| document.map(|d| d.revision)),
            });
        }
        revisions
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let refused = |_| Outcome::Refused("the old storage is only read".into());
        batch.into_iter().map(refused).collect()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
    use std::time::Duration;

    use db_to_cloud::memory::{MemoryAdapter, MemoryState};
    use db_to_cloud::{Client, DeferAll, ErrorKind};

    use super::super::files::Files;
    use super::*;

    /// Files that take their time, and fail at first.
    #[derive(Debug, Default)]
    struct Slow {
        reads: AtomicUsize,
        now: AtomicUsize,
        most: AtomicUsize,
        failures: AtomicUsize,
    }

    #[async_trait]
    impl Files for Slow {
        async fn names(&self, _folder: &str) -> Result<Vec<String>, Error> {
            Ok(Vec::new())
        }

        async fn get(&self, path: &str) -> Result<Option<Bytes>, Error> {
            self.most.fetch_max(self.now.fetch_add(1, SeqCst) + 1, SeqCst);
            tokio::time::sleep(Duration::from_millis(5)).await;
            self.now.fetch_sub(1, SeqCst);
            if self.failures.fetch_add(1, SeqCst) < 2 {
                return Err(Error::new(ErrorKind::Unavailable, "read").with_key(path));
            }
            self.reads.fetch_add(1, SeqCst);
            Ok(Some(format!(r#"{{"doc":"{path}","_rev":1}}"#).into()))
        }

        fn place(&self, path: &str) -> Option<String> {
            Some(path.to_owned())
        }
    }

    #[tokio::test]
    async fn each_file_is_read_once_and_many_at_a_time() {
        let ids = (0..60).map(DocumentId::from).chain(["b", "a"].map(DocumentId::from));
        let old = |id: DocumentId| OldDocument { path: id.to_string(), id, revision: None };
        let slow = Arc::new(Slow::default());
        let database = OldDatabase::new(Patient::new(slow.clone()), ids.map(old).collect());
        let (storage, state) = (Arc::new(MemoryAdapter::new()), Arc::new(MemoryState::new()));
        let client = Client::builder(storage, Arc::new(database), state, Arc::new(DeferAll));
        let report = client.build().sync().await.unwrap();
        assert_eq!((report.pushed, report.deferred), (62, Vec::new()));
        assert_eq!(slow.reads.load(SeqCst), 62);
        assert_eq!(slow.most.load(SeqCst), 1 + AHEAD);
    }
}
