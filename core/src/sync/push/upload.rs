//! Rules U1, U2 and U3: queued documents are put into the storage, many at a time.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use futures::channel::mpsc::{Receiver, Sender, channel};
use futures::future::join;
use futures::{SinkExt, StreamExt};

use super::Push;
use super::queue::{Batched, Item, Queue};
use crate::local::Batch;
use crate::model::format::Change;
use crate::model::{DeferReason, DocumentId, Error, Event, Timestamp};
use crate::model::{Scope, with_causes};
use crate::planted::{Rule, holds};

/// Documents that are in the storage and wait for their commit.
pub(super) type Uploads = HashMap<DocumentId, Upload>;

/// A change whose bytes are in the storage.
#[derive(Clone)]
pub(in crate::sync) struct Upload {
    pub change: Change,
    /// When its upload began, by the clock on the wall and by the monotonic one.
    pub began_at: Timestamp,
    pub began: Duration,
}

/// Uploads of one batch, and documents that turned out unchanged or made on another version.
#[derive(Default)]
pub(in crate::sync) struct Stored {
    pub uploads: Vec<Upload>,
    pub unchanged: Vec<DocumentId>,
    pub contested: Vec<DocumentId>,
}

/// Batches that are on their way into the storage at once, so that one fills the gaps of the other.
const STORES: usize = 2;

impl Push<'_> {
    /// Reads and stores queued documents, the next while others are under way, until there are no
    /// more or `stop` is set: then what was begun is finished, and kept for another commit.
    pub(in crate::sync) async fn upload_queue(
        &self,
        queue: Queue,
        stored: Sender<Result<Stored, Error>>,
        stop: &AtomicBool,
    ) {
        let (send, batches) = channel(0);
        join(self.read_queue(queue, send, stop), self.store_all(batches, stored, stop)).await;
    }

    async fn store_all(
        &self,
        batches: Receiver<Result<Batched, Error>>,
        mut stored: Sender<Result<Stored, Error>>,
        stop: &AtomicBool,
    ) {
        let store = async |batch: Result<Batched, Error>| self.store(batch?).await;
        let mut stores = pin!(batches.map(store).buffer_unordered(STORES));
        while let Some(outcome) = stores.next().await {
            if outcome.is_err() {
                stop.store(true, Relaxed);
            }
            // After a lost race the receiver is gone.
            let _ = stored.send(outcome).await;
        }
    }

    /// Uploads a batch (rule U2).
    async fn store(&self, batch: Batched) -> Result<Stored, Error> {
        let Batched { mut ready, unchanged, contested, items } = batch;
        // A delete is in the storage once it is committed; another walk must not make it again.
        let known = ready.iter().map(|upload| (upload.change.id.clone(), upload.clone()));
        self.uploads().extend(known);
        let copied = self.copy(&items).await;
        let puts = items.iter().zip(&copied).filter(|(_, copied)| !**copied);
        let puts: Vec<_> = puts.map(|(item, _)| (item.key.clone(), item.bytes.clone())).collect();
        let mut answers = self.cx.client.storage.put(&puts).await;
        let refused = |answer: &Result<(), Error>| {
            answer.as_ref().is_err_and(|e| e.scope() != Scope::Document)
        };
        if answers.len() > 1 && answers.iter().all(refused) {
            // The storage fails as a whole, not for one document.
            answers.swap_remove(0)?;
        }
        let mut answers = answers.into_iter();
        for (Item { upload, .. }, copied) in items.into_iter().zip(copied) {
            let id = &upload.change.id;
            match if copied { Ok(()) } else { answers.next().unwrap_or(Ok(())) } {
                Ok(()) => {
                    self.cx.client.emit(Event::Uploaded { id: id.clone() });
                    self.uploads().insert(id.clone(), upload.clone());
                    ready.push(upload);
                }
                Err(e) if e.scope() == Scope::Storage => return Err(e),
                Err(e) => self.cx.defer(id, DeferReason::NotStored, with_causes(&e)),
            }
        }
        Ok(Stored { uploads: ready, unchanged, contested })
    }

    /// What did not really change leaves the queue (rule U1), unless it is edited just then.
    pub(super) async fn unqueue(&self, ids: &[DocumentId]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let _edits = self.cx.client.sync_state.edits().await;
        let queue = self.cx.client.sync_state.queue(ids).await?;
        let indexed = self.cx.client.sync_state.indexed(ids).await?;
        let revisions = self.cx.client.database.revisions(ids).await;
        let mut batch = Batch::new();
        for (id, revision) in ids.iter().zip(revisions) {
            if !crate::sync::mark_synced::is_edited(indexed.get(id), &revision) {
                batch.dirty(id, None);
            }
        }
        // If an edit came in between, all stay queued until the next sync.
        self.cx.client.sync_state.metadata_write_if(queue, batch).await.map(drop)
    }

    /// Uploads that began more than G/2 ago are not relied on (rule U3). The monotonic clock may stand
    /// still while a laptop sleeps, the other one may be set: the longer age counts.
    pub(super) fn is_old(&self, upload: &Upload) -> bool {
        let environment = &self.cx.client.environment;
        let age = environment.monotonic().saturating_sub(upload.began);
        let age = age.max(environment.now().since(upload.began_at).unwrap_or_default());
        age > self.cx.client.config.grace / 2 && holds(Rule::U3)
    }

    /// The uploads of this sync are of no use any more.
    pub(in crate::sync) fn forget_uploads(&self) {
        self.uploads().clear();
    }

    pub(super) fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
