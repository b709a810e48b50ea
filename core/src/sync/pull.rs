//! The loop of a pull (rules P1, P4 and P9). It takes no lock.

use std::collections::BTreeMap;

use super::Session;
use super::absorb::Incoming;
use super::tail::{Step, Tail, Winner};
use crate::format::Entry;
use crate::ledger::{Batch, Position};
use crate::{DocumentId, Error};

impl Session<'_> {
    /// Brings the application up to the head of the log; then settles what could not be applied at
    /// once. All of it may be stopped anywhere and is repeated by the next pull.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn pull(
        &self,
        position: &mut Position,
        winner: Option<Winner>,
    ) -> Result<(), Error> {
        self.check_interrupted(position).await?;
        self.drop_pending_of_before(position).await?;
        let pushing = self.client.ledger.is_any_queued().await?;
        // A user who accepts another storage expects that it is looked at.
        let mut tail = Tail::new(winner, pushing || self.options.accept_remote);
        self.read_to_head(position, &mut tail).await?;
        if self.settle_pending(position, false).await? {
            // A document's bytes were missing: a newer change of it may have come meanwhile (P5).
            self.read_to_head(position, &mut Tail::default()).await?;
            self.settle_pending(position, true).await?;
        }
        Ok(())
    }

    async fn read_to_head(&self, position: &mut Position, tail: &mut Tail) -> Result<(), Error> {
        loop {
            match self.next(position, tail).await? {
                Step::End => break,
                Step::Entries { entries, end } => {
                    self.absorb_entries(position, entries).await?;
                    if end {
                        break;
                    }
                }
                Step::Snapshot(snapshot) => {
                    if !self.absorb_snapshot(position, snapshot).await? {
                        // Damaged: the log itself is still there.
                        tail.avoid_snapshots();
                    }
                }
            }
        }
        if position.resyncing {
            self.finish_start_over(position).await?;
        }
        Ok(())
    }

    /// P4: the last change of each id; P9: then `v` and the anchor move.
    async fn absorb_entries(
        &self,
        position: &mut Position,
        entries: Vec<(Entry, u64)>,
    ) -> Result<(), Error> {
        if let Some((last, _)) = entries.last() {
            position.set_out(position.version + entries.len() as u64, last.commit);
            self.client.ledger.save(position).await?;
        }
        let mut after = position.clone();
        let mut batch = Batch::new();
        // Also as long as it is not known whether the storage is weak.
        if !self.client.server.is_atomic() {
            let entries = entries.iter().map(|(entry, _)| entry);
            let last = self.last_entry(position.generation, entries).await?;
            batch.last_entry(last.as_ref());
        }
        let mut last: BTreeMap<DocumentId, Incoming> = BTreeMap::new();
        for (entry, bytes) in entries {
            after.advance(entry.commit);
            after.log.bytes =
                after.log.bytes.saturating_add(bytes).saturating_add(entry.documents_len());
            for change in entry.changes {
                let older = last.remove(&change.id).map(Incoming::into_older).unwrap_or_default();
                let incoming = Incoming {
                    device: Some(entry.client.clone()),
                    time: Some(entry.time),
                    older,
                    ..Incoming::from(change)
                };
                last.insert(incoming.change.id.clone(), incoming);
            }
        }
        self.absorb(position, last.into_values().collect()).await?;
        after.anchor_checked = self.client.environment.now();
        *position = after;
        self.note_found(position);
        batch.position(position);
        self.client.ledger.metadata_write(batch).await
    }
}
