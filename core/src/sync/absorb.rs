//! Rules P4 and P6: which remote changes are applied at once and which must wait until the whole
//! tail is read. Those that wait are written to `pending`, so that `v` may move past them.

use std::collections::HashMap;

use super::Session;
use crate::format::Change;
use crate::ledger::{Batch, Dirty, Indexed, Pending, Position};
use crate::{
    Action, BoxError, ContentHash, Document, DocumentId, Error, Event, Revision, Timestamp,
};

/// A change of another device on its way in.
pub(super) struct Incoming {
    pub change: Change,
    pub device: Option<String>,
    pub time: Option<Timestamp>,
    /// Hashes of the versions that this one replaced.
    pub older: Vec<ContentHash>,
}

/// What is known here about a document that is about to change.
struct Known {
    indexed: HashMap<DocumentId, Indexed>,
    dirty: HashMap<DocumentId, Dirty>,
    pending: HashMap<DocumentId, Pending>,
}

/// A write that may be made at once.
pub(super) struct Ready {
    pub change: Change,
    /// The revision that the application must have now.
    pub expected: Option<Revision>,
    /// The bytes, if the application has them already.
    pub bytes: Option<bytes::Bytes>,
    pub incoming: Pending,
}

/// Changes looked at in one step.
const STEP: usize = 500;
/// Older versions remembered of one document.
const OLDER: usize = 64;

impl Incoming {
    pub(super) fn from(change: Change) -> Self {
        Self { change, device: None, time: None, older: Vec::new() }
    }

    /// The hashes of this version and of those it replaced.
    pub(super) fn into_older(self) -> Vec<ContentHash> {
        let mut older = self.older;
        older.push(self.change.hash);
        older.drain(..older.len().saturating_sub(OLDER));
        older
    }

    /// The change as a pending one, joined with the one that was pending before.
    fn into_pending(self, before: Option<&Pending>, diverged: bool) -> Pending {
        let mut older = Vec::new();
        if let Some(before) = before {
            older.extend(&before.older);
            older.extend(before.change.as_ref().map(|c| c.hash));
        }
        older.extend(self.older);
        older.drain(..older.len().saturating_sub(OLDER));
        let diverged = diverged || before.is_some_and(|b| b.diverged);
        let Self { change, device, time, .. } = self;
        Pending { change: Some(change), device, time, older, diverged, reason: None }
    }
}

impl Session<'_> {
    /// Applies what can be applied and sets the rest aside as pending.
    pub(super) async fn absorb(
        &self,
        position: &Position,
        incoming: Vec<Incoming>,
    ) -> Result<(), Error> {
        let mut incoming = incoming.into_iter().peekable();
        while incoming.peek().is_some() {
            self.absorb_step(position, incoming.by_ref().take(STEP).collect()).await?;
        }
        Ok(())
    }

    async fn absorb_step(&self, position: &Position, step: Vec<Incoming>) -> Result<(), Error> {
        let ids: Vec<_> = step.iter().map(|i| i.change.id.clone()).collect();
        let ledger = &self.client.ledger;
        let known = Known {
            indexed: ledger.indexed(&ids).await?,
            dirty: ledger.dirty(&ids).await?,
            pending: ledger.pending(&ids).await?,
        };
        let revisions = self.client.database.revisions(&ids).await;
        let (mut ready, mut settled, mut batch) = (Vec::new(), Vec::new(), Batch::new());
        for (incoming, revision) in step.into_iter().zip(revisions) {
            match self.judge(position, &known, incoming, revision).await {
                Verdict::Known(change) => {
                    if known.pending.contains_key(&change.id) {
                        batch.pending(&change.id, None);
                    }
                    let version = Indexed::of(&change, position.generation);
                    if known.indexed.get(&change.id) != Some(&version) {
                        batch.index(&change.id, Some(&version));
                    }
                }
                Verdict::Settled(change) => settled.push(change),
                Verdict::Ready(write) => ready.push(write),
                Verdict::Wait(pending, id) => batch.pending(&id, Some(&pending)),
            }
        }
        self.settle_with(&settled, position.generation, batch).await?;
        self.client.emit(Event::Pull { total: ready.len() as u64 });
        self.apply_ready(position, ready).await
    }

    /// Decides about one change.
    async fn judge(
        &self,
        position: &Position,
        known: &Known,
        incoming: Incoming,
        revision: Result<Option<Revision>, BoxError>,
    ) -> Verdict {
        let id = incoming.change.id.clone();
        let indexed = known.indexed.get(&id);
        if indexed.is_some_and(|i| i.vid == incoming.change.vid) {
            return Verdict::Known(incoming.change);
        }
        // A start over may be over, and what it found out of this document still undecided.
        let undecided = known.pending.get(&id).is_some_and(|pending| pending.diverged);
        let diverged = undecided || (position.resyncing && indexed.is_some());
        let clean = !diverged
            && !known.dirty.contains_key(&id)
            && matches!(&revision, Ok(r) if r.as_ref() == indexed.and_then(Indexed::live_rev));
        let change = incoming.change.clone();
        let pending = incoming.into_pending(known.pending.get(&id), diverged);
        match (clean, change.action, revision) {
            (true, Action::Delete, Ok(None)) => Verdict::Settled(change),
            // Deletes wait until their number is known, for the brake.
            (_, Action::Delete, _) | (_, _, Err(_)) => Verdict::Wait(pending, id),
            (true, Action::Put, Ok(expected)) => {
                Verdict::Ready(Ready { change, expected, bytes: None, incoming: pending })
            }
            (false, Action::Put, Ok(_)) => match self.equal_content(&change).await {
                Some(local) if local.revision == change.rev => Verdict::Settled(change),
                Some(local) => Verdict::Ready(Ready {
                    change,
                    expected: Some(local.revision),
                    bytes: Some(local.bytes),
                    incoming: pending,
                }),
                None => Verdict::Wait(pending, id),
            },
        }
    }

    /// The local document, if its bytes are those of the change: then there is no conflict.
    async fn equal_content(&self, change: &Change) -> Option<Document> {
        let local = self.client.database.get(&change.id).await.ok()??;
        change.is_content(&local.bytes).then_some(local)
    }
}

enum Verdict {
    /// The index has this very version.
    Known(Change),
    /// The application has this very content.
    Settled(Change),
    Ready(Ready),
    Wait(Pending, DocumentId),
}
