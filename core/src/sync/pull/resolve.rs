//! One conflict (rules P6, P7 and P8): the application decides, then its decision is carried out in an
//! order that a stop anywhere cannot turn into a loss.

use bytes::Bytes;

use super::Pull;
use super::apply::{Open, document_of};
use crate::local::{Batch, Elsewhere};
use crate::local::{Conflict, Outcome, Resolution, Write};
use crate::model::format::Change;
use crate::model::{
    Action, BoxError, ConflictCopy, DeferReason, Document, DocumentId, Error, Event, Revision,
};
use crate::model::{DeferredChange, LogPosition, QueuedEdit, SyncedVersion};
use crate::model::{Scope, with_causes};
use crate::planted::{Rule, holds};
use crate::protocol::{Local, PlannedWrite};
use crate::sync::mark_synced::Synced;

fn local_of(document: Option<&Document>) -> Local<'_> {
    document.map_or(Local::Absent, |document| Local::Content(&document.revision, document.hash()))
}

/// The local side as the resolver saw it.
type Expected = Option<Revision>;

/// A write that is tried again together with others.
fn blocked(
    record: DeferredChange,
    bytes: Option<Bytes>,
    expected: Expected,
    why: BoxError,
) -> Option<Open> {
    let change = record.change.clone()?;
    let (replaces, moved_from) = (None, None);
    let write = PlannedWrite { change, record, expected, replaces, bytes: None, moved_from };
    Some(Open { fetched: (write, bytes), why, refused: false })
}

impl Pull<'_> {
    /// Puts a conflict to the application and does as it says. If the document was edited meanwhile
    /// it stays pending, and is asked anew.
    pub(super) async fn resolve(
        &self,
        position: &LogPosition,
        id: DocumentId,
        pending: DeferredChange,
        open: &mut Vec<Open>,
    ) -> Result<(), Error> {
        let local = match self.cx.client.database.get(&id).await {
            Ok(local) => local,
            Err(e) => {
                return self
                    .defer_change(&id, &pending, DeferReason::Unreadable, with_causes(&*e))
                    .await;
            }
        };
        let remote = match self.remote_side(&pending).await? {
            Some(remote) => remote,
            None => return Ok(()),
        };
        let ids = std::slice::from_ref(&id);
        let base = self.cx.client.sync_state.indexed(ids).await?.remove(&id);
        let conflict = Conflict {
            id,
            base: base.as_ref().map(|b| b.vid),
            base_revision: base.map(|b| b.rev),
            remote_device: pending.device.clone(),
            remote_time: pending.time,
            local,
            remote,
        };
        self.cx.report().conflicts += 1;
        self.cx.client.emit(Event::Conflict { id: conflict.id.clone() });
        match self.cx.client.resolver.resolve(&conflict).await {
            Ok(resolution) => self.carry_out(position, conflict, pending, resolution, open).await,
            Err(e) => {
                self.defer_change(&conflict.id, &pending, DeferReason::Conflict, with_causes(&*e))
                    .await
            }
        }
    }

    /// The remote version's bytes; `None` if they are missing, which then is on record.
    async fn remote_side(
        &self,
        pending: &DeferredChange,
    ) -> Result<Option<Option<Document>>, Error> {
        let Some(change) = pending.change.as_ref().filter(|c| c.action == Action::Put) else {
            return Ok(Some(None));
        };
        let body = change.body.as_ref().map(|b| b.0.clone()).filter(|b| change.is_content(b));
        let bytes = match body {
            Some(bytes) => Some(bytes),
            None => match self.cx.client.storage.get(&[change]).await.pop() {
                Some(Ok(bytes)) => bytes,
                Some(Err(e)) if e.scope() == Scope::Storage => return Err(e),
                Some(Err(e)) => {
                    self.defer_change(
                        &change.id,
                        pending,
                        DeferReason::NotFetched,
                        with_causes(&e),
                    )
                    .await?;
                    return Ok(None);
                }
                None => None,
            },
        };
        let Some(bytes) = bytes else {
            let mut batch = Batch::new();
            self.set_missing(&mut batch, pending.clone());
            self.cx.client.sync_state.metadata_write(batch).await?;
            return Ok(None);
        };
        Ok(Some(Some(document_of(change, bytes))))
    }

    async fn carry_out(
        &self,
        position: &LogPosition,
        conflict: Conflict,
        pending: DeferredChange,
        resolution: Resolution,
        open: &mut Vec<Open>,
    ) -> Result<(), Error> {
        let expected = conflict.local.as_ref().map(|local| local.revision.clone());
        match resolution {
            Resolution::KeepLocal => self.keep_local(position, &conflict, &pending).await,
            Resolution::TakeRemote => {
                let taken = (pending, conflict.remote, expected);
                self.take_remote(position, &conflict.id, taken, open).await
            }
            Resolution::Merged(document) => {
                if !holds(Rule::P8) {
                    self.keep_local(position, &conflict, &pending).await?;
                }
                let write = Write {
                    id: conflict.id.clone(),
                    document: Some(document),
                    expected,
                    moved_from: None,
                };
                match self.apply_one(write).await {
                    // First the merged document, then the index: a stop in between asks again.
                    Outcome::Done | Outcome::DoneAs(_) => {
                        self.keep_local(position, &conflict, &pending).await
                    }
                    Outcome::Changed => Ok(()),
                    Outcome::Blocked(e) | Outcome::Refused(e) => {
                        self.defer_change(
                            &conflict.id,
                            &pending,
                            DeferReason::Refused,
                            with_causes(&*e),
                        )
                        .await
                    }
                }
            }
            Resolution::KeepBoth { copy } => match (&conflict.local, &conflict.remote) {
                (Some(local), Some(_)) => match self.copy(&conflict.id, &copy, local).await? {
                    Ok(()) => {
                        let taken = (pending, conflict.remote, expected);
                        self.take_remote(position, &conflict.id, taken, open).await
                    }
                    Err(why) => {
                        self.defer_change(&conflict.id, &pending, DeferReason::Refused, why).await
                    }
                },
                (Some(_), None) => self.keep_local(position, &conflict, &pending).await,
                (None, _) => {
                    let taken = (pending, conflict.remote, expected);
                    self.take_remote(position, &conflict.id, taken, open).await
                }
            },
            Resolution::Defer => {
                let text = "the decision was put off";
                self.defer_change(&conflict.id, &pending, DeferReason::Conflict, text).await
            }
        }
    }

    /// `index := remote`, `dirty := remote vid`: the local version is pushed upon the remote one.
    async fn keep_local(
        &self,
        position: &LogPosition,
        Conflict { id, local, .. }: &Conflict,
        pending: &DeferredChange,
    ) -> Result<(), Error> {
        let mut batch = Batch::new();
        let Some(remote) = &pending.change else {
            batch.index(id, None);
            batch.dirty(id, Some(QueuedEdit::on(None)));
            batch.pending(id, None);
            let _edits = self.cx.client.sync_state.edits().await;
            return self.cx.client.sync_state.metadata_write(batch).await;
        };
        let (here, elsewhere) = self.versions(id).await?;
        let lineage = elsewhere.lineage(id, here.as_ref());
        let kept = self.cx.edits_of_kept(lineage, local_of(local.as_ref()), remote).await?;
        batch.kept(remote, kept, position.generation);
        let _edits = self.cx.client.sync_state.edits().await;
        self.cx.client.sync_state.metadata_write(batch).await
    }

    /// What this storage and the others of this database had of a document.
    async fn versions(&self, id: &DocumentId) -> Result<(Option<SyncedVersion>, Elsewhere), Error> {
        let (sync_state, ids) = (&self.cx.client.sync_state, std::slice::from_ref(id));
        let here = sync_state.indexed(ids).await?.remove(id);
        Ok((here, sync_state.elsewhere(ids).await?))
    }

    /// Replaces the local version by the remote one, if it is still the expected one. If it is blocked, it
    /// comes again with the `open` writes.
    async fn take_remote(
        &self,
        position: &LogPosition,
        id: &DocumentId,
        (pending, remote, expected): (DeferredChange, Option<Document>, Expected),
        open: &mut Vec<Open>,
    ) -> Result<(), Error> {
        let (here, elsewhere) = self.versions(id).await?;
        let lineage = elsewhere.lineage(id, here.as_ref());
        let change = pending.change.map(|c| Change { seen: lineage.taken(&c), ..c });
        let pending = DeferredChange { change, ..pending };
        let mut intent = Batch::new();
        intent.intent(id, pending.change.as_ref());
        self.cx.client.sync_state.metadata_write(intent).await?;
        let existed = expected.is_some();
        let bytes = remote.as_ref().map(|remote| remote.bytes.clone());
        let write = Write {
            id: id.clone(),
            document: remote,
            expected: expected.clone(),
            moved_from: None,
        };
        match self.apply_one(write).await {
            Outcome::Done => self.mark_taken(position, id, &pending, existed, None).await,
            Outcome::DoneAs(revision) => {
                self.mark_taken(position, id, &pending, existed, Some(revision)).await
            }
            Outcome::Changed => self.drop_intent(id).await,
            Outcome::Blocked(why) if pending.change.is_some() => {
                self.drop_intent(id).await?;
                open.extend(blocked(pending, bytes, expected, why));
                Ok(())
            }
            Outcome::Blocked(e) | Outcome::Refused(e) => {
                self.drop_intent(id).await?;
                self.defer_change(id, &pending, DeferReason::Refused, with_causes(&*e)).await
            }
        }
    }

    async fn mark_taken(
        &self,
        position: &LogPosition,
        id: &DocumentId,
        pending: &DeferredChange,
        existed: bool,
        local: Option<Revision>,
    ) -> Result<(), Error> {
        let Some(change) = &pending.change else {
            self.count_applied(Action::Delete);
            return self.cx.mark_forgotten(std::slice::from_ref(id)).await;
        };
        if change.action == Action::Put || existed {
            self.count_applied(change.action);
        }
        let synced = Synced { change: change.clone(), local };
        self.cx.mark_all_synced(vec![synced], position.generation, Batch::new()).await
    }

    pub(super) async fn apply_one(&self, write: Write) -> Outcome {
        let outcome = self.cx.client.database.apply(vec![write]).await.pop();
        outcome.unwrap_or_else(|| Outcome::Blocked("the database gave no answer".into()))
    }

    async fn drop_intent(&self, id: &DocumentId) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.intent(id, None);
        self.cx.client.sync_state.metadata_write(batch).await
    }

    /// Makes a document of the local version before the remote one takes its place, and queues it.
    /// A copy that an interrupted sync made already serves as well. `Err` says why it cannot be.
    pub(super) async fn copy(
        &self,
        id: &DocumentId,
        copy: &DocumentId,
        local: &Document,
    ) -> Result<Result<(), String>, Error> {
        if self.cx.excludes(copy) {
            return Ok(Err(format!("the id of its copy, {copy:?}, is excluded on this device")));
        }
        let document = Some(local.clone());
        let write = Write { id: copy.clone(), document, expected: None, moved_from: None };
        match self.apply_one(write).await {
            Outcome::Done | Outcome::DoneAs(_) if copy != id => {}
            Outcome::Changed if copy != id => match self.cx.client.database.get(copy).await {
                Ok(Some(there)) if there.bytes == local.bytes => {}
                _ => return Ok(Err(format!("the id of its copy, {copy:?}, is taken"))),
            },
            Outcome::Blocked(e) | Outcome::Refused(e) => {
                return Ok(Err(format!("its copy could not be made: {e}")));
            }
            _ => return Ok(Err("its copy must have another id".to_owned())),
        }
        self.cx.client.queue_changes(std::slice::from_ref(copy)).await?;
        let copied = ConflictCopy { id: id.clone(), copy: copy.clone() };
        self.cx.report().copies.push(copied);
        Ok(Ok(()))
    }
}
