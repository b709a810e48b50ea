//! A renamed document is not uploaded again (rule U9): the storage copies the object that has its bytes.

use std::collections::HashMap;

use super::Push;
use super::queue::Item;
use crate::local::state::Table;
use crate::model::format::Change;
use crate::model::{ContentHash, DocumentId, Error, Key};
use crate::model::{QueuedEdit, SyncedVersion};
use crate::storage::Copied;

const STEP: usize = 500;

/// The objects of documents that are gone here and whose delete is queued, by the hash of their bytes.
pub(super) type Sources = HashMap<ContentHash, Key>;

impl Push<'_> {
    /// An object with the bytes of a new document. Small documents are uploaded: their bytes take no
    /// longer than the request.
    pub(super) async fn source_of(&self, change: &Change) -> Result<Option<Key>, Error> {
        if change.body.is_some() || change.base.is_some() {
            return Ok(None);
        }
        let mut sources = self.sources.lock().await;
        let sources = match &mut *sources {
            Some(sources) => sources,
            none => none.insert(self.find_sources().await?),
        };
        Ok(sources.get(&change.hash).cloned())
    }

    /// Looks through the queue once. The objects found are those that the head of the log names, so
    /// that no garbage collection deletes them (rule G1).
    async fn find_sources(&self) -> Result<Sources, Error> {
        let (sync_state, mut sources) = (&self.cx.client.sync_state, Sources::new());
        let small = self.cx.client.config.sizes.body as u64;
        let mut pages = sync_state.pages::<QueuedEdit>(Table::Dirty, STEP);
        while let Some(page) = pages.next().await? {
            let ids: Vec<_> = page.into_iter().map(|(id, _)| id).collect();
            let synced = sync_state.indexed(&ids).await?;
            let large = |i: &SyncedVersion| !i.deleted && i.len > small;
            let large: Vec<_> = synced.into_iter().filter(|(_, i)| large(i)).collect();
            let ids: Vec<DocumentId> = large.iter().map(|(id, _)| id.clone()).collect();
            let revisions = self.cx.client.database.revisions(&ids).await;
            for ((id, version), revision) in large.into_iter().zip(revisions) {
                if matches!(revision, Ok(None)) {
                    sources.insert(version.hash, Key::document(&id, version.vid));
                }
            }
        }
        Ok(sources)
    }

    /// Has the storage copy what it has already; says of each item whether it did. Whatever else the
    /// storage answers, the bytes are uploaded.
    pub(super) async fn copy(&self, items: &[Item]) -> Vec<bool> {
        let mut copied = vec![false; items.len()];
        let source = |(i, item): (usize, &Item)| Some((i, item.source.clone()?, item.key.clone()));
        let pairs: Vec<_> = items.iter().enumerate().filter_map(source).collect();
        if pairs.is_empty() {
            return copied;
        }
        let total = pairs.iter().filter_map(|(i, ..)| items.get(*i)).map(|i| i.upload.change.len);
        let total = total.sum();
        let (places, pairs): (Vec<usize>, Vec<_>) =
            pairs.into_iter().map(|(i, from, to)| (i, (from, to))).unzip();
        let answers = self.cx.client.storage.copy_many(&pairs, total).await;
        for (i, answer) in places.into_iter().zip(answers) {
            if let Some(copied) = copied.get_mut(i) {
                *copied = matches!(answer, Ok(Copied::Done));
            }
        }
        copied
    }
}
