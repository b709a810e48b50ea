//! Gathers what is known of documents and asks `protocol::decide` about each (rules P4, P6 and P12).

use std::collections::HashMap;
use std::sync::atomic::Ordering::Relaxed;

use bytes::Bytes;

use super::Pull;
use crate::local::Batch;
use crate::local::{ChangeTracking, Elsewhere};
use crate::model::format::Change;
use crate::model::{
    Action, BoxError, ContentHash, DeferReason, Document, DocumentId, Error, Revision,
};
use crate::model::{DeferredChange, LogPosition, QueuedEdit, SyncedVersion, with_causes};
use crate::protocol::{Decision, Fact, Facts, Lineage, Local, Plan, PlannedWrite, Wait, decide};

/// A document with the remote change that waits for it.
pub(in crate::sync) type Waiting = (DocumentId, DeferredChange);

/// What is known here of some documents.
pub(in crate::sync) struct Known {
    pub synced: HashMap<DocumentId, SyncedVersion>,
    elsewhere: Elsewhere,
    edits: HashMap<DocumentId, QueuedEdit>,
    revisions: HashMap<DocumentId, Result<Option<Revision>, BoxError>>,
    /// Documents whose version the database refused, and would refuse again.
    refused: Vec<DocumentId>,
}

/// What is to be done with some remote changes.
#[derive(Default)]
pub(super) struct Decided {
    pub writes: Vec<PlannedWrite>,
    /// Changes that the application has already.
    pub synced: Vec<Change>,
    /// Documents that neither side has.
    pub forgotten: Vec<DocumentId>,
    /// Changes that the application or a later sync decides about.
    pub waiting: Vec<Waiting>,
    /// Of these the application must be asked.
    pub conflicts: Vec<Waiting>,
    /// What the client state is to forget.
    pub state: Batch,
    /// The log before the snapshot may be looked at: the position is behind the snapshot.
    pub reads_history: bool,
}

impl Pull<'_> {
    /// Looks up what is known of these documents.
    pub(in crate::sync) async fn look_up(&self, changes: &[Waiting]) -> Result<Known, Error> {
        let ids: Vec<_> = changes.iter().map(|(id, _)| id.clone()).collect();
        let synced = self.cx.client.sync_state.indexed(&ids).await?;
        self.look_up_rest(changes, synced).await
    }

    /// The same, if the synced versions were looked up already.
    pub(super) async fn look_up_rest(
        &self,
        changes: &[Waiting],
        synced: HashMap<DocumentId, SyncedVersion>,
    ) -> Result<Known, Error> {
        let ids: Vec<_> = changes.iter().map(|(id, _)| id.clone()).collect();
        let edits = self.cx.client.sync_state.dirty(&ids).await?;
        let elsewhere = self.cx.client.sync_state.elsewhere(&ids).await?;
        let revisions = self.cx.client.database.revisions(&ids).await;
        let revisions = ids.into_iter().zip(revisions).collect();
        let refused = self.still_refused(changes).await;
        Ok(Known { synced, elsewhere, edits, revisions, refused })
    }

    /// Documents whose version was refused, would have to be downloaded, and is refused for the same
    /// reason as before (rule P12).
    async fn still_refused(&self, changes: &[Waiting]) -> Vec<DocumentId> {
        if self.cx.options.retry_refused {
            return Vec::new();
        }
        let needs_download = |pending: &DeferredChange| {
            let change = pending.change.as_ref();
            change.is_some_and(|c| c.action == Action::Put && c.body.is_none())
        };
        let refused: Vec<_> = changes.iter().filter(|(_, p)| needs_download(p)).collect();
        let refused = refused.into_iter().filter_map(|(id, p)| Some((id, p.refused.as_ref()?)));
        let (ids, then): (Vec<_>, Vec<_>) = refused.map(|(id, r)| (id.clone(), r.epoch)).unzip();
        if ids.is_empty() {
            return ids;
        }
        let now = self.cx.client.database.epochs(&ids).await;
        let same = ids.into_iter().zip(then.into_iter().zip(now));
        same.filter(|(_, (then, now))| then == now).map(|(id, _)| id).collect()
    }

    /// Decides about remote changes. Nothing is written yet.
    pub(super) async fn decide_all(
        &self,
        position: &LogPosition,
        changes: Vec<Waiting>,
        known: &Known,
        decided: &mut Decided,
    ) -> Result<(), Error> {
        for (id, pending) in changes {
            let history = decided.reads_history;
            let decision = self.decide_one(position, &id, Some(&pending), known, history);
            let (decision, read) = decision.await?;
            let synced = known.synced.get(&id);
            let (lineage, local) = (known.lineage(&id), known.local(&id, read.as_ref()));
            match (decision, pending.change.clone()) {
                (Decision::InSync, _) => {
                    if let Some(version) = synced {
                        decided.state.met(&id, version, position.generation, true);
                    }
                }
                (Decision::MarkSynced, Some(change)) => {
                    let seen = lineage.alike(local, &change);
                    decided.synced.push(Change { seen, ..change });
                }
                (Decision::Keep, Some(change)) => {
                    let kept = self.cx.edits_of_kept(lineage, local, &change).await?;
                    self.cx.kept.fetch_add(1, Relaxed);
                    decided.state.kept(&change, kept, position.generation);
                }
                (Decision::Write, Some(change)) => {
                    let seen = lineage.taken(&change);
                    let equal = read.map(|(document, _)| document);
                    let equal = equal.filter(|local| change.is_content(&local.bytes));
                    let change = Change { seen, ..change };
                    let expected = known.revision(&id).cloned();
                    let is_synced = expected.is_some() && synced.is_some_and(|v| v.local.is_none());
                    let replaces = synced.filter(|_| is_synced).map(|version| version.hash);
                    let bytes = equal.map(|local| local.bytes);
                    decided.writes.push(PlannedWrite {
                        change,
                        record: pending,
                        expected,
                        replaces,
                        bytes,
                        moved_from: None,
                    });
                }
                (Decision::Forget, _) => decided.forgotten.push(id),
                (Decision::Wait(wait), _) => {
                    self.say_why(&id, &pending, wait, known);
                    decided.waiting.push((id, pending));
                }
                _ => decided.conflicts.push((id, pending)),
            }
        }
        Ok(())
    }

    /// Decides about one document, reading what the decision needs; the document, if it was read.
    pub(in crate::sync) async fn decide_one(
        &self,
        position: &LogPosition,
        id: &DocumentId,
        remote: Option<&DeferredChange>,
        known: &Known,
        reads_history: bool,
    ) -> Result<(Decision, Option<(Document, ContentHash)>), Error> {
        // A device that has finished a sync has an index of all it had: a document without a record is a
        // new one, and two devices may each have made one of this name (rule P6).
        let older = position.synced.is_some().then_some(false);
        let mut facts = Facts {
            synced: known.synced.get(id),
            elsewhere: known.elsewhere.of(id),
            edit: known.edits.get(id),
            local: Local::Unreadable,
            remote,
            refused: known.refused.contains(id),
            older,
            scanned: self.cx.client.database.tracking() == ChangeTracking::Scanned,
        };
        let mut read: Option<(Document, ContentHash)> = None;
        loop {
            let local = known.local(id, read.as_ref());
            match decide(&Facts { local, ..facts }) {
                Decision::Need(Fact::Content) => match self.cx.client.database.get(id).await {
                    Ok(Some(document)) if known.revision(id) == Some(&document.revision) => {
                        let hash = document.hash();
                        read = Some((document, hash));
                    }
                    // It is being edited: the application is asked about what it is then.
                    _ => return Ok((Decision::Conflict, None)),
                },
                // It is decided when the whole log is read.
                Decision::Need(Fact::History) if !reads_history => {
                    return Ok((Decision::Conflict, None));
                }
                Decision::Need(Fact::History) => {
                    let hash = read.as_ref().map(|(_, hash)| *hash);
                    facts.older = Some(self.is_older_version(position, id, hash, remote).await?);
                }
                decision => return Ok((decision, read)),
            }
        }
    }

    fn say_why(&self, id: &DocumentId, pending: &DeferredChange, wait: Wait, known: &Known) {
        match (wait, known.revisions.get(id)) {
            (Wait::Refused, _) => {
                let why = pending.refused.as_ref().map_or("", |refused| &refused.why);
                self.cx.defer(id, DeferReason::Refused, why);
            }
            (_, Some(Err(e))) => self.cx.defer(id, DeferReason::Unreadable, with_causes(&**e)),
            _ => {}
        }
    }
}

impl Known {
    /// The revision that the application has.
    fn revision(&self, id: &DocumentId) -> Option<&Revision> {
        self.revisions.get(id).and_then(|revision| revision.as_ref().ok()?.as_ref())
    }

    /// What the storages of this database had of the document.
    fn lineage(&self, id: &DocumentId) -> Lineage<'_> {
        self.elsewhere.lineage(id, self.synced.get(id))
    }

    /// What the application has; the document, if it was read.
    fn local<'a>(
        &'a self,
        id: &DocumentId,
        read: Option<&'a (Document, ContentHash)>,
    ) -> Local<'a> {
        match (read, self.revisions.get(id)) {
            (Some((document, hash)), _) => Local::Content(&document.revision, *hash),
            (None, Some(Ok(Some(revision)))) => Local::Revision(revision),
            (None, Some(Ok(None))) => Local::Absent,
            (None, _) => Local::Unreadable,
        }
    }

    /// Whether this device has something to put in the place of a version that is lost: its document, or
    /// a delete of it that is queued (rule D6).
    pub(super) fn offers(&self, id: &DocumentId) -> bool {
        match self.revisions.get(id) {
            Some(Ok(Some(_))) => true,
            Some(Ok(None)) => {
                let is_live = self.synced.get(id).is_some_and(|version| !version.deleted);
                is_live && self.edits.contains_key(id)
            }
            Some(Err(_)) | None => false,
        }
    }

    /// The same facts with these synced versions in the place of those of the index.
    pub(in crate::sync) fn with_synced(
        mut self,
        versions: &HashMap<DocumentId, SyncedVersion>,
    ) -> Self {
        let here = self.revisions.keys();
        let here = here.filter_map(|id| Some((id.clone(), versions.get(id)?.clone())));
        self.synced.extend(here);
        self
    }

    /// The same facts with these edits as well, which are not queued yet.
    pub(in crate::sync) fn with_edits(mut self, edits: &HashMap<DocumentId, QueuedEdit>) -> Self {
        let here = self.revisions.keys().filter_map(|id| Some((id.clone(), *edits.get(id)?)));
        self.edits.extend(here);
        self
    }
}

impl Decided {
    /// The writes in commit order.
    pub(super) fn plan(&mut self) -> Plan {
        Plan::new(std::mem::take(&mut self.writes))
    }
}

/// The bytes of a change that are in its entry.
pub(super) fn inline(change: &Change) -> Option<Bytes> {
    let body = change.body.as_ref().map(|body| body.0.clone());
    body.filter(|bytes| change.is_content(bytes))
}
