//! Rules U1 and U2: queued documents are read and named, a batch at a time.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use futures::SinkExt;
use futures::channel::mpsc::Sender;

use super::Push;
use super::upload::Upload;
use crate::local::state::Table;
use crate::local::{ChangeTracking, Elsewhere};
use crate::model::format::{Body, Change};
use crate::model::{
    Action, Attributes, BoxError, ContentHash, DeferReason, Document, DocumentId, Error, Event,
    Key, Seen, VersionId,
};
use crate::model::{QueuedEdit, SyncedVersion, with_causes};
use crate::planted::{Rule, holds, name_of};
use crate::protocol::{Decision, Facts, Lineage, Local, decide};

/// Records of the queue that are looked at together.
const STEP: usize = 500;

/// A walk through the queue, from its beginning. What is queued behind it is met at the next sync.
#[derive(Default)]
pub(in crate::sync) struct Queue {
    after: Option<DocumentId>,
    /// Looked at, and to be pushed.
    waiting: VecDeque<Queued>,
    /// The documents of the first of them, which were read together.
    documents: VecDeque<Result<Option<Document>, BoxError>>,
    /// Not what was uploaded before, on the version that it is queued on.
    again: bool,
}

impl Queue {
    /// Another walk, for what was queued behind the one before.
    pub(in crate::sync) fn again() -> Self {
        Self { again: true, ..Self::default() }
    }
}

/// A queued document.
struct Queued {
    id: DocumentId,
    edit: QueuedEdit,
    synced: Option<SyncedVersion>,
    /// What the other storages of this database had of the documents of its page.
    elsewhere: Arc<Elsewhere>,
    /// It takes the place of a version that is lost (rule D6).
    replaces_lost: bool,
}

impl Queued {
    fn lineage(&self) -> Lineage<'_> {
        self.elsewhere.lineage(&self.id, self.synced.as_ref())
    }
}

/// What reading a queued document led to.
enum Read {
    Put(Upload, Bytes),
    /// No bytes to put: a delete, or uploaded before in this sync.
    Ready(Upload),
    /// Nothing really changed.
    Unchanged(DocumentId),
    /// Made on another version than the synced one: the application decides (rule C3).
    Contested(DocumentId),
    /// Deferred.
    Later,
}

/// Some documents on their way into the storage, bounded in number and bytes.
#[derive(Default)]
pub(super) struct Batched {
    pub ready: Vec<Upload>,
    pub unchanged: Vec<DocumentId>,
    pub contested: Vec<DocumentId>,
    pub items: Vec<Item>,
}

/// A document that is to be put into the storage.
pub(super) struct Item {
    pub upload: Upload,
    pub key: Key,
    pub bytes: Bytes,
    /// An object of the storage that has the same bytes.
    pub source: Option<Key>,
}

impl Push<'_> {
    /// Sends batch after batch, until there are no more or `stop` is set.
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
        let limits = self.cx.client.storage.capabilities();
        // Besides the two that are being stored, one may wait and one be read.
        let most = limits.batch_bytes / 2;
        let (mut batch, mut size, mut documents) = (Batched::default(), 0, 0);
        while documents < limits.batch_items.max(1) && (documents == 0 || size < most) {
            if !self.is_any_queued(queue).await? {
                break;
            }
            let room = limits.batch_items.saturating_sub(documents);
            let Some((next, document)) = self.next_read(queue, room, most - size).await else {
                break;
            };
            documents += 1;
            match self.read_queued(next, document).await? {
                Read::Put(upload, bytes) => {
                    size += bytes.len() as u64;
                    let key = Key::document(&upload.change.id, upload.change.vid);
                    let source = self.source_of(&upload.change).await?;
                    batch.items.push(Item { upload, key, bytes, source });
                }
                Read::Ready(upload) => batch.ready.push(upload),
                Read::Unchanged(id) => batch.unchanged.push(id),
                Read::Contested(id) => batch.contested.push(id),
                Read::Later => {}
            }
        }
        Ok((documents > 0).then_some(batch))
    }

    /// The next queued document, as it is now. With it others are read: up to this number of documents and of
    /// bytes.
    async fn next_read(
        &self,
        queue: &mut Queue,
        items: usize,
        bytes: u64,
    ) -> Option<(Queued, Result<Option<Document>, BoxError>)> {
        if queue.documents.is_empty() {
            let next = queue.waiting.iter().take(items.max(1));
            let ids: Vec<_> = next.map(|queued| queued.id.clone()).collect();
            queue.documents = self.cx.client.database.get_some(&ids, bytes).await.into();
            queue.documents.truncate(ids.len());
        }
        let next = queue.waiting.pop_front()?;
        let no_answer = || Err("the database gave no answer".into());
        Some((next, queue.documents.pop_front().unwrap_or_else(no_answer)))
    }

    /// Looks at the next page of the queue if need be.
    async fn is_any_queued(&self, queue: &mut Queue) -> Result<bool, Error> {
        while queue.waiting.is_empty() {
            let sync_state = &self.cx.client.sync_state;
            let page: Vec<(DocumentId, QueuedEdit)> =
                sync_state.page(Table::Dirty, queue.after.as_ref(), STEP).await?;
            let Some((last, _)) = page.last() else { return Ok(false) };
            queue.after = Some(last.clone());
            let ids = page.into_iter().map(|(id, _)| id).collect();
            queue.waiting = self.to_be_pushed(ids, queue.again).await?;
            self.cx.client.emit(Event::Push { total: queue.waiting.len() as u64 });
        }
        Ok(true)
    }

    /// Queued documents that no remote change waits for; what is queued on another version than the
    /// synced one becomes a conflict (rules U1 and C3).
    async fn to_be_pushed(
        &self,
        ids: Vec<DocumentId>,
        again: bool,
    ) -> Result<VecDeque<Queued>, Error> {
        let sync_state = &self.cx.client.sync_state;
        // A pull may be under way beside: queue and index are read together.
        let _edits = sync_state.edits().await;
        let (dirty, mut synced) = (sync_state.dirty(&ids).await?, sync_state.indexed(&ids).await?);
        let pending = sync_state.pending(&ids).await?;
        let elsewhere = Arc::new(sync_state.elsewhere(&ids).await?);
        let is_open = |id: &DocumentId| pending.get(id).is_none_or(|p| self.cx.is_open(p));
        let open = ids.into_iter().filter(|id| is_open(id) && !self.cx.is_deferred(id));
        // Queued since this sync has begun (rule C8).
        let open = open.filter(|id| !self.cx.excludes(id));
        Ok(open
            .filter_map(|id| {
                let (edit, synced) = (dirty.get(&id).copied()?, synced.remove(&id));
                let uploaded = self.uploads().get(&id).is_some_and(|u| u.change.base == edit.base);
                if again && uploaded {
                    return None;
                }
                let (replaces_lost, elsewhere) = (pending.contains_key(&id), elsewhere.clone());
                Some(Queued { id, edit, synced, elsewhere, replaces_lost })
            })
            .collect())
    }

    async fn read_queued(
        &self,
        queued: Queued,
        document: Result<Option<Document>, BoxError>,
    ) -> Result<Read, Error> {
        let Queued { id, edit, synced, replaces_lost, .. } = &queued;
        let document = match document {
            Ok(document) => document,
            Err(e) => {
                self.cx.defer(id, DeferReason::Unreadable, with_causes(&*e));
                return Ok(Read::Later);
            }
        };
        let hash = document.as_ref().map(Document::hash);
        let local = match (&document, hash) {
            (Some(document), Some(hash)) => Local::Content(&document.revision, hash),
            _ => Local::Absent,
        };
        let scanned = self.cx.client.database.tracking() == ChangeTracking::Scanned;
        let facts = Facts { edit: Some(edit), local, scanned, ..Facts::of(synced.as_ref()) };
        let decision = match decide(&facts) {
            // Also what was synced, or was made on an older version: it names what it was made on.
            Decision::InSync | Decision::Conflict if *replaces_lost => match &document {
                Some(_) => Decision::Push(Action::Put),
                None => Decision::Push(Action::Delete),
            },
            decision => decision,
        };
        let seen = match decision {
            Decision::Push(_) => self.cx.edits_of_pushed(queued.lineage(), local).await?,
            _ => None,
        };
        Ok(match (decision, document, hash) {
            (Decision::Push(Action::Put), Some(document), Some(hash)) => {
                self.put_or_reuse(queued, seen, document, hash)
            }
            (Decision::Push(_), ..) => self.delete_of(queued, seen),
            (Decision::Conflict, ..) => Read::Contested(queued.id),
            // The next scan counts it for the brake (rule B1).
            (Decision::Wait(_), ..) => {
                self.cx.client.set_compared(false);
                Read::Later
            }
            _ => Read::Unchanged(queued.id),
        })
    }

    fn delete_of(&self, queued: Queued, seen: Option<Seen>) -> Read {
        let Queued { id, edit, synced: Some(version), .. } = queued else {
            return Read::Unchanged(queued.id);
        };
        Read::Ready(self.fresh(Change {
            id,
            rev: version.rev,
            action: Action::Delete,
            vid: self.mint(),
            base: edit.base,
            len: 0,
            hash: version.hash,
            body: None,
            seen,
            attr: Attributes::default(),
            other: Default::default(),
        }))
    }

    fn put_or_reuse(
        &self,
        queued: Queued,
        seen: Option<Seen>,
        document: Document,
        hash: ContentHash,
    ) -> Read {
        let same = |upload: &&Upload| {
            let change = &upload.change;
            let put = change.action == Action::Put && change.rev == document.revision;
            put && change.hash == hash && change.base == queued.edit.base || !holds(Rule::U2Content)
        };
        let kept = self.uploads().get(&queued.id).filter(same).cloned();
        if let Some(upload) = kept.filter(|upload| !self.is_old(upload)) {
            return Read::Ready(upload);
        }
        let replaced = queued.synced.as_ref().map(|version| &version.attr);
        let small = document.bytes.len() <= self.cx.client.config.sizes.body;
        let body = small.then(|| Body(document.bytes.clone()));
        let upload = self.fresh(Change {
            id: queued.id,
            rev: document.revision,
            action: Action::Put,
            vid: if holds(Rule::U2) { self.mint() } else { name_of(hash) },
            base: queued.edit.base,
            len: document.bytes.len() as u64,
            hash,
            body,
            seen,
            attr: document.attributes.upon(replaced),
            other: Default::default(),
        });
        Read::Put(upload, document.bytes)
    }

    fn mint(&self) -> VersionId {
        self.cx.client.environment.random().into()
    }

    fn fresh(&self, change: Change) -> Upload {
        let environment = &self.cx.client.environment;
        Upload { change, began_at: environment.now(), began: environment.monotonic() }
    }
}
