//! The readers of all formats, for fuzzing and tests (feature `fuzzing`); no part of the interface.
//!
//! One function, so that nothing else has to be opened: it reads bytes as an object or a record of
//! some kind, and writes again what it understood.

use bytes::Bytes;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::local;
use crate::local::state::Table;
use crate::model::format::{LockObject, Part, ServerMetadata, Slot, Snapshot};
use crate::model::{
    Attempt, DeferredChange, GcClock, LastEntry, LogPosition, QueuedEdit, SyncedVersion,
};
use crate::model::{Error, ErrorKind, Key, format};

/// What the bytes are read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `changes/<n>.json`, a commit or a stub.
    Slot,
    /// `meta.json`.
    Hint,
    /// `lock.json`.
    Lock,
    /// `snapshot/<s>.<rand>.json`.
    Snapshot,
    /// `snapshot/<s>.<rand>.<k>.json`.
    Part,
    /// Where the client is in the log.
    LogPosition,
    /// A commit whose fate is open.
    Attempt,
    /// The entry a client of weak storage stands on.
    LastEntry,
    /// Garbage collection's measure of time.
    GcClock,
    /// The last synced version of a document.
    SyncedVersion,
    /// A queued edit.
    QueuedEdit,
    /// A remote change not yet applied.
    DeferredChange,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::Slot,
        Self::Hint,
        Self::Lock,
        Self::Snapshot,
        Self::Part,
        Self::LogPosition,
        Self::Attempt,
        Self::LastEntry,
        Self::GcClock,
        Self::SyncedVersion,
        Self::QueuedEdit,
        Self::DeferredChange,
    ];
}

/// Reads the bytes as the sync does, and writes what was understood.
///
/// # Errors
/// [`ErrorKind::Corrupt`] and [`ErrorKind::NewerFormat`] for objects, [`ErrorKind::State`] for
/// records of the client state.
pub fn reread(kind: Kind, bytes: &[u8]) -> Result<Bytes, Error> {
    match kind {
        Kind::Slot => match Slot::decode(&Key::change(1), bytes)? {
            Slot::Entry(entry) => format::encode(&Key::change(1), &entry),
            Slot::Stub(stub) => format::encode(&Key::change(1), &stub),
        },
        Kind::Hint => object::<ServerMetadata>(&Key::metadata(), bytes),
        Kind::Lock => object::<LockObject>(&Key::lock(), bytes),
        Kind::Snapshot => object::<Snapshot>(&Key::snapshot(1, 1.into()), bytes),
        Kind::Part => object::<Part>(&Key::snapshot_part(1, 1.into(), 0), bytes),
        Kind::LogPosition => record::<LogPosition>(Table::Metadata, bytes),
        Kind::Attempt => record::<Attempt>(Table::Metadata, bytes),
        Kind::LastEntry => record::<LastEntry>(Table::Metadata, bytes),
        Kind::GcClock => record::<GcClock>(Table::Metadata, bytes),
        Kind::SyncedVersion => record::<SyncedVersion>(Table::Index, bytes),
        Kind::QueuedEdit => record::<QueuedEdit>(Table::Dirty, bytes),
        Kind::DeferredChange => record::<DeferredChange>(Table::Pending, bytes),
    }
}

fn object<T: DeserializeOwned + Serialize>(key: &Key, bytes: &[u8]) -> Result<Bytes, Error> {
    format::encode(key, &format::decode::<T>(key, bytes)?)
}

fn record<T: DeserializeOwned + Serialize>(table: Table, bytes: &[u8]) -> Result<Bytes, Error> {
    let record: T = local::parse(table, bytes)?;
    let json = serde_json::to_vec(&record);
    json.map(Bytes::from).map_err(|_| Error::new(ErrorKind::State, "encode client state"))
}
