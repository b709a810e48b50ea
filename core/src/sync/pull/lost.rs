//! Rules D6 and D7: a version whose bytes are lost is replaced by what this device has, if the user gives
//! it up; if its bytes are there again later, the application is asked about them.
//!
//! The resolver is not asked about a version that is given up. The user's word answers the question, and
//! a resolver could not carry out anything else: to take the remote version, or to keep both, takes bytes
//! that nobody has.

use super::Pull;
use super::STEP;
use super::apply::document_of;
use super::facts::Waiting;
use crate::local::state::Table;
use crate::local::{Batch, SyncState};
use crate::local::{Conflict, Outcome, Resolution, Write};
use crate::model::{DeferReason, DeferredChange, Document, DocumentId, Error, Event, LostVersion};
use crate::model::{QueuedEdit, Scope, with_causes};

impl Pull<'_> {
    /// Gives up the versions that are missing, where this device has something to put in their place.
    /// They stay deferred until that is pushed: a stop in between leaves all as it was.
    pub(super) async fn give_up_missing(&self) -> Result<(), Error> {
        if !self.cx.options.give_up_missing || self.missing().is_empty() {
            return Ok(());
        }
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let vid = |pending: &DeferredChange| pending.change.as_ref().map(|change| change.vid);
            let is_open = |vid| self.missing().contains(&vid) && !self.cx.is_given_up(vid);
            let missing: Vec<Waiting> =
                page.into_iter().filter(|(_, p)| vid(p).is_some_and(is_open)).collect();
            while !self.give_up_page(&missing).await? {}
        }
        Ok(())
    }

    /// `false` if an edit came in between.
    async fn give_up_page(&self, missing: &[Waiting]) -> Result<bool, Error> {
        if missing.is_empty() {
            return Ok(true);
        }
        let sync_state = &self.cx.client.sync_state;
        let known = self.look_up(missing).await?;
        let missing: Vec<_> = missing.iter().filter(|(id, _)| known.offers(id)).collect();
        let ids: Vec<_> = missing.iter().map(|(id, _)| id.clone()).collect();
        let _edits = sync_state.edits().await;
        let queue = sync_state.queue(&ids).await?;
        let (mut batch, mut lost) = (Batch::new(), sync_state.lost().await?);
        for ((id, pending), record) in missing.iter().zip(&queue) {
            lost.remember(pending);
            if SyncState::queued(record)?.is_none() {
                batch.dirty(id, Some(QueuedEdit::on(known.synced.get(id).map(|v| v.vid))));
            }
        }
        batch.lost(&lost);
        if !sync_state.metadata_write_if(queue, batch).await? {
            return Ok(false);
        }
        for (id, pending) in missing {
            tracing::warn!("giving up a version whose bytes the storage lost");
            self.cx.give_up(id, pending);
        }
        Ok(true)
    }

    /// Puts the versions to the application that were given up and whose bytes are there again, each
    /// until it is decided. The log has a newer version by then: what is taken of the old one is an edit.
    pub(super) async fn ask_about_found(&self) -> Result<(), Error> {
        let sync_state = &self.cx.client.sync_state;
        for version in sync_state.lost().await?.0.iter().filter(|version| version.found) {
            if self.ask_about(version).await? {
                let mut lost = sync_state.lost().await?;
                lost.forget(version.change.vid);
                let mut batch = Batch::new();
                batch.lost(&lost);
                sync_state.metadata_write(batch).await?;
            }
        }
        Ok(())
    }

    /// Whether it is decided.
    async fn ask_about(
        &self,
        LostVersion { change, device, time, .. }: &LostVersion,
    ) -> Result<bool, Error> {
        let (id, sync_state) = (&change.id, &self.cx.client.sync_state);
        let ids = std::slice::from_ref(id);
        // Another change is decided first; an excluded document is left as it is (rule C8).
        let waits = self.cx.is_deferred(id) || self.cx.excludes(id);
        if waits || !sync_state.pending(ids).await?.is_empty() {
            return Ok(false);
        }
        let local = match self.cx.client.database.get(id).await {
            Ok(local) => local,
            Err(e) => {
                self.cx.defer(id, DeferReason::Unreadable, with_causes(&*e));
                return Ok(false);
            }
        };
        let synced = sync_state.indexed(ids).await?.remove(id);
        let is_here = local.as_ref().is_some_and(|local| local.hash() == change.hash);
        if is_here || synced.is_some_and(|version| version.vid == change.vid) {
            return Ok(true);
        }
        let bytes = match self.cx.client.storage.get(&[change]).await.pop() {
            Some(Err(e)) if e.scope() == Scope::Storage => return Err(e),
            Some(Ok(Some(bytes))) => bytes,
            _ => return Ok(false),
        };
        self.cx.report().conflicts += 1;
        self.cx.client.emit(Event::Conflict { id: id.clone() });
        self.settle_found(Conflict {
            id: id.clone(),
            local,
            remote: Some(document_of(change, bytes)),
            base: None,
            base_revision: None,
            remote_device: device.clone(),
            remote_time: *time,
        })
        .await
    }

    async fn settle_found(&self, conflict: Conflict) -> Result<bool, Error> {
        let resolution = match self.cx.client.resolver.resolve(&conflict).await {
            Ok(resolution) => resolution,
            Err(e) => {
                self.cx.defer(&conflict.id, DeferReason::Conflict, with_causes(&*e));
                return Ok(false);
            }
        };
        let Conflict { id, local, remote, .. } = conflict;
        let document = match resolution {
            Resolution::KeepLocal => return Ok(true),
            Resolution::Defer => {
                self.cx.defer(&id, DeferReason::Conflict, "the decision was put off");
                return Ok(false);
            }
            Resolution::TakeRemote => remote,
            Resolution::Merged(document) => Some(document),
            Resolution::KeepBoth { copy } => {
                if let Some(local) = &local
                    && let Err(why) = self.copy(&id, &copy, local).await?
                {
                    self.cx.defer(&id, DeferReason::Refused, why);
                    return Ok(false);
                }
                remote
            }
        };
        self.write_as_edit(&id, document, local).await
    }

    /// First the queue, then the document: what is queued and not written is no edit.
    async fn write_as_edit(
        &self,
        id: &DocumentId,
        document: Option<Document>,
        local: Option<Document>,
    ) -> Result<bool, Error> {
        self.cx.client.queue_changes(std::slice::from_ref(id)).await?;
        let expected = local.map(|local| local.revision);
        let write = Write { id: id.clone(), document, expected, moved_from: None };
        match self.apply_one(write).await {
            Outcome::Done | Outcome::DoneAs(_) => {
                self.count_applied(crate::model::Action::Put);
                Ok(true)
            }
            Outcome::Changed => Ok(false),
            Outcome::Blocked(e) | Outcome::Refused(e) => {
                self.cx.defer(id, DeferReason::Refused, with_causes(&*e));
                Ok(false)
            }
        }
    }
}

/// What is known of a version whose bytes are missing, for the report.
pub(super) fn describe(pending: &DeferredChange) -> String {
    let mut text = "the storage does not have its bytes".to_owned();
    if let Some(since) = pending.since {
        text.push_str(&format!(", as first seen here at {since}"));
    }
    if let Some(device) = &pending.device {
        text.push_str(&format!("; written by {device:?}"));
    }
    if let Some(time) = pending.time {
        text.push_str(&format!(" at {time}"));
    }
    text
}
