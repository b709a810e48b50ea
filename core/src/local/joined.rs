//! Documents and client state in one place, which change in one transaction.

use async_trait::async_trait;

use super::database::{Outcome, Write};
use super::state::{StateError, Update};

/// A [`Database`](crate::Database) together with a client state that lies in the same place
/// ([`Database::joined`](crate::Database::joined)).
#[async_trait]
pub trait Joined: Send + Sync {
    /// Makes the writes of one batch as [`Database::apply`](crate::Database::apply) does, and in the same
    /// transaction the updates of each write that is [done](Outcome::Done). The outcomes are in the order
    /// of the batch, one for each.
    ///
    /// # Guarantees
    /// - All of [`Database::apply`](crate::Database::apply).
    /// - A write and its updates are made both or neither, whenever the process stops and if the future is
    ///   dropped: so the client records no intent (rule P8). No edit comes between them.
    /// - The updates are those of a document that has no queued edit any more. What becomes an edit of this
    ///   document by the write itself, such as a deleted row that stays, is queued upon them.
    /// - No outcome is [`Outcome::DoneAs`].
    ///
    /// # Errors
    /// If the state cannot be read, or is not the one that the client knew. Nothing was changed.
    async fn apply(&self, batch: Vec<Settling>) -> Result<Vec<Outcome>, StateError>;
}

/// A write, and what the client remembers of the document once it is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settling {
    /// Into the documents.
    pub write: Write,
    /// Of the client state, in this order.
    pub updates: Vec<Update>,
}
