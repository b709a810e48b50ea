//! Pending changes (rules P4, P6, P8 and P10): once the tail is read, each is applied, found equal,
//! or put to the application as a conflict.

use std::collections::HashMap;

use super::Session;
use super::absorb::Ready;
use super::compare::FEW_DELETES;
use crate::format::Change;
use crate::ledger::{Batch, Dirty, Indexed, Pending, Position};
use crate::state::Table;
use crate::{Action, BoxError, DeferReason, DocumentId, Error, Revision};

/// Pending changes looked at in one step.
const STEP: usize = 200;
/// How often a document that is edited meanwhile is tried again in one sync.
const PASSES: usize = 4;

/// What to do with a pending change.
enum Review {
    /// Both sides are alike.
    Settled(Change),
    /// Neither side has the document any more.
    Gone,
    /// The index has this very version.
    Known,
    /// No edit stands against it.
    Ready(Box<Ready>),
    Conflict,
    /// It was set aside in this sync.
    Later,
}

impl Session<'_> {
    /// Settles all pending changes. Answers true if documents are missing in the storage and the
    /// tail is to be read again; with `last` they are reported instead.
    pub(super) async fn settle_pending(
        &self,
        position: &mut Position,
        last: bool,
    ) -> Result<bool, Error> {
        self.brake_deletes().await?;
        let mut left = self.pending_pass(position, last).await?;
        for _ in 1..PASSES {
            if !left {
                break;
            }
            left = self.pending_pass(position, last).await?;
        }
        if left {
            self.report_restless().await?;
        }
        Ok(!last && self.is_any_missing().await?)
    }

    /// Whether bytes of a change are missing that no newer one has replaced.
    async fn is_any_missing(&self) -> Result<bool, Error> {
        if self.missing().is_empty() {
            return Ok(false);
        }
        let mut pages = self.client.ledger.pages::<Pending>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            if page.iter().any(|(id, pending)| self.is_missing(id, pending, false)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is still pending after all passes was edited before each write.
    async fn report_restless(&self) -> Result<(), Error> {
        let mut after = None;
        loop {
            let page: Vec<(DocumentId, Pending)> =
                self.client.ledger.page(Table::Pending, after.as_ref(), STEP).await?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (id, _) in page.iter().filter(|(id, p)| !self.is_missing(id, p, false)) {
                self.defer(id, DeferReason::Restless, "it was edited before each write");
            }
        }
    }

    /// One pass over all pending changes; says whether another is wanted.
    async fn pending_pass(&self, position: &mut Position, last: bool) -> Result<bool, Error> {
        let mut again = false;
        let mut pages = self.client.ledger.pages::<Pending>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            again |= self.pending_step(position, page, last).await?;
        }
        Ok(again)
    }

    async fn pending_step(
        &self,
        position: &Position,
        page: Vec<(DocumentId, Pending)>,
        last: bool,
    ) -> Result<bool, Error> {
        let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
        let (indexed, dirty) =
            (self.client.ledger.indexed(&ids).await?, self.client.ledger.dirty(&ids).await?);
        let revisions = self.client.database.revisions(&ids).await;
        let (mut ready, mut settled, mut conflicts) = (Vec::new(), Vec::new(), Vec::new());
        let mut batch = Batch::new();
        for ((id, pending), revision) in page.into_iter().zip(revisions) {
            let known = (indexed.get(&id), dirty.contains_key(&id));
            match self.review(&id, &pending, known, revision, last).await {
                Review::Settled(change) => settled.push(change),
                Review::Known => batch.pending(&id, None),
                Review::Gone => {
                    batch.index(&id, None);
                    batch.dirty(&id, None);
                    batch.pending(&id, None);
                }
                Review::Ready(write) => ready.push(*write),
                Review::Conflict => conflicts.push((id, pending)),
                Review::Later => {}
            }
        }
        let again = !ready.is_empty() || !conflicts.is_empty();
        self.settle_with(&settled, position.generation, batch).await?;
        let total = (ready.len() + conflicts.len()) as u64;
        self.client.emit(crate::Event::Pull { total });
        self.apply_ready(position, ready).await?;
        for (id, pending) in conflicts {
            self.resolve(position, id, pending).await?;
        }
        Ok(again)
    }

    /// P6, for one pending change.
    async fn review(
        &self,
        id: &DocumentId,
        pending: &Pending,
        (indexed, dirty): (Option<&Indexed>, bool),
        revision: Result<Option<Revision>, BoxError>,
        last: bool,
    ) -> Review {
        if self.is_deferred(id) || self.is_missing(id, pending, last) {
            return Review::Later;
        }
        let revision = match revision {
            Ok(revision) => revision,
            Err(e) => {
                self.defer(id, DeferReason::Unreadable, e);
                return Review::Later;
            }
        };
        let Some(change) = &pending.change else {
            return if revision.is_none() { Review::Gone } else { Review::Conflict };
        };
        if !pending.diverged && indexed.is_some_and(|i| i.vid == change.vid) {
            return Review::Known;
        }
        if change.action == Action::Delete && revision.is_none() {
            return Review::Settled(change.clone());
        }
        let unedited = !dirty && revision.as_ref() == indexed.and_then(Indexed::live_rev);
        let ready = |bytes| {
            let (change, expected) = (change.clone(), revision.clone());
            Box::new(Ready { change, expected, bytes, incoming: pending.clone() })
        };
        if unedited && !pending.diverged {
            return Review::Ready(ready(None));
        }
        let Ok(Some(local)) = self.client.database.get(id).await else { return Review::Conflict };
        if Some(&local.revision) != revision.as_ref() {
            return Review::Conflict;
        }
        let hash = local.hash();
        let is_indexed = |i: &Indexed| !i.deleted && i.rev == local.revision && i.hash == hash;
        match change.action {
            // Queued, but not really changed (U1).
            _ if !pending.diverged && indexed.is_some_and(is_indexed) => Review::Ready(ready(None)),
            Action::Put if hash == change.hash && local.revision == change.rev => {
                Review::Settled(change.clone())
            }
            Action::Put if hash == change.hash => Review::Ready(ready(Some(local.bytes))),
            // A device reinstalled over its old documents.
            Action::Delete if indexed.is_none() && hash == change.hash => {
                Review::Ready(ready(None))
            }
            _ if indexed.is_none() && pending.older.contains(&hash) => Review::Ready(ready(None)),
            _ => Review::Conflict,
        }
    }

    /// P5: a document whose bytes are missing is reported once the tail was read again.
    fn is_missing(&self, id: &DocumentId, pending: &Pending, last: bool) -> bool {
        let vid = pending.change.as_ref().map(|c| c.vid);
        let missing = vid.is_some_and(|vid| self.missing().contains(&vid));
        if missing && last {
            let text = "its bytes are not in the storage: sync the device that wrote it last";
            self.defer(id, DeferReason::Missing, text);
        }
        missing
    }

    /// The brake: counts the deletes that are about to reach the application, before the first.
    async fn brake_deletes(&self) -> Result<(), Error> {
        let mut deletes = 0;
        let mut pages = self.client.ledger.pages::<Pending>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            // Of what diverged each document is put to the application.
            let is_delete = |p: &Pending| {
                let delete = p.change.as_ref().is_some_and(|c| c.action == Action::Delete);
                delete && !p.diverged
            };
            let ids: Vec<_> =
                page.iter().filter(|(_, p)| is_delete(p)).map(|(id, _)| id.clone()).collect();
            let indexed: HashMap<_, _> = self.client.ledger.indexed(&ids).await?;
            let live = ids.iter().filter(|id| indexed.get(*id).is_some_and(|i| !i.deleted));
            deletes += live.count() as u64;
        }
        if deletes <= FEW_DELETES {
            // Counting the index would read all of it, at each sync.
            return Ok(());
        }
        let total = self.client.ledger.count(Table::Index).await?;
        self.brake(deletes, total, "deleted on this device")
    }

    /// Takes the pending change's document out of the queue of what is asked: kept for later.
    pub(super) async fn put_off(
        &self,
        id: &DocumentId,
        pending: &Pending,
        reason: DeferReason,
        detail: impl ToString,
    ) -> Result<(), Error> {
        self.defer(id, reason, detail);
        let _edits = self.client.ledger.edits().await;
        let ids = std::slice::from_ref(id);
        let mut batch = Batch::new();
        batch.pending(id, Some(&Pending { reason: Some(reason), ..pending.clone() }));
        if reason == DeferReason::Conflict && self.client.ledger.dirty(ids).await?.is_empty() {
            let base = self.client.ledger.indexed(ids).await?.get(id).map(|i| i.vid);
            batch.dirty(id, Some(Dirty::on(base)));
        }
        self.client.ledger.metadata_write(batch).await
    }
}
