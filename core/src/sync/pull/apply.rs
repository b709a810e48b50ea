//! Rules P5, P7, P8 and P11: bytes are fetched, and batches are written into the application by
//! compare-and-set.

use std::collections::{HashMap, HashSet};

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;

use super::facts::inline;
use super::{Pull, joined};
use crate::local::Batch;
use crate::local::state::Table;
use crate::local::{Outcome, Write};
use crate::model::format::Change;
use crate::model::{Action, BoxError, DeferReason, Document, DocumentId, Error, Event, VersionId};
use crate::model::{DeferredChange, LogPosition, Refusal};
use crate::model::{Scope, with_causes};
use crate::protocol::{Plan, PlannedWrite};
use crate::sync::mark_synced::Synced;

/// A write with its bytes: `None` for a delete.
pub(super) type Fetched = (PlannedWrite, Option<Bytes>);

/// Documents that are written together, between two writes of the client state.
const WRITES: usize = 500;
/// Blocked writes that are kept for a later batch; with their bytes at most two batches of them.
const CARRIED: usize = 100_000;

/// A write that the database could not make now.
pub(super) struct Open {
    pub fetched: Fetched,
    pub why: BoxError,
    pub refused: bool,
}

impl Pull<'_> {
    /// Makes planned writes, batch after batch; what turns out otherwise is stored as deferred. Bytes
    /// are fetched a batch ahead of the writes. A write that is blocked or refused comes again with
    /// a later batch, which may make room for it: with the next one, or if many wait, when as many others
    /// were written.
    /// Those that are still blocked at the end are given back, for [`write_rest`](Self::write_rest).
    pub(super) async fn write(
        &self,
        position: &LogPosition,
        plan: Plan,
    ) -> Result<Vec<Open>, Error> {
        self.cx.client.emit(Event::Pull { total: plan.len() as u64 });
        let most = self.cx.client.storage.capabilities().batch_bytes;
        let batches = match self.cx.client.joined {
            Some(_) => plan.batches(joined::WRITES, most.min(joined::BYTES)),
            None => plan.batches(WRITES, most),
        };
        let fetches: Vec<_> = batches.into_iter().map(|batch| self.fetch(batch)).collect();
        let mut fetched = stream::iter(fetches).buffered(2);
        let (mut open, mut since): (Vec<Open>, _) = (Vec::new(), 0);
        while let Some(batch) = fetched.next().await {
            let mut batch = batch?;
            let over = open.split_off(carried(&open, most));
            self.give_up(over, &HashMap::new()).await?;
            since += batch.len();
            if since >= open.len() {
                since = 0;
                batch.splice(..0, open.drain(..).map(|open| open.fetched));
            }
            open.extend(self.write_batch(position, batch).await?);
        }
        Ok(open)
    }

    /// Tries again as long as one write makes room for another. What is left is put off to the deferred
    /// changes if there are any, as a conflict among them may be about its room, or else given up.
    pub(super) async fn write_rest(
        &self,
        position: &LogPosition,
        mut open: Vec<Open>,
        is_last: bool,
    ) -> Result<(), Error> {
        let is_last = is_last
            || open.is_empty()
            || self.cx.client.sync_state.is_empty(Table::Pending).await?;
        while !open.is_empty() {
            let before = open.len();
            // Before the last try: what changes after it changes the epoch, too.
            let ids: Vec<_> = open.iter().map(|o| o.fetched.0.change.id.clone()).collect();
            let epochs = self.cx.client.database.epochs(&ids).await;
            let epochs: HashMap<_, _> = ids.into_iter().zip(epochs).collect();
            let batch = open.into_iter().map(|open| open.fetched).collect();
            open = self.write_batch(position, batch).await?;
            if open.len() == before {
                return match is_last {
                    true => self.give_up(open, &epochs).await,
                    false => self.put_off(open).await,
                };
            }
        }
        Ok(())
    }

    /// Stores these writes as deferred, to be tried again in the same sync.
    async fn put_off(&self, open: Vec<Open>) -> Result<(), Error> {
        let mut state = Batch::new();
        for Open { fetched: (write, _), .. } in open {
            state.pending(&write.change.id, Some(&write.record));
        }
        self.cx.client.sync_state.metadata_write(state).await
    }

    /// Stores these writes as deferred and reports them (rules P10 and P12).
    async fn give_up(
        &self,
        open: Vec<Open>,
        epochs: &HashMap<DocumentId, u64>,
    ) -> Result<(), Error> {
        let mut state = Batch::new();
        for Open { fetched: (write, _), why, refused } in open {
            let id = &write.change.id;
            let why = with_causes(&*why);
            self.cx.defer(id, DeferReason::Refused, &why);
            let epoch = epochs.get(id).filter(|_| refused);
            let refused = epoch.map(|epoch| Refusal { epoch: *epoch, why });
            let reason = Some(DeferReason::Refused);
            state.pending(id, Some(&DeferredChange { reason, refused, ..write.record }));
        }
        self.cx.client.sync_state.metadata_write(state).await
    }

    /// Finds the bytes of each write (rule P5): in the entry, in the application, or in `docs/`. A
    /// version whose bytes are absent, damaged or cannot be read is deferred.
    async fn fetch(&self, batch: Vec<PlannedWrite>) -> Result<Vec<Fetched>, Error> {
        let mut bytes = Vec::with_capacity(batch.len());
        for write in &batch {
            bytes.push(self.bytes_here(write).await);
        }
        let is_absent = |i: &usize| batch[*i].change.action == Action::Put && bytes[*i].is_none();
        let absent: Vec<usize> = (0..batch.len()).filter(is_absent).collect();
        let changes: Vec<_> = absent.iter().map(|i| &batch[*i].change).collect();
        let mut answers = self.cx.client.storage.get(&changes).await;
        let transient = |a: &Result<_, Error>| a.as_ref().is_err_and(Error::is_transient);
        let unreachable = answers.len() > 1 && answers.iter().all(transient);
        let everybodys = answers
            .iter()
            .position(|a| a.as_ref().is_err_and(|e| unreachable || e.scope() == Scope::Storage));
        if let Some(i) = everybodys {
            // The storage fails as a whole, not for one document.
            answers.swap_remove(i)?;
        }
        let mut answers: HashMap<usize, _> = absent.into_iter().zip(answers).collect();
        let (mut fetched, mut state) = (Vec::with_capacity(batch.len()), Batch::new());
        for (i, (write, bytes)) in batch.into_iter().zip(bytes).enumerate() {
            match answers.remove(&i) {
                None => fetched.push((write, bytes)),
                Some(Ok(Some(bytes))) => fetched.push((write, Some(bytes))),
                Some(Ok(None)) => self.set_missing(&mut state, write.record),
                Some(Err(e)) => {
                    self.cx.defer(&write.change.id, DeferReason::NotFetched, with_causes(&e));
                    state.pending(&write.change.id, Some(&write.record));
                }
            }
        }
        self.cx.client.sync_state.metadata_write(state).await?;
        Ok(fetched)
    }

    /// The bytes of a write that need no download.
    async fn bytes_here(&self, write: &PlannedWrite) -> Option<Bytes> {
        if let Some(bytes) = write.bytes.clone().or_else(|| inline(&write.change)) {
            return Some(bytes);
        }
        let source = write.moved_from.as_ref()?;
        let source = self.cx.client.database.get(source).await.ok().flatten()?;
        Some(source.bytes).filter(|bytes| write.change.is_content(bytes))
    }

    /// Writes one batch (rule P8): first the intents, then the writes, then the index; or all at once,
    /// where that can be. The writes that are to be tried again are given back.
    async fn write_batch(
        &self,
        position: &LogPosition,
        batch: Vec<Fetched>,
    ) -> Result<Vec<Open>, Error> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        if let Some(joined) = &self.cx.client.joined {
            return self.write_joined(&**joined, position, batch).await;
        }
        let mut intents = Batch::new();
        for (PlannedWrite { change, .. }, _) in &batch {
            intents.intent(&change.id, Some(change));
        }
        self.cx.client.sync_state.metadata_write(intents).await?;
        let outcomes = self.cx.client.database.apply(writes_of(&batch)).await;
        let mut state = Batch::new();
        for ((write, _), outcome) in batch.iter().zip(&outcomes) {
            if !outcome.is_done() {
                state.intent(&write.change.id, None);
            }
        }
        let (done, open) = self.sort_out(batch, outcomes, &mut state);
        self.cx.mark_all_synced(done, position.generation, state).await?;
        Ok(open)
    }

    /// What was done, and what is to be tried again.
    pub(super) fn sort_out(
        &self,
        batch: Vec<Fetched>,
        outcomes: Vec<Outcome>,
        state: &mut Batch,
    ) -> (Vec<Synced>, Vec<Open>) {
        let (mut done, mut open) = (Vec::new(), Vec::new());
        for (fetched, outcome) in batch.into_iter().zip(outcomes) {
            let local = match outcome {
                Outcome::Done => None,
                Outcome::DoneAs(revision) => Some(revision),
                // An edit came in between: what to do is decided again (rule P6).
                Outcome::Changed => {
                    state.pending(&fetched.0.change.id, Some(&fetched.0.record));
                    continue;
                }
                Outcome::Blocked(why) => {
                    open.push(Open { fetched, why, refused: false });
                    continue;
                }
                Outcome::Refused(why) => {
                    open.push(Open { fetched, why, refused: true });
                    continue;
                }
            };
            let change = fetched.0.change;
            self.count_applied(change.action);
            self.cx.client.emit(Event::Pulled { id: change.id.clone(), action: change.action });
            done.push(Synced { change, local });
        }
        (done, open)
    }

    pub(super) fn count_applied(&self, action: Action) {
        let mut report = self.cx.report();
        match action {
            Action::Put => report.pulled += 1,
            Action::Delete => report.deleted += 1,
        }
    }

    /// Remembers that a version's bytes are not in the storage.
    pub(super) fn set_missing(&self, batch: &mut Batch, pending: DeferredChange) {
        if let Some(change) = &pending.change {
            self.missing().insert(change.vid);
            let id = change.id.clone();
            let since = pending.since.or(Some(self.cx.client.environment.now()));
            let reason = Some(DeferReason::Missing);
            batch.pending(&id, Some(&DeferredChange { reason, since, ..pending }));
        }
    }

    pub(super) fn missing(&self) -> std::sync::MutexGuard<'_, HashSet<VersionId>> {
        self.missing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The writes of a batch as the database takes them.
pub(super) fn writes_of(batch: &[Fetched]) -> Vec<Write> {
    let ids: HashSet<_> = batch.iter().map(|(write, _)| &write.change.id).collect();
    let write = |(write, bytes): &Fetched| {
        let PlannedWrite { change, expected, moved_from, .. } = write;
        let document = bytes.clone().map(|bytes| document_of(change, bytes));
        let moved_from = moved_from.clone().filter(|source| ids.contains(source));
        Write { id: change.id.clone(), document, expected: expected.clone(), moved_from }
    };
    batch.iter().map(write).collect()
}

/// The version that this change made.
pub(super) fn document_of(change: &Change, bytes: Bytes) -> Document {
    Document::new(change.rev.clone(), bytes).with_attributes(change.attr.clone())
}

/// How many of these writes are kept for the next batch.
fn carried(open: &[Open], most: u64) -> usize {
    let mut bytes = 0;
    let lengths = open.iter().map(|open| open.fetched.0.change.len);
    lengths
        .take(CARRIED)
        .take_while(|len| {
            bytes += len;
            bytes <= 2 * most
        })
        .count()
}
