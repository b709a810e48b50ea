//! Rules P8 (3) and U6: what a client remembers once a change is both in the storage and here.

use super::Session;
use crate::format::{Change, Entry};
use crate::ledger::{Batch, Dirty, Ledger, Position};
use crate::planted::{Rule, holds};
use crate::state::Update;
use crate::{Action, DocumentId, Error, Event};

/// How often the queue is compared again because edits come in between.
const TRIES: usize = 5;

/// A commit of ours that is in the log, and its length.
pub(super) struct Pushed {
    pub entry: Entry,
    pub bytes: u64,
}

impl Session<'_> {
    /// Remembers that these changes are in the storage and were in the application.
    pub(super) async fn settle(&self, changes: &[Change], generation: u64) -> Result<(), Error> {
        self.settle_with(changes, generation, Batch::new()).await
    }

    /// `index := change`, no longer pending or intended, and not dirty **only if the application
    /// still has that very revision**: else an edit came after, made upon this version.
    pub(super) async fn settle_with(
        &self,
        changes: &[Change],
        generation: u64,
        others: Batch,
    ) -> Result<(), Error> {
        let ids: Vec<DocumentId> = changes.iter().map(|c| c.id.clone()).collect();
        for _ in 0..TRIES {
            let _edits = self.client.ledger.edits().await;
            // In this order: an edit that is queued after the first line is seen by the second, or
            // has changed the queue when the batch is written.
            let queue = self.client.ledger.queue(&ids).await?;
            let local = self.client.database.revisions(&ids).await;
            let mut batch = others.clone();
            for ((change, local), record) in changes.iter().zip(local).zip(&queue) {
                let expected = (change.action == Action::Put).then_some(&change.rev);
                let unedited = matches!(&local, Ok(revision) if revision.as_ref() == expected);
                let edited = !unedited && holds(Rule::U6);
                let edit = edited.then(|| edit(change, record)).transpose()?;
                batch.settled(change, generation, edit);
            }
            if self.client.ledger.metadata_write_if(queue, batch).await? {
                return Ok(());
            }
        }
        // Edited again and again: they stay queued, whatever the application has.
        let mut batch = others;
        for change in changes {
            batch.settled(change, generation, Some(Dirty::on(Some(change.vid))));
        }
        self.client.ledger.metadata_write(batch).await
    }

    /// U6: index, queue, `v`, anchor and attempt in one update.
    pub(super) async fn settle_pushed(
        &self,
        position: &mut Position,
        pushed: Pushed,
    ) -> Result<(), Error> {
        let Pushed { entry, bytes } = pushed;
        let mut after = position.clone();
        after.advance(entry.commit);
        after.anchor_checked = self.client.environment.now();
        after.log.bytes =
            after.log.bytes.saturating_add(bytes).saturating_add(entry.documents_len());
        let mut batch = Batch::new();
        batch.position(&after);
        batch.attempt(None);
        if self.is_weak() {
            let last = self.last_entry(after.generation, [&entry]).await?;
            batch.last_entry(last.as_ref());
        }
        self.settle_with(&entry.changes, after.generation, batch).await?;
        *position = after;
        self.note_found(position);
        let changes = entry.changes.len() as u64;
        self.report().pushed += changes;
        self.client.emit(Event::Committed { changes, version: position.version });
        Ok(())
    }
}

/// An edit that came upon this change, whose record of the queue was this. What the application queued
/// may be a delete; of the rest a comparison finds out.
fn edit(change: &Change, record: &Update) -> Result<Dirty, Error> {
    let is_queued = Ledger::queued(record)?.is_some_and(Dirty::is_queued);
    Ok(Dirty { found: !is_queued, ..Dirty::on(Some(change.vid)) })
}
