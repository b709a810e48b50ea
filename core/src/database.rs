//! The application's side: its own database of documents.

use async_trait::async_trait;
use futures::stream::BoxStream;

use crate::{BoxError, Document, DocumentId, Revision};

/// The application's documents. db-to-cloud reads them when it pushes and writes them when it
/// pulls; between syncs the application does with them as it likes.
#[async_trait]
pub trait Database: Send + Sync {
    /// Every document's id and revision, in any order (rule C4: at the start of a client this list
    /// is compared with what was last synced, which finds every edit whose
    /// [`queue_change`](crate::Client::queue_change) was lost).
    ///
    /// A document that exists but cannot be read now is listed with an error: it is reported, and
    /// is not taken for deleted.
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>>;

    /// A document; `None` if there is none.
    ///
    /// # Errors
    /// The document is set aside and reported; the others sync.
    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError>;

    /// The revisions of these documents, in their order; `None` for one that does not exist. The
    /// default reads the documents: override it where revisions are cheaper to come by.
    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        let mut revisions = Vec::with_capacity(ids.len());
        for id in ids {
            revisions.push(self.get(id).await.map(|d| d.map(|d| d.revision)));
        }
        revisions
    }

    /// Writes or deletes a document if its revision is still the expected one (rule P7).
    ///
    /// # Guarantees
    /// - Compare and write are one step: an edit made meanwhile is never overwritten.
    /// - After [`Applied::Done`] the write is durable and [`get`](Database::get) answers the given
    ///   revision and bytes.
    /// - The write does not count as an edit: it is not queued.
    ///
    /// # Errors
    /// The document could not be written and is as it was: it is set aside and reported, and tried
    /// again at the next sync (rule P10).
    async fn apply(&self, write: Write) -> Result<Applied, BoxError>;

    /// Applies many writes, each on its own; the answers are in their order. The default applies
    /// one after another: override it where one transaction is cheaper.
    async fn apply_many(&self, writes: Vec<Write>) -> Vec<Result<Applied, BoxError>> {
        let mut answers = Vec::with_capacity(writes.len());
        for write in writes {
            answers.push(self.apply(write).await);
        }
        answers
    }

    /// Whether every edit is queued in the very transaction that makes it. If so, the comparison at
    /// the start (rule C4) is left out.
    fn queueing(&self) -> Queueing {
        Queueing::Compared
    }
}

/// One document in [`Database::list`].
#[derive(Debug)]
pub struct Listed {
    /// The document's id.
    pub id: DocumentId,
    /// Its revision, or why it cannot be read.
    pub revision: Result<Revision, BoxError>,
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
}

/// What became of a [`Write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The document is as the write says.
    Done,
    /// The document's revision was not the expected one. Nothing was written.
    Changed,
}

/// How edits come into the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Queueing {
    /// By [`queue_change`](crate::Client::queue_change) after the edit, and by comparison at start.
    Compared,
    /// In the same transaction as the edit: no edit is ever unqueued.
    Transactional,
}
