//! Rules U1, U2 and U3: queued documents are read, named and put into the storage, many at a time.

use std::collections::{HashMap, VecDeque};
use std::sync::{MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream::FuturesOrdered;

use super::Session;
use crate::format::{Body, Change};
use crate::ledger::{Batch, Dirty, Indexed};
use crate::planted::{Rule, holds, name_of};
use crate::{
    Action, ContentHash, DeferReason, Document, DocumentId, Error, Event, Key, Timestamp, Vid,
};

/// Documents that are in the storage and wait for their commit.
pub(super) type Uploads = HashMap<DocumentId, Upload>;

/// A change whose bytes are in the storage.
#[derive(Clone)]
pub(super) struct Upload {
    pub change: Change,
    /// When its upload began, by the clock on the wall and by the monotonic one.
    pub began_at: Timestamp,
    began: Duration,
}

/// A queued document.
struct Queued {
    id: DocumentId,
    base: Option<Vid>,
    indexed: Option<Indexed>,
}

/// What reading a queued document led to.
enum Read {
    Put(Upload, Bytes),
    /// No bytes to put: a delete, or uploaded before in this sync.
    Ready(Upload),
    /// Nothing really changed.
    Unchanged(DocumentId),
    /// Set aside.
    Later,
}

/// Some documents on their way into the storage, bounded in number and bytes.
#[derive(Default)]
struct Batched {
    ready: Vec<Upload>,
    unchanged: Vec<DocumentId>,
    uploads: Vec<Upload>,
    items: Vec<(Key, Bytes)>,
}

impl Session<'_> {
    /// Uploads these queued documents, but for those that are pending or were set aside.
    pub(super) async fn upload(
        &self,
        dirty: Vec<(DocumentId, Dirty)>,
    ) -> Result<Vec<Upload>, Error> {
        let mut queued = self.queued(dirty).await?;
        self.client.emit(Event::Push { total: queued.len() as u64 });
        let limits = self.client.server.capabilities();
        // Two batches are on their way at once, so that the second fills the gaps of the first.
        let mut stores = FuturesOrdered::new();
        let (mut uploads, mut unchanged) = (Vec::new(), Vec::new());
        loop {
            while stores.len() < 2 {
                let (items, bytes) = (limits.batch_items, limits.batch_bytes);
                match self.read_batch(&mut queued, items, bytes).await {
                    Some(batch) => stores.push_back(self.store(batch)),
                    None => break,
                }
            }
            let Some(stored) = stores.next().await else { break };
            let (more, same) = stored?;
            uploads.extend(more);
            unchanged.extend(same);
        }
        self.unqueue(&unchanged).await?;
        Ok(uploads)
    }

    /// U1: dirty, not pending, and edited upon the indexed version.
    async fn queued(&self, dirty: Vec<(DocumentId, Dirty)>) -> Result<VecDeque<Queued>, Error> {
        let ids: Vec<_> = dirty.into_iter().map(|(id, _)| id).collect();
        let ledger = &self.client.ledger;
        // A pull may be under way beside: queue and index are read at one moment.
        let _edits = ledger.edits().await;
        let (dirty, mut indexed) = (ledger.dirty(&ids).await?, ledger.indexed(&ids).await?);
        let pending = ledger.pending(&ids).await?;
        let (mut queued, mut stale) = (VecDeque::new(), Batch::new());
        for id in ids {
            let Some(Dirty { base, .. }) = dirty.get(&id).copied() else { continue };
            let indexed = indexed.remove(&id);
            if pending.contains_key(&id) || self.is_deferred(&id) {
                continue;
            }
            match &indexed {
                // Edited upon another version: the application decides, at the next pull.
                Some(version) if Some(version.vid) != base => {
                    stale.pending(&id, Some(&super::contested(&id, version)));
                }
                _ => queued.push_back(Queued { id, base, indexed }),
            }
        }
        ledger.metadata_write(stale).await?;
        Ok(queued)
    }

    /// Reads documents until the batch is full; `None` when there are no more.
    async fn read_batch(
        &self,
        queued: &mut VecDeque<Queued>,
        items: usize,
        bytes: u64,
    ) -> Option<Batched> {
        queued.front()?;
        let (mut batch, mut size) = (Batched::default(), 0);
        while batch.items.len() < items && size < bytes {
            let Some(next) = queued.pop_front() else { break };
            match self.read_queued(next).await {
                Read::Put(upload, bytes) => {
                    size += bytes.len() as u64;
                    let key = Key::document(&upload.change.id, upload.change.vid);
                    batch.items.push((key, bytes));
                    batch.uploads.push(upload);
                }
                Read::Ready(upload) => batch.ready.push(upload),
                Read::Unchanged(id) => batch.unchanged.push(id),
                Read::Later => {}
            }
        }
        Some(batch)
    }

    async fn read_queued(&self, queued: Queued) -> Read {
        let live = queued.indexed.as_ref().filter(|i| !i.deleted);
        match self.client.database.get(&queued.id).await {
            Err(e) => {
                self.defer(&queued.id, DeferReason::Unreadable, e);
                Read::Later
            }
            Ok(None) => match live {
                Some(version) => Read::Ready(self.fresh(Change {
                    id: queued.id.clone(),
                    rev: version.rev.clone(),
                    action: Action::Delete,
                    vid: self.mint(),
                    base: queued.base,
                    len: 0,
                    hash: version.hash,
                    body: None,
                })),
                None => Read::Unchanged(queued.id),
            },
            Ok(Some(document)) => {
                let hash = document.hash();
                if live.is_some_and(|i| i.rev == document.revision && i.hash == hash) {
                    return Read::Unchanged(queued.id);
                }
                self.put_or_reuse(queued, document, hash)
            }
        }
    }

    fn put_or_reuse(&self, queued: Queued, document: Document, hash: ContentHash) -> Read {
        let same = |upload: &&Upload| {
            let change = &upload.change;
            change.hash == hash && change.rev == document.revision && change.base == queued.base
                || !holds(Rule::U2Content)
        };
        let kept = self.uploads().get(&queued.id).filter(same).cloned();
        if let Some(upload) = kept.filter(|upload| !self.is_old(upload)) {
            return Read::Ready(upload);
        }
        let small = document.bytes.len() <= self.client.config.sizes.body;
        let body = small.then(|| Body(document.bytes.clone()));
        let upload = self.fresh(Change {
            id: queued.id,
            rev: document.revision,
            action: Action::Put,
            vid: if holds(Rule::U2) { self.mint() } else { name_of(hash) },
            base: queued.base,
            len: document.bytes.len() as u64,
            hash,
            body,
        });
        Read::Put(upload, document.bytes)
    }

    /// U2: the uploads of a batch.
    async fn store(&self, batch: Batched) -> Result<(Vec<Upload>, Vec<DocumentId>), Error> {
        let Batched { mut ready, unchanged, uploads, items } = batch;
        let mut answers = self.client.server.put(&items).await;
        let refused =
            |answer: &Result<(), Error>| answer.as_ref().is_err_and(|e| !is_documents_own(e));
        if answers.len() > 1 && answers.iter().all(refused) {
            // Not one document's trouble but the storage's.
            answers.swap_remove(0)?;
        }
        for (upload, answer) in uploads.into_iter().zip(answers) {
            let id = &upload.change.id;
            match answer {
                Ok(()) => {
                    self.client.emit(Event::Uploaded { id: id.clone() });
                    self.uploads().insert(id.clone(), upload.clone());
                    ready.push(upload);
                }
                Err(e) if is_everybodys(&e) => return Err(e),
                Err(e) => self.defer(id, DeferReason::NotStored, e),
            }
        }
        Ok((ready, unchanged))
    }

    /// U1: what did not really change leaves the queue, unless it is edited at this very moment.
    async fn unqueue(&self, ids: &[DocumentId]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let _edits = self.client.ledger.edits().await;
        let queue = self.client.ledger.queue(ids).await?;
        let indexed = self.client.ledger.indexed(ids).await?;
        let revisions = self.client.database.revisions(ids).await;
        let mut batch = Batch::new();
        for (id, revision) in ids.iter().zip(revisions) {
            let version = indexed.get(id).and_then(Indexed::live_rev);
            if matches!(&revision, Ok(revision) if revision.as_ref() == version) {
                batch.dirty(id, None);
            }
        }
        // If an edit came in between, all stay queued until the next sync.
        self.client.ledger.metadata_write_if(queue, batch).await.map(drop)
    }

    /// U2: a name that no version ever had.
    fn mint(&self) -> Vid {
        self.client.environment.random().into()
    }

    fn fresh(&self, change: Change) -> Upload {
        let environment = &self.client.environment;
        Upload { change, began_at: environment.now(), began: environment.monotonic() }
    }

    /// U3: uploads that began more than G/2 ago are not relied on. The monotonic clock may stand
    /// still while a laptop sleeps, the other one may be set: the longer age counts.
    pub(super) fn is_old(&self, upload: &Upload) -> bool {
        let environment = &self.client.environment;
        let age = environment.monotonic().saturating_sub(upload.began);
        let age = age.max(environment.now().since(upload.began_at).unwrap_or_default());
        age > self.client.config.grace / 2 && holds(Rule::U3)
    }

    pub(super) fn uploads(&self) -> MutexGuard<'_, Uploads> {
        self.uploads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Errors that say something of one document, such as that it is too large.
fn is_documents_own(error: &Error) -> bool {
    matches!(error.kind(), crate::ErrorKind::Unsupported | crate::ErrorKind::InvalidInput)
}

/// Errors that no other document would be spared.
pub(super) fn is_everybodys(error: &Error) -> bool {
    use crate::ErrorKind::{Full, Throttled, Unauthorized};
    matches!(error.kind(), Unauthorized | Full | Throttled)
}
