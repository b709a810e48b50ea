//! Where a client keeps what it must remember between syncs (section "Client state" of the
//! protocol). The records themselves are in the `sync_state` module.

use std::any::Any;

use async_trait::async_trait;

use crate::model::{BoxError, ErrorKind};
use crate::model::{QueuedEdit, Revision, SyncedVersion};

/// A small durable key-value store with one table a kind of record.
///
/// It holds no documents. It SHOULD live in the application's own database, so that a backup or a
/// roll-back takes both together. One `StateStore` serves one storage.
///
/// A place that keeps the states of several storages, such as a file, opens a `StateStore` by the address
/// of the storage. The address only helps to find the state: which storage it is, its first commit
/// decides (rule C6). A client that finds another storage at the address turns to the state of that one,
/// or to a new one, by [`siblings`](StateStore::siblings) and [`turn_to`](StateStore::turn_to). A place with
/// room for one state leaves these methods as they are.
#[async_trait]
pub trait StateStore: Send + Sync {
    /// Claims the state for one sync (rule C2). A second claim, in this process or another one, is
    /// refused until the guard is dropped. A claim does not outlive its process.
    ///
    /// # Errors
    /// [`StateError::Busy`] if it is claimed already.
    async fn claim(&self) -> Result<Claim, StateError>;

    /// The values of these keys, in their order.
    ///
    /// # Errors
    /// If the store fails. Nothing was changed.
    async fn read(&self, table: Table, keys: &[String])
    -> Result<Vec<Option<Vec<u8>>>, StateError>;

    /// At most `limit` records with keys greater than `after`, in the byte order of the keys.
    ///
    /// # Errors
    /// If the store fails. Nothing was changed.
    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError>;

    /// How many records a table holds.
    ///
    /// # Errors
    /// If the store fails. Nothing was changed.
    async fn count(&self, table: Table) -> Result<u64, StateError>;

    /// Makes all these changes, in order, if all the expected records are as given; or none.
    ///
    /// # Guarantees
    /// - Compare and write are one step, whoever else writes: an application may queue an edit in a
    ///   transaction of its own ([`queue_change`]).
    /// - After [`Written::Done`] they are durable.
    /// - If the future is dropped, all or none of them happen, before any later call has an effect.
    ///
    /// # Errors
    /// If the store fails. Nothing was changed, or all of it.
    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError>;

    /// What distinguishes the place of this state from that of a copy, such as the number of its file and
    /// when that was made. It stays the same as long as the state lies there, whichever process opens it.
    /// Without it a client that was stopped while it held the lock of the storage waits for its own lock as
    /// for that of another device (rule L1).
    fn place(&self) -> Option<String> {
        None
    }

    /// This store, for a database that may lie in the same place and can then change documents and records
    /// in one transaction ([`Database::joined`](crate::Database::joined)). A store that wraps another one
    /// answers `None`, as by default: writes would pass it by.
    fn shared(&self) -> Option<&(dyn Any + Send + Sync)> {
        None
    }

    /// The other states in the same place, each with its record of this key in [`Table::Metadata`].
    ///
    /// # Errors
    /// If the store fails. Nothing was changed.
    async fn siblings(&self, key: &str) -> Result<Vec<(Sibling, Option<Vec<u8>>)>, StateError> {
        let _ = key;
        Ok(Vec::new())
    }

    /// The values of these keys in each of the other states in the same place (rule T2).
    ///
    /// # Errors
    /// If the store fails. Nothing was changed.
    async fn read_siblings(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Vec<Option<Vec<u8>>>>, StateError> {
        let _ = (table, keys);
        Ok(Vec::new())
    }

    /// From now on this store, its clones, and each store that is opened at the same address, are another
    /// state. A claim of the state before does not count for it. `false`: this place has room for one
    /// state, and nothing was changed.
    ///
    /// # Guarantees
    /// - All of it happens in one step, and is durable.
    /// - The state before stays as it is and is a sibling from now on, but for [`Turn::Replace`] and
    ///   [`Turn::Copy`], which delete it.
    /// - No edit is lost: where documents are not compared, the next state has in its queue what may have
    ///   been edited since it was used at this address.
    /// - A store that was opened at the address before, such as one of another process, reads from the next
    ///   state, and makes no write by what it read of the state before.
    ///
    /// # Errors
    /// If the store fails, or if there is no such sibling. Nothing was changed.
    async fn turn_to(&self, turn: Turn) -> Result<bool, StateError> {
        let _ = turn;
        Ok(false)
    }

    /// If this state is used at other addresses too, this address gets a copy of it, as with
    /// [`Turn::Copy`]; says whether it was so.
    ///
    /// # Errors
    /// If the store fails. Nothing was changed.
    async fn keep_apart(&self) -> Result<bool, StateError> {
        Ok(false)
    }
}

/// The number of a state among those that lie in one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Sibling(pub i64);

/// Which state a [`StateStore`] turns to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn {
    /// This one, which keeps its own address too.
    Share(Sibling),
    /// The same, and the state before is deleted with all its records: it was never used, or the
    /// sibling is that of the same storage and is ahead of it.
    Replace(Sibling),
    /// A copy of this one, in place of a state that was never used, which is deleted.
    Copy(Sibling),
    /// A new one.
    New,
}

/// What became of a [`StateStore::write`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Written {
    /// All changes are made.
    Done,
    /// A record was not as expected. Nothing was changed.
    Changed,
}

/// QueueChange (rule C3) for an application that keeps its documents and this state in one database,
/// and queues an edit in the very transaction that makes it: the new value of the document's record
/// in [`Table::Dirty`], whose key is its [`DocumentId::to_key`](crate::DocumentId::to_key).
///
/// `dirty` is that record as it is now, `indexed` the document's record in [`Table::Index`], or else
/// in [`Table::Tombstones`]; `edit` is any number that no earlier edit of this document had.
///
/// # Errors
/// If a record is damaged.
pub fn queue_change(
    dirty: Option<&[u8]>,
    indexed: Option<&[u8]>,
    edit: u64,
) -> Result<Vec<u8>, StateError> {
    let base = match (dirty, indexed) {
        (Some(dirty), _) => from_record::<QueuedEdit>(dirty)?.base,
        (None, Some(version)) => Some(from_record::<SyncedVersion>(version)?.vid),
        (None, None) => None,
    };
    serde_json::to_vec(&QueuedEdit::queued(base, edit)).map_err(|e| StateError::Store(e.into()))
}

/// The revision that the application has of a synced document, by its record in [`Table::Index`].
///
/// # Errors
/// If the record is damaged.
pub fn local_revision(indexed: &[u8]) -> Result<Revision, StateError> {
    let version: SyncedVersion = from_record(indexed)?;
    Ok(version.local_rev().clone())
}

/// The record in [`Table::Index`] of a document that has another revision by now without an edit, such as a
/// row after a change of the schema. What is synced stays the version in the storage, as after
/// [`Outcome::DoneAs`](crate::Outcome::DoneAs).
///
/// # Errors
/// If the record is damaged.
pub fn with_local_revision(indexed: &[u8], revision: &Revision) -> Result<Vec<u8>, StateError> {
    let mut version: SyncedVersion = from_record(indexed)?;
    version.local = Some(revision.clone()).filter(|revision| *revision != version.rev);
    serde_json::to_vec(&version).map_err(|e| StateError::Store(e.into()))
}

fn from_record<T: serde::de::DeserializeOwned>(record: &[u8]) -> Result<T, StateError> {
    serde_json::from_slice(record).map_err(|e| StateError::Store(e.into()))
}

/// Holds a [claim](StateStore::claim) until it is dropped.
pub type Claim = Box<dyn Any + Send + Sync>;

/// The kinds of records.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Table {
    /// Single records: where this client is in the log, its attempt, its maintenance.
    Metadata,
    /// `id → (vid, rev, hash)` of each live document as last synced.
    Index,
    /// The same of each deleted document.
    Tombstones,
    /// `id → base vid` of each document that was changed here (the queue).
    Dirty,
    /// `id → change` of each remote change that is not yet applied.
    Pending,
    /// `id → change` of each write into the application that is under way.
    Intents,
    /// `key → age` of each object that garbage collection may delete one day.
    GcSeen,
}

impl Table {
    /// All tables.
    pub const ALL: [Self; 7] = [
        Self::Metadata,
        Self::Index,
        Self::Tombstones,
        Self::Dirty,
        Self::Pending,
        Self::Intents,
        Self::GcSeen,
    ];

    /// The name of the table in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Index => "index",
            Self::Tombstones => "tombstones",
            Self::Dirty => "dirty",
            Self::Pending => "pending",
            Self::Intents => "intents",
            Self::GcSeen => "gc_seen",
        }
    }
}

/// One record of the state, as it is to become or as it is expected to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Update {
    /// In which table.
    pub table: Table,
    /// Of which record.
    pub key: String,
    /// Its value; `None` if there is none.
    pub value: Option<Vec<u8>>,
}

/// Why a state could not do as asked.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// It is claimed by another sync.
    #[error("another sync is using the client state")]
    Busy,
    /// The store failed.
    #[error("the store of the client state failed")]
    Store(#[source] BoxError),
}

impl StateError {
    pub(crate) fn kind(&self) -> ErrorKind {
        match self {
            Self::Busy => ErrorKind::Busy,
            Self::Store(_) => ErrorKind::State,
        }
    }
}
