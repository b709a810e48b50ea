//! Conflicts, and who settles them: always the application, by a resolver it chose.

use std::cmp::Ordering;
use std::fmt;

use async_trait::async_trait;

use crate::model::{BoxError, Document, DocumentId, Revision, Timestamp, VersionId};

/// Two devices changed one document, neither knowing of the other's change.
#[derive(Clone, Debug)]
pub struct Conflict {
    /// Which document.
    pub id: DocumentId,
    /// This device's version; `None` if it was deleted here.
    pub local: Option<Document>,
    /// The other device's version; `None` if it was deleted there.
    pub remote: Option<Document>,
    /// The revision of the last version that both had, if there was one.
    pub base_revision: Option<Revision>,
    /// The name of that version in the storage, if there was one.
    pub base: Option<VersionId>,
    /// The device that made the remote version, as it named itself, if it is known. For people.
    pub remote_device: Option<String>,
    /// When that device committed it, by its own clock, if it is known. For people.
    pub remote_time: Option<Timestamp>,
}

/// What becomes of a document in conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resolution {
    /// Push this device's version over the remote one.
    KeepLocal,
    /// Replace this device's version by the remote one. The local version is gone.
    TakeRemote,
    /// Both were joined into this document, which replaces the local one and is pushed. Its revision
    /// must be a new one.
    Merged(Document),
    /// Make a new document of the local version, under this id, then take the remote version. The
    /// same conflict must always give the same id, so that a crash in between makes no second copy.
    KeepBoth {
        /// The id of the copy.
        copy: DocumentId,
    },
    /// Decide later: both versions stay as they are, and the next sync asks again.
    Defer,
}

/// Settles conflicts for one application.
#[async_trait]
pub trait Resolver: Send + Sync {
    /// Decides about one conflict. It may take its time, such as asking a person: edits and other
    /// syncs go on meanwhile, and if the document is changed again the conflict is asked anew.
    ///
    /// # Errors
    /// The conflict is deferred and reported.
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError>;
}

/// A ready resolver: this device's version always wins.
#[derive(Clone, Copy, Debug)]
pub struct LocalWins;

/// A ready resolver: the version in the storage always wins.
#[derive(Clone, Copy, Debug)]
pub struct RemoteWins;

/// A ready resolver: every conflict is left for later.
#[derive(Clone, Copy, Debug)]
pub struct DeferAll;

/// A ready resolver: the greater version by a comparison of the application's wins; an edit wins
/// over a delete.
#[derive(Clone, Copy)]
pub struct NewestWins<F>(F);

/// A ready resolver: the remote version keeps the id, the local one gets an id that the application
/// makes from the conflict. An edit wins over a delete.
#[derive(Clone, Copy)]
pub struct KeepBoth<F>(F);

impl<F: Fn(&Document, &Document) -> Ordering + Send + Sync> NewestWins<F> {
    /// `compare(local, remote)` says which is newer; on `Equal` the remote version is taken.
    pub fn new(compare: F) -> Self {
        Self(compare)
    }
}

impl<F: Fn(&Conflict) -> DocumentId + Send + Sync> KeepBoth<F> {
    /// `name(conflict)` gives the id of the copy: the same conflict always the same id.
    pub fn new(name: F) -> Self {
        Self(name)
    }
}

impl<F> fmt::Debug for NewestWins<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("NewestWins")
    }
}

impl<F> fmt::Debug for KeepBoth<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeepBoth")
    }
}

#[async_trait]
impl Resolver for LocalWins {
    async fn resolve(&self, _: &Conflict) -> Result<Resolution, BoxError> {
        Ok(Resolution::KeepLocal)
    }
}

#[async_trait]
impl Resolver for RemoteWins {
    async fn resolve(&self, _: &Conflict) -> Result<Resolution, BoxError> {
        Ok(Resolution::TakeRemote)
    }
}

#[async_trait]
impl Resolver for DeferAll {
    async fn resolve(&self, _: &Conflict) -> Result<Resolution, BoxError> {
        Ok(Resolution::Defer)
    }
}

#[async_trait]
impl<F: Fn(&Document, &Document) -> Ordering + Send + Sync> Resolver for NewestWins<F> {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        Ok(match (&conflict.local, &conflict.remote) {
            (Some(local), Some(remote)) if self.0(local, remote) == Ordering::Greater => {
                Resolution::KeepLocal
            }
            (Some(_), None) => Resolution::KeepLocal,
            _ => Resolution::TakeRemote,
        })
    }
}

#[async_trait]
impl<F: Fn(&Conflict) -> DocumentId + Send + Sync> Resolver for KeepBoth<F> {
    async fn resolve(&self, conflict: &Conflict) -> Result<Resolution, BoxError> {
        Ok(match (&conflict.local, &conflict.remote) {
            (Some(_), Some(_)) => Resolution::KeepBoth { copy: self.0(conflict) },
            (Some(_), None) => Resolution::KeepLocal,
            (None, _) => Resolution::TakeRemote,
        })
    }
}
