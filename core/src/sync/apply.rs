//! Rules P5, P7 and P8: bytes are fetched, and written into the application by compare-and-set.

use std::collections::HashSet;

use bytes::Bytes;
use futures::StreamExt;
use futures::stream;

use super::Session;
use super::absorb::Ready;
use super::upload::is_everybodys;
use crate::ledger::{Batch, Pending, Position};
use crate::{Action, DeferReason, Document, Error, Event, Outcome, Vid, Write};

/// A write with its bytes: `None` for a delete.
type Fetched = (Ready, Option<Bytes>);

/// Documents that are written together, between two writes of the client state.
const WRITES: usize = 500;

impl Session<'_> {
    /// Applies changes to documents that were not edited here; what turns out otherwise becomes
    /// pending. Bytes are fetched a batch ahead of the writes.
    pub(super) async fn apply_ready(
        &self,
        position: &Position,
        ready: Vec<Ready>,
    ) -> Result<(), Error> {
        let limits = self.client.server.capabilities();
        let batches = cut(ready, WRITES, limits.batch_bytes);
        let fetches: Vec<_> = batches.into_iter().map(|batch| self.fetch(batch)).collect();
        let mut fetched = stream::iter(fetches).buffered(2);
        while let Some(batch) = fetched.next().await {
            self.apply_batch(position, batch?).await?;
        }
        Ok(())
    }

    /// P5: bytes come from the change's body, else from `docs/`. What is absent, damaged or cannot
    /// be read becomes pending.
    async fn fetch(&self, batch: Vec<Ready>) -> Result<Vec<Fetched>, Error> {
        let (mut fetched, mut absent): (Vec<Fetched>, Vec<Ready>) = (Vec::new(), Vec::new());
        for mut ready in batch {
            let body = ready.change.body.as_ref().map(|body| body.0.clone());
            let body = body.filter(|bytes| ready.change.is_content(bytes));
            match ready.bytes.take().or(body) {
                None if ready.change.action == Action::Put => absent.push(ready),
                bytes => fetched.push((ready, bytes)),
            }
        }
        let changes: Vec<_> = absent.iter().map(|ready| &ready.change).collect();
        let mut answers = self.client.server.get(&changes).await;
        let transient = |a: &Result<_, Error>| a.as_ref().is_err_and(Error::is_transient);
        let unreachable = answers.len() > 1 && answers.iter().all(transient);
        let everybodys =
            answers.iter().position(|a| a.as_ref().is_err_and(|e| unreachable || is_everybodys(e)));
        if let Some(i) = everybodys {
            // Not one document's trouble but the storage's.
            answers.swap_remove(i)?;
        }
        let mut batch = Batch::new();
        for (ready, answer) in absent.into_iter().zip(answers) {
            match answer {
                Ok(Some(bytes)) => fetched.push((ready, Some(bytes))),
                Ok(None) => self.set_missing(&mut batch, ready.incoming),
                Err(e) => {
                    self.defer(&ready.change.id, DeferReason::NotFetched, &e);
                    batch.pending(&ready.change.id, Some(&ready.incoming));
                }
            }
        }
        self.client.ledger.metadata_write(batch).await?;
        Ok(fetched)
    }

    /// P8: (1) intents, (2) apply, (3) settle.
    async fn apply_batch(&self, position: &Position, batch: Vec<Fetched>) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        let (mut intents, mut writes) = (Batch::new(), Vec::with_capacity(batch.len()));
        let mut targets = Vec::with_capacity(batch.len());
        for (Ready { change, expected, incoming, .. }, bytes) in batch {
            intents.intent(&change.id, Some(&change));
            let document = bytes.map(|bytes| Document::new(change.rev.clone(), bytes));
            writes.push(Write { id: change.id.clone(), document, expected, moved_from: None });
            targets.push((change, incoming));
        }
        self.client.ledger.metadata_write(intents).await?;
        let answers = self.client.database.apply(writes).await;
        let (mut done, mut rest) = (Vec::new(), Batch::new());
        for ((change, incoming), answer) in targets.into_iter().zip(answers) {
            match answer {
                Outcome::Done | Outcome::DoneAs(_) => {
                    self.count_applied(change.action);
                    let (id, action) = (change.id.clone(), change.action);
                    self.client.emit(Event::Pulled { id, action });
                    done.push(change);
                    continue;
                }
                // An edit came in between: P6 decides.
                Outcome::Changed => rest.pending(&change.id, Some(&incoming)),
                Outcome::Blocked(e) | Outcome::Refused(e) => {
                    self.defer(&change.id, DeferReason::Refused, e);
                    let reason = Some(DeferReason::Refused);
                    rest.pending(&change.id, Some(&Pending { reason, ..incoming }));
                }
            }
            rest.intent(&change.id, None);
        }
        self.settle_with(&done, position.generation, rest).await
    }

    pub(super) fn count_applied(&self, action: Action) {
        let mut report = self.report();
        match action {
            Action::Put => report.pulled += 1,
            Action::Delete => report.deleted += 1,
        }
    }

    /// Remembers that a version's bytes are not in the storage.
    pub(super) fn set_missing(&self, batch: &mut Batch, pending: Pending) {
        if let Some(change) = &pending.change {
            self.missing().insert(change.vid);
            let id = change.id.clone();
            batch.pending(&id, Some(&Pending { reason: Some(DeferReason::Missing), ..pending }));
        }
    }

    pub(super) fn missing(&self) -> std::sync::MutexGuard<'_, HashSet<Vid>> {
        self.missing.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Cuts the writes into batches of bounded number and size.
fn cut(ready: Vec<Ready>, items: usize, bytes: u64) -> Vec<Vec<Ready>> {
    let mut batches: Vec<Vec<Ready>> = Vec::new();
    let mut size = 0;
    for write in ready {
        let length = write.change.len;
        match batches.last_mut() {
            Some(batch) if batch.len() < items && size + length <= bytes => {
                size += length;
                batch.push(write);
            }
            _ => {
                size = length;
                batches.push(vec![write]);
            }
        }
    }
    batches
}
