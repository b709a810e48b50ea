//! The application's side: its own database of documents.

use std::any::Any;
use std::sync::Arc;

use async_trait::async_trait;
use futures::stream::BoxStream;

use super::joined::Joined;
use super::selection::Selects;
use crate::model::{BoxError, Document, DocumentId, Revision};

/// The application's documents. A sync reads them when it pushes and writes them when it pulls;
/// between syncs the application uses them as it likes.
///
/// `docs/own-database.md` has an implementation of 60 lines; `db_to_cloud_conformance::database`
/// tests every promise made here.
#[async_trait]
pub trait Database: Send + Sync {
    /// Every document's id and revision, in any order (rule C4: at the start of a client this list
    /// is compared with what was last synced, which finds every edit whose
    /// [`queue_change`](crate::Client::queue_change) was lost).
    ///
    /// A document that exists but cannot be read now is listed with an error: it is reported, and
    /// is not treated as deleted.
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>>;

    /// A document, with its [attributes](crate::Attributes) if this database has any; `None` if there is
    /// none.
    ///
    /// # Errors
    /// The document is deferred and reported; the sync continues with the others.
    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError>;

    /// The documents of the first of these ids, in their order: at least one, and no more once their bytes
    /// together are `enough`. The default reads the first. Override it where many are read faster together.
    ///
    /// # Errors
    /// As [`get`](Database::get), for each document on its own.
    async fn get_some(
        &self,
        ids: &[DocumentId],
        enough: u64,
    ) -> Vec<Result<Option<Document>, BoxError>> {
        let _ = enough;
        match ids.first() {
            Some(id) => vec![self.get(id).await],
            None => Vec::new(),
        }
    }

    /// The revisions of these documents, in their order; `None` for one that does not exist. The
    /// default reads the documents: override it where revisions are cheaper to find.
    ///
    /// # Errors
    /// As [`get`](Database::get), for each document on its own.
    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        let mut revisions = Vec::with_capacity(ids.len());
        for id in ids {
            revisions.push(self.get(id).await.map(|d| d.map(|d| d.revision)));
        }
        revisions
    }

    /// What a database with [`ChangeTracking::Transactional`] found missing in a comparison of its own, such
    /// as the rows of a table that was made anew: nobody deleted these documents one by one, so a sync asks
    /// (rule B1) before it deletes them elsewhere. They are given again by each sync until they
    /// are queued or there. The default finds nothing.
    ///
    /// # Errors
    /// The sync ends with it.
    async fn missing(&self) -> Result<Vec<Missing>, BoxError> {
        Ok(Vec::new())
    }

    /// Writes and deletes the documents of one batch, each if its revision is still the expected one
    /// (rules P7 and P11). The outcomes are in the order of the writes, one for each.
    ///
    /// The writes are in the order in which they were committed, and no document occurs twice. The
    /// database may make them in any order, in one transaction or one after another: a file that
    /// becomes a folder, or a unique value that one row hands over to another, needs the order that
    /// makes room.
    ///
    /// # Guarantees
    /// - Compare and write are one step: an edit made meanwhile is never overwritten.
    /// - After [`Outcome::Done`] the write is durable and [`get`](Database::get) returns the given
    ///   revision and bytes; after [`Outcome::DoneAs`] it returns that revision.
    /// - After any other outcome the document is as it was.
    /// - No delete is made while a put of the same batch that needs its place has failed.
    /// - A write is no edit: it is not queued for the storage that it came from. If the database is synced
    ///   with several storages, it is an edit for each of the others (rule T4). A scan finds it as one; a
    ///   database that queues its edits itself queues it for them.
    /// - Nothing but the named documents changes. What a foreign key or a trigger of the application
    ///   changes with them counts as an edit made here.
    /// - If the future is dropped, each write is made whole or not at all.
    ///
    /// What a database does with the [attributes](crate::Attributes) of a document is its own business: it
    /// may ignore them.
    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome>;

    /// This database together with a client state ([`StateStore::shared`](crate::state::StateStore::shared)),
    /// if both lie in one place and can change in one transaction: then they do. A database that wraps
    /// another one answers `None`, as by default: writes would pass it by.
    fn joined(&self, state: &(dyn Any + Send + Sync)) -> Option<Arc<dyn Joined>> {
        let _ = state;
        None
    }

    /// How the edits of this database come into the queue.
    fn tracking(&self) -> ChangeTracking {
        ChangeTracking::Scanned
    }

    /// Whether a sync that would replace more than half of the documents must be accepted first, as
    /// one that would delete them (rule B1). The default is that it need not: an application changes
    /// many of its documents at a time for good reasons. A folder of files is another matter, as any
    /// program may have overwritten them.
    fn guards_overwrites(&self) -> bool {
        false
    }

    /// Which documents this device syncs (rule C8), asked at the start of each sync; `None`, as by default, is
    /// all of them. [`list`](Database::list) may leave the others out; all other methods answer for them as for
    /// any document. A database that wraps another one passes this on.
    ///
    /// # Errors
    /// The sync ends with it, and nothing was changed: a selection that cannot be read must not count as all.
    async fn selection(&self) -> Result<Option<Arc<dyn Selects>>, BoxError> {
        Ok(None)
    }

    /// A number for each of these documents that changes when a write of it, which was
    /// [refused](Outcome::Refused), may succeed now: after a migration, a change of settings, or when
    /// what was in its place is gone. As long as it is the same, the version that was refused is not
    /// downloaded again (rule P12). The default never changes.
    async fn epochs(&self, ids: &[DocumentId]) -> Vec<u64> {
        vec![0; ids.len()]
    }
}

/// One document in [`Database::list`].
#[derive(Debug)]
pub struct Listed {
    /// The document's id.
    pub id: DocumentId,
    /// Its revision; `None` if it cannot be known without reading the document, such as a file that
    /// is new or has changed: then it is queued, read once when it is pushed, and leaves the queue if
    /// it turns out as it was. Or why the document cannot be read.
    pub revision: Result<Option<Revision>, BoxError>,
}

/// A compare-and-set write into the application's database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Write {
    /// Which document.
    pub id: DocumentId,
    /// What it becomes; `None` deletes it.
    pub document: Option<Document>,
    /// The revision it must have now; `None` if it must not exist.
    pub expected: Option<Revision>,
    /// A document that the same batch deletes, whose bytes are those of `document`: the other device
    /// renamed it. A database may move it instead of writing the bytes anew.
    pub moved_from: Option<DocumentId>,
}

/// What became of a [`Write`].
#[derive(Debug)]
pub enum Outcome {
    /// The document is as the write says.
    Done,
    /// It is written, but not to the byte: a text that was normalised, a number that a column
    /// rounds. This is its revision here. It does not count as an edit.
    DoneAs(Revision),
    /// The document's revision was not the expected one (rule P7). Nothing was written.
    Changed,
    /// It cannot be written now: it collides with something that is not in this batch, or there is
    /// no room. Nothing was written. It comes again with the next batch of the same sync; if it is
    /// still blocked at the end it is deferred, reported, and downloaded again by the next sync.
    Blocked(BoxError),
    /// This database cannot take this version of the document as it is. Nothing was written. It is
    /// deferred and reported, and not downloaded again until [`Database::epochs`] changes, a newer
    /// version comes, or the user asks (rules P10 and P12).
    Refused(BoxError),
}

impl Outcome {
    /// Whether the write was made.
    pub fn is_done(&self) -> bool {
        matches!(self, Self::Done | Self::DoneAs(_))
    }
}

/// Synced documents that a comparison did not find.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Those that are not there.
    pub ids: Vec<DocumentId>,
    /// How many synced documents were looked for.
    pub all: u64,
}

/// How edits come into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeTracking {
    /// By [`queue_change`](crate::Client::queue_change) after the edit, and by a scan at the start.
    Scanned,
    /// In the same transaction as the edit: no edit is ever unqueued, and nothing is scanned.
    Transactional,
}
