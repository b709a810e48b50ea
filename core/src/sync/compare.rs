//! Rule C4: at the start the application's documents are compared with the index. What differs is
//! queued, what is missing is queued as a delete. This heals a lost QueueChange.

use std::collections::HashSet;

use futures::StreamExt;

use super::Session;
use crate::ledger::{Batch, Dirty, Indexed};
use crate::state::Table;
use crate::{DeferReason, DocumentId, Error, ErrorKind, Event, Listed, Queueing, Revision};

/// Documents compared in one step.
const STEP: usize = 500;
/// So many deletes never stop a sync.
pub(super) const FEW_DELETES: u64 = 10;

/// Indexed documents that the listing did not have, or that it had in another revision.
#[derive(Default)]
struct Unlisted {
    missing: Vec<DocumentId>,
    different: Vec<DocumentId>,
}

impl Session<'_> {
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn compare(&self) -> Result<(), Error> {
        if self.client.database.queueing() == Queueing::Transactional {
            return Ok(());
        }
        let known = self.compare_listed().await?;
        // Every indexed document was met: none can be missing.
        if known < self.client.ledger.count(Table::Index).await? {
            self.queue_unlisted().await?;
        }
        Ok(())
    }

    /// Queues listed documents that differ; says how many listed ones the index knows.
    async fn compare_listed(&self) -> Result<u64, Error> {
        let mut listed = self.client.database.list().ready_chunks(STEP);
        let (mut known, mut compared) = (0, 0);
        while let Some(chunk) = listed.next().await {
            let mut found = Vec::with_capacity(chunk.len());
            for item in chunk {
                let Listed { id, revision } = item.map_err(|e| database_error("list", e))?;
                match revision {
                    Ok(revision) => found.push((id, revision)),
                    Err(e) => self.defer(&id, DeferReason::Unreadable, e),
                }
            }
            compared += found.len() as u64;
            known += self.queue_different(&found).await?;
            self.client.emit(Event::Comparing { documents: compared });
        }
        Ok(known)
    }

    async fn queue_different(&self, found: &[(DocumentId, Revision)]) -> Result<u64, Error> {
        let ledger = &self.client.ledger;
        let ids: Vec<_> = found.iter().map(|(id, _)| id.clone()).collect();
        let _edits = ledger.edits().await;
        let (indexed, dirty) = (ledger.indexed(&ids).await?, ledger.dirty(&ids).await?);
        let mut batch = Batch::new();
        for (id, revision) in found {
            let version = indexed.get(id);
            let same = version.and_then(Indexed::live_rev) == Some(revision);
            if !same && !dirty.contains_key(id) {
                batch.dirty(id, Some(Dirty::on(version.map(|v| v.vid))));
            }
        }
        ledger.metadata_write(batch).await?;
        // A listing with one id twice must not hide a missing document.
        let distinct: HashSet<_> = ids.iter().collect();
        let live = distinct.into_iter().filter(|id| indexed.get(*id).is_some_and(|v| !v.deleted));
        Ok(live.count() as u64)
    }

    /// Queues a delete of each indexed document that the application no longer has, the brake first;
    /// and an edit of each that it has but did not list, such as one that it ignores by now.
    async fn queue_unlisted(&self) -> Result<(), Error> {
        let Unlisted { mut missing, different } = self.find_unlisted().await?;
        // What the application queued itself it means to delete.
        let queued = self.client.ledger.dirty(&missing).await?;
        missing.retain(|id| !queued.contains_key(id));
        let total = self.client.ledger.count(Table::Index).await?;
        self.brake(missing.len() as u64, total, "deleted in the storage and on other devices")?;
        let ledger = &self.client.ledger;
        let ids: Vec<_> = missing.into_iter().chain(different).collect();
        for ids in ids.chunks(STEP) {
            let _edits = ledger.edits().await;
            let (indexed, dirty) = (ledger.indexed(ids).await?, ledger.dirty(ids).await?);
            let mut batch = Batch::new();
            for id in ids.iter().filter(|id| !dirty.contains_key(*id)) {
                batch.dirty(id, Some(Dirty::on(indexed.get(id).map(|v| v.vid))));
            }
            ledger.metadata_write(batch).await?;
        }
        Ok(())
    }

    async fn find_unlisted(&self) -> Result<Unlisted, Error> {
        let mut found = Unlisted::default();
        let mut pages = self.client.ledger.pages::<Indexed>(Table::Index, STEP);
        while let Some(page) = pages.next().await? {
            let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
            let revisions = self.client.database.revisions(&ids).await;
            for ((id, indexed), revision) in page.into_iter().zip(revisions) {
                match revision {
                    Ok(None) => found.missing.push(id),
                    Ok(Some(revision)) if Some(&revision) != indexed.live_rev() => {
                        found.different.push(id);
                    }
                    Ok(Some(_)) => {}
                    Err(e) => self.defer(&id, DeferReason::Unreadable, e),
                }
            }
        }
        Ok(found)
    }

    /// Stops a sync that would delete more than half of the documents, and more than 10.
    pub(super) fn brake(&self, deletes: u64, total: u64, fate: &str) -> Result<(), Error> {
        if self.options.accept_deletes || deletes <= FEW_DELETES || deletes * 2 <= total {
            return Ok(());
        }
        Err(Error::new(ErrorKind::TooManyDeletes, "sync").with_message(format!(
            "{deletes} of {total} documents would be {fate}: look whether that is right (an \
             emptied folder, an unmounted drive?), then accept the deletes"
        )))
    }
}

pub(super) fn database_error(operation: &'static str, e: crate::BoxError) -> Error {
    Error::new(ErrorKind::Database, operation).with_source(e)
}
