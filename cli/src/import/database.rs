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

/// The documents. Nobody edits them: a revision that was read stays.
#[derive(Debug)]
pub(super) struct OldDatabase {
    files: Patient,
    /// In the order of their keys.
    documents: Vec<OldDocument>,
    places: HashMap<DocumentId, usize>,
    revisions: Mutex<HashMap<DocumentId, Revision>>,
    reads: Mutex<HashMap<usize, JoinHandle<Result<Option<Bytes>, Error>>>>,
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

    fn begin(&self, place: usize) -> JoinHandle<Result<Option<Bytes>, Error>> {
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
