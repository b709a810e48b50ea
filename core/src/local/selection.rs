//! Which documents a device syncs (rule C8).

use crate::model::DocumentId;

/// A choice of the documents that a device syncs, by their ids alone. A document that it does not have is
/// *excluded*: it stays as it is on both sides, and is no delete anywhere.
///
/// [`Database::selection`](crate::Database::selection) gives it at the start of each sync, and it holds to the
/// end of that sync.
pub trait Selects: Send + Sync {
    /// Another text for each other selection, such as the patterns of which it is made. As long as it is the same,
    /// no sync looks for documents that are excluded or included by now.
    fn mark(&self) -> String;

    /// Whether the document is synced. The answer never changes.
    fn has(&self, id: &DocumentId) -> bool;
}
