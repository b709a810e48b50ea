//! Rules U1 and U2: queued documents are read and named, a batch at a time.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc::Sender;

use super::Session;
use super::upload::Upload;
use crate::format::{Body, Change};
use crate::ledger::{Batch, Dirty, Indexed};
use crate::planted::{Rule, holds, name_of};
use crate::state::Table;
use crate::{
    Action, ChangeTracking, ContentHash, DeferReason, Document, DocumentId, Error, Event, Key, Vid,
};

/// Records of the queue that are looked at together.
const STEP: usize = 500;

/// A walk through the queue, from its beginning. What is queued behind it is met at the next sync.
#[derive(Default)]
pub(super) struct Queue {
    after: Option<DocumentId>,
    /// Looked at, and to be pushed.
    waiting: VecDeque<Queued>,
    /// How many more records may be looked at; `None` is all.
    limit: Option<usize>,
}

/// A queued document.
struct Queued {
    id: DocumentId,
    base: Option<Vid>,
    indexed: Option<Indexed>,
    /// It was there when it was queued, and nobody said that it is to be deleted.
    found: bool,
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
pub(super) struct Batched {
    pub ready: Vec<Upload>,
    pub unchanged: Vec<DocumentId>,
    pub uploads: Vec<Upload>,
    pub items: Vec<(Key, Bytes)>,
}

impl Queue {
    /// The first so many records.
    pub(super) fn first(limit: usize) -> Self {
        Self { limit: Some(limit), ..Self::default() }
    }
}

impl Session<'_> {
    /// Sends batch after batch, until there are no more or it is told to stop.
    pub(super) async fn read_queue(
        &self,
        mut queue: Queue,
        mut batches: Sender<Result<Batched, Error>>,
        stop: &AtomicBool,
    ) {
        while !stop.load(Relaxed) {
            let Some(batch) = self.read_batch(&mut queue).await.transpose() else { return };
            let failed = batch.is_err();
            if batches.send(batch).await.is_err() || failed {
                return;
            }
        }
    }

    /// Reads documents until the batch is full; `None` when there are no more.
    async fn read_batch(&self, queue: &mut Queue) -> Result<Option<Batched>, Error> {
        let limits = self.client.server.capabilities();
        // Besides the two that are being stored, one may wait and one be read.
        let most = limits.batch_bytes / 2;
        let (mut batch, mut size, mut documents) = (Batched::default(), 0, 0);
        while documents < limits.batch_items.max(1) && (documents == 0 || size < most) {
            let Some(next) = self.next_queued(queue).await? else { break };
            documents += 1;
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
        Ok((documents > 0).then_some(batch))
    }

    async fn next_queued(&self, queue: &mut Queue) -> Result<Option<Queued>, Error> {
        while queue.waiting.is_empty() {
            let step = queue.limit.map_or(STEP, |limit| limit.min(STEP));
            let ledger = &self.client.ledger;
            let page: Vec<(DocumentId, Dirty)> =
                ledger.page(Table::Dirty, queue.after.as_ref(), step).await?;
            let Some((last, _)) = page.last() else { return Ok(None) };
            queue.after = Some(last.clone());
            queue.limit = queue.limit.map(|limit| limit.saturating_sub(page.len()));
            let ids = page.into_iter().map(|(id, _)| id).collect();
            queue.waiting = self.to_be_pushed(ids).await?;
            self.client.emit(Event::Push { total: queue.waiting.len() as u64 });
        }
        Ok(queue.waiting.pop_front())
    }

    /// U1: dirty, not pending, and edited upon the indexed version.
    async fn to_be_pushed(&self, ids: Vec<DocumentId>) -> Result<VecDeque<Queued>, Error> {
        let ledger = &self.client.ledger;
        // A pull may be under way beside: queue and index are read at one moment.
        let _edits = ledger.edits().await;
        let (dirty, mut indexed) = (ledger.dirty(&ids).await?, ledger.indexed(&ids).await?);
        let pending = ledger.pending(&ids).await?;
        let is_compared = self.client.database.tracking() == ChangeTracking::Scanned;
        let (mut queued, mut stale) = (VecDeque::new(), Batch::new());
        for id in ids {
            let Some(Dirty { base, found, .. }) = dirty.get(&id).copied() else { continue };
            let indexed = indexed.remove(&id);
            if pending.contains_key(&id) || self.is_deferred(&id) {
                continue;
            }
            match &indexed {
                // Edited upon another version: the application decides, at the next pull.
                Some(version) if Some(version.vid) != base => {
                    stale.pending(&id, Some(&super::contested(&id, version)));
                }
                _ => queued.push_back(Queued { id, base, indexed, found: found && is_compared }),
            }
        }
        ledger.metadata_write(stale).await?;
        Ok(queued)
    }

    async fn read_queued(&self, queued: Queued) -> Read {
        let live = queued.indexed.as_ref().filter(|i| !i.deleted);
        match self.client.database.get(&queued.id).await {
            Err(e) => {
                self.defer(&queued.id, DeferReason::Unreadable, e);
                Read::Later
            }
            // It went after the comparison: the next one counts such deletes for the brake.
            Ok(None) if queued.found && live.is_some() => {
                self.client.set_compared(false);
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

    fn mint(&self) -> Vid {
        self.client.environment.random().into()
    }

    fn fresh(&self, change: Change) -> Upload {
        let environment = &self.client.environment;
        Upload { change, began_at: environment.now(), began: environment.monotonic() }
    }
}
