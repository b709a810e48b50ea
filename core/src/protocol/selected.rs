//! What is remembered of a document that is excluded on this device, and what becomes of it once it is included
//! again (rules C8 and C9).

use super::decide::Local;
use crate::model::format::Change;
use crate::model::{Action, DeferredChange, QueuedEdit, SetAside, SyncedVersion, VersionId};

/// What the client state is to say of a document that is included again.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Included {
    /// The version that was synced last, if this device still has the document.
    pub version: Option<SyncedVersion>,
    /// The change that waits for a decision.
    pub change: Option<DeferredChange>,
    /// The edit that is queued.
    pub edit: Option<QueuedEdit>,
}

impl DeferredChange {
    /// The record of a document that is excluded. `synced` and `edit` are what index and queue had of it. It
    /// leaves both, so that neither its absence nor an edit here is pushed. The bytes are not kept: `docs/` has
    /// them.
    pub(crate) fn excluded(self, synced: Option<SyncedVersion>, edit: Option<QueuedEdit>) -> Self {
        let made_on_another = |edit: QueuedEdit| match (&synced, self.synced_before()) {
            (Some(version), _) => {
                edit.base != Some(version.vid) || edit.is_on_another(version.local_rev())
            }
            // It was queued without an index: only what the application said counts.
            (None, Some(version)) => edit.is_on_another(version.local_rev()),
            (None, None) => false,
        };
        // Such an edit stays apart (rule C3).
        let diverged = self.diverged || edit.is_some_and(made_on_another);
        let synced = synced.or_else(|| self.synced_before().cloned());
        let change = self.change.map(|change| Change { body: None, ..change });
        let set_aside = Some(Box::new(SetAside { synced }));
        Self { change, diverged, reason: None, set_aside, ..self }
    }

    /// Whether the storage has the document, and this device excludes it.
    pub(crate) fn is_of_excluded(&self) -> bool {
        let is_put = self.change.as_ref().is_some_and(|change| change.action == Action::Put);
        self.set_aside.is_some() && is_put
    }

    /// The version that was synced before the document was excluded.
    pub(crate) fn synced_before(&self) -> Option<&SyncedVersion> {
        self.set_aside.as_ref().and_then(|set_aside| set_aside.synced.as_ref())
    }

    /// The same after the log of this device has become another one, whose versions are not known yet.
    pub(crate) fn in_another_log(&self) -> Self {
        Self { set_aside: self.set_aside.as_ref().map(|_| Box::default()), ..Self::absent() }
    }
}

/// A document with this record is included again. `local` is what the application has, `queued` what the queue
/// has, `deleted` the last version if the index has it as deleted.
///
/// What is not there was not deleted by anybody: it comes again. What is there counts as made on the version that
/// was synced when it was excluded.
pub(crate) fn include(
    record: DeferredChange,
    local: Local<'_>,
    queued: Option<QueuedEdit>,
    deleted: Option<VersionId>,
) -> Included {
    let synced = record.set_aside.as_ref().and_then(|set_aside| set_aside.synced.clone());
    let waiting = DeferredChange { set_aside: None, ..record };
    let vid = waiting.change.as_ref().map(|change| change.vid);
    if local == Local::Absent {
        let change = vid.map(|_| DeferredChange { diverged: false, ..waiting });
        return Included { change, ..Included::default() };
    }
    // What cannot be read may be absent: then it must not count as deleted.
    let synced = synced.filter(|_| local != Local::Unreadable);
    match (synced, vid) {
        // The storage has no such document: it is a new one.
        (_, None) => {
            let edit = queued.unwrap_or_else(|| QueuedEdit::found(deleted));
            Included { edit: Some(edit), ..Included::default() }
        }
        (None, Some(_)) => Included { version: None, change: Some(waiting), edit: queued },
        (Some(version), Some(vid)) => {
            let is_next = vid != version.vid || waiting.diverged;
            let is_edited =
                matches!(local, Local::Revision(revision) if revision != version.local_rev());
            let edit = match queued {
                Some(edit) => Some(upon(edit, &version)),
                None => (is_edited && !is_next).then(|| QueuedEdit::found(Some(version.vid))),
            };
            Included { version: Some(version), change: is_next.then_some(waiting), edit }
        }
    }
}

/// An edit that was queued while the index lacked the document.
fn upon(edit: QueuedEdit, version: &SyncedVersion) -> QueuedEdit {
    match edit.is_on_another(version.local_rev()) {
        true => edit,
        false => QueuedEdit { base: Some(version.vid), ..edit },
    }
}

#[cfg(test)]
#[path = "selected/tests.rs"]
mod tests;
