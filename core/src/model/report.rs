//! What a sync did.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::model::{CommitId, DocumentId};

/// The outcome of one sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// The number of the newest commit that is applied here; 0 before the first.
    pub version: u64,
    /// Which storage it is: the commit of its first entry. `None` if there is none yet.
    pub storage: Option<CommitId>,
    /// This sync has begun the storage: there was none.
    pub is_new_storage: bool,
    /// Documents written here because another device changed them.
    pub pulled: u64,
    /// Documents deleted here because another device deleted them.
    pub deleted: u64,
    /// Changes committed to the storage, puts and deletes.
    pub pushed: u64,
    /// Conflicts that were put to the resolver, deferred ones among them.
    pub conflicts: u64,
    /// Copies made because a resolver kept both versions.
    pub copies: Vec<ConflictCopy>,
    /// Documents of which the storage had lost the newest version, and this device has offered its own in
    /// its place, with [`SyncOptions::give_up_missing`](crate::SyncOptions::give_up_missing).
    pub given_up: Vec<DocumentId>,
    /// Documents that could not be synced now and are tried again at the next sync.
    pub deferred: Vec<Deferred>,
    /// Documents of the storage that are excluded on this device ([`Database::selection`](crate::Database::selection)).
    pub excluded: u64,
    /// Documents that the storage had lost and this device has put again, with
    /// [`SyncOptions::verify`](crate::SyncOptions::verify).
    pub put_again: u64,
    /// Requests made of the storage, by kind.
    pub requests: Requests,
    /// Bytes sent in objects.
    pub bytes_up: u64,
    /// Bytes received in objects.
    pub bytes_down: u64,
    /// How long it took, by the monotonic clock.
    pub elapsed: Duration,
}

/// A copy that was made of this device's version of a document in conflict.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ConflictCopy {
    /// The document that was in conflict: it has the other device's version now.
    pub id: DocumentId,
    /// The document that has this device's version now.
    pub copy: DocumentId,
}

/// A document that was set aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deferred {
    /// Which document.
    pub id: DocumentId,
    /// Why.
    pub reason: DeferReason,
    /// The error that says more, as text.
    pub detail: String,
}

/// Why a document was set aside.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DeferReason {
    /// The resolver put the conflict off.
    Conflict,
    /// The application could not read the document.
    Unreadable,
    /// The application could not take the document.
    Refused,
    /// The storage lacks the document's bytes, or holds damaged ones, and no newer version is known.
    Missing,
    /// The storage has the document's bytes but did not give them.
    NotFetched,
    /// The storage could not take the document.
    NotStored,
    /// The document is edited again and again while it is synced.
    #[serde(alias = "restless")]
    KeepsChanging,
}

/// Requests made of the storage, by kind. A batch counts once an object, a repeated request counts
/// each time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Requests {
    /// Objects read.
    pub get: u64,
    /// Objects written over.
    pub put: u64,
    /// Objects created.
    pub create: u64,
    /// Objects deleted.
    pub delete: u64,
    /// Pages listed.
    pub list: u64,
}

impl Requests {
    /// All requests.
    pub fn total(&self) -> u64 {
        self.get + self.put + self.create + self.delete + self.list
    }

    pub(crate) fn since(&self, before: &Self) -> Self {
        Self {
            get: self.get - before.get,
            put: self.put - before.put,
            create: self.create - before.create,
            delete: self.delete - before.delete,
            list: self.list - before.list,
        }
    }
}
