//! The events that a sync reports while it runs.

use crate::model::{Action, DocumentId};

/// One step of a sync, for a progress bar or a log. Sent to the function given to
/// [`ClientBuilder::on_progress`](crate::ClientBuilder::on_progress), which must return quickly.
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The sync began.
    Start,
    /// Local edits are being looked for; so many documents were compared so far.
    Comparing {
        /// Documents compared so far.
        documents: u64,
    },
    /// So many more changes of other devices were found and will be applied here.
    Pull {
        /// How many changes.
        total: u64,
    },
    /// A change of another device was applied here.
    Pulled {
        /// Which document.
        id: DocumentId,
        /// What became of it.
        action: Action,
    },
    /// So many more local changes were found and will be pushed.
    Push {
        /// How many changes.
        total: u64,
    },
    /// A local document's bytes are in the storage; its change is not yet committed.
    Uploaded {
        /// Which document.
        id: DocumentId,
    },
    /// So many changes were committed: other devices see them.
    Committed {
        /// How many changes.
        changes: u64,
        /// The number of the commit.
        version: u64,
    },
    /// A conflict was met and put to the resolver.
    Conflict {
        /// Which document.
        id: DocumentId,
    },
    /// A document was deferred; the report has the reason.
    Deferred {
        /// Which document.
        id: DocumentId,
    },
    /// Waiting for another client's lock.
    Waiting {
        /// The device that holds the lock, as it named itself.
        owner: String,
    },
    /// The storage has no atomic create: it is used in weak mode, under the lock.
    WeakStorage,
    /// The sync ended well.
    Done,
}
