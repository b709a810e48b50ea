//! Rule C4: at the start the application's documents are compared with the index. What differs is
//! queued, what is missing is queued as a delete. This heals a lost QueueChange.

use std::collections::HashSet;

use futures::StreamExt;

use super::Context;
use crate::local::Batch;
use crate::local::state::Table;
use crate::local::{ChangeTracking, Listed, Missing};
use crate::model::{DeferReason, DocumentId, Error, ErrorKind, Event, Revision};
use crate::model::{QueuedEdit, SyncedVersion, with_causes};
use crate::protocol::Loss;

/// Documents compared in one step.
const STEP: usize = 500;
/// If a step lists more documents than this without a revision, the scan reads the synced ones among
/// them, and the push reads those that differ again. If it lists fewer, they are queued, and only the push
/// reads them.
const DOUBTFUL: usize = 100;

/// Indexed documents that the listing did not have, or that it had in another revision.
#[derive(Default)]
struct Unlisted {
    missing: Vec<(DocumentId, SyncedVersion)>,
    different: Vec<DocumentId>,
}

/// What the documents that the application listed led to.
#[derive(Default)]
struct Listing {
    /// Those that are in the index.
    known: u64,
    /// Those that were queued.
    queued: u64,
}

/// The part of a sync that finds edits nobody queued.
pub(super) struct Scan<'a> {
    cx: &'a Context<'a>,
}

impl<'a> Scan<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self { cx }
    }

    /// Queues what differs from the index; says how many documents that were. What must be read to
    /// know is queued by a scan before a push, which reads it anyway; a scan alone reads it `now`, for
    /// what is queued calls for a sync.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn compare(&self, now: bool) -> Result<u64, Error> {
        if self.cx.client.database.tracking() == ChangeTracking::Transactional {
            return self.queue_missing().await;
        }
        let queued = self.compare_all(now).await?;
        self.cx.brake_restored().await?;
        Ok(queued)
    }

    async fn compare_all(&self, now: bool) -> Result<u64, Error> {
        let Listing { known, queued } = self.compare_listed(now).await?;
        // Every indexed document was met: none can be missing.
        if known >= self.cx.client.sync_state.count(Table::Index).await? {
            return Ok(queued);
        }
        Ok(queued + self.queue_unlisted().await?)
    }

    async fn compare_listed(&self, now: bool) -> Result<Listing, Error> {
        let mut listed = self.cx.client.database.list().ready_chunks(STEP);
        let (mut listing, mut compared) = (Listing::default(), 0);
        while let Some(chunk) = listed.next().await {
            let mut found = Vec::with_capacity(chunk.len());
            for item in chunk {
                let Listed { id, revision } = item.map_err(|e| database_error("list", e))?;
                match revision {
                    // It stays as it is (rule C8).
                    _ if self.cx.excludes(&id) => {}
                    Ok(revision) => found.push((id, revision)),
                    Err(e) => self.cx.defer(&id, DeferReason::Unreadable, with_causes(&*e)),
                }
            }
            compared += found.len() as u64;
            // Many documents without a revision are no edits as a rule: a pull has just written them, or
            // the cache of revisions is gone.
            let doubtful = found.iter().filter(|(_, revision)| revision.is_none()).count();
            if now || doubtful > DOUBTFUL {
                self.read_known(&mut found).await?;
            }
            self.queue_different(&found, &mut listing).await?;
            self.cx.client.emit(Event::Comparing { documents: compared });
        }
        Ok(listing)
    }

    /// Finds the revisions of synced documents that the listing left open.
    async fn read_known(&self, found: &mut [(DocumentId, Option<Revision>)]) -> Result<(), Error> {
        let open = found.iter_mut().filter(|(_, revision)| revision.is_none());
        let (ids, revisions): (Vec<_>, Vec<_>) = open.map(|(id, r)| (id.clone(), r)).unzip();
        let synced = self.cx.client.sync_state.indexed(&ids).await?;
        let known: Vec<_> =
            ids.iter().zip(revisions).filter(|(id, _)| synced.contains_key(*id)).collect();
        let ids: Vec<_> = known.iter().map(|(id, _)| (*id).clone()).collect();
        let read = self.cx.client.database.revisions(&ids).await;
        for ((_, revision), read) in known.into_iter().zip(read) {
            // One that cannot be read is queued, and reported by the sync.
            *revision = read.ok().flatten();
        }
        Ok(())
    }

    /// Queues those that differ.
    async fn queue_different(
        &self,
        found: &[(DocumentId, Option<Revision>)],
        listing: &mut Listing,
    ) -> Result<(), Error> {
        let sync_state = &self.cx.client.sync_state;
        let ids: Vec<_> = found.iter().map(|(id, _)| id.clone()).collect();
        let _edits = sync_state.edits().await;
        let (indexed, dirty) = (sync_state.indexed(&ids).await?, sync_state.dirty(&ids).await?);
        let mut batch = Batch::new();
        for (id, revision) in found {
            let version = indexed.get(id);
            let base = match dirty.get(id) {
                Some(dirty) if dirty.is_queued() || dirty.found => continue,
                Some(dirty) => dirty.base,
                None => version.map(|v| v.vid),
            };
            if revision.is_none() || version.and_then(SyncedVersion::live_rev) != revision.as_ref()
            {
                batch.dirty(id, Some(QueuedEdit::found(base)));
                listing.queued += 1;
            }
        }
        sync_state.metadata_write(batch).await?;
        // A listing with one id twice must not hide a missing document.
        let distinct: HashSet<_> = ids.iter().collect();
        let live = distinct.into_iter().filter(|id| indexed.get(*id).is_some_and(|v| !v.deleted));
        listing.known += live.count() as u64;
        Ok(())
    }

    /// Queues a delete of each indexed document that the application no longer has, the brake first;
    /// and an edit of each that it has but did not list, such as one that it ignores by now.
    async fn queue_unlisted(&self) -> Result<u64, Error> {
        let Unlisted { missing, different } = self.find_unlisted().await?;
        let ids: Vec<_> = missing.iter().map(|(id, _)| id.clone()).collect();
        // What the application queued itself, and what passed the brake before, is to be deleted.
        let queued = self.cx.client.sync_state.dirty(&ids).await?;
        let is_news = |id: &DocumentId| queued.get(id).is_none_or(|dirty| dirty.found);
        let missing: Vec<_> = missing.into_iter().filter(|(id, _)| is_news(id)).collect();
        let all = self.cx.client.sync_state.count(Table::Index).await?;
        self.brake_scan(&missing, all).await?;
        let missing: Vec<_> = missing.into_iter().map(|(id, _)| id).collect();
        let deletes = self.queue_found(&missing, false).await?;
        Ok(deletes + self.queue_found(&different, true).await?)
    }

    /// The same for what a database found missing that queues all other edits itself.
    async fn queue_missing(&self) -> Result<u64, Error> {
        let found = self.cx.client.database.missing().await;
        let (sync_state, mut queued) = (&self.cx.client.sync_state, 0);
        for Missing { ids, all } in found.map_err(|e| database_error("compare", e))? {
            let (mut versions, edits) =
                (sync_state.indexed(&ids).await?, sync_state.dirty(&ids).await?);
            let unqueued =
                ids.into_iter().filter(|id| !edits.contains_key(id) && !self.cx.excludes(id));
            let missing = unqueued.filter_map(|id| versions.remove_entry(&id));
            let missing: Vec<_> = missing.filter(|(_, version)| !version.deleted).collect();
            self.brake_scan(&missing, all).await?;
            let missing: Vec<_> = missing.into_iter().map(|(id, _)| id).collect();
            queued += self.queue_found(&missing, false).await?;
        }
        Ok(queued)
    }

    /// Rule B1 for what a scan found missing. Only where it would stop the sync, new documents are
    /// read: what comes again under another id is not lost.
    async fn brake_scan(
        &self,
        missing: &[(DocumentId, SyncedVersion)],
        all: u64,
    ) -> Result<(), Error> {
        let sync_state = &self.cx.client.sync_state;
        let mut loss = Loss::default();
        for page in missing.chunks(STEP) {
            let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
            let elsewhere = sync_state.elsewhere(&ids).await?;
            // A sync with another storage deleted it here: that one was counted (rule T4).
            let is_known = |id, hash| {
                elsewhere.of(id).iter().any(|version| version.deleted && version.hash == hash)
            };
            let news = page.iter().filter(|(id, version)| !is_known(id, version.hash));
            news.for_each(|(_, version)| loss.lose(version.hash));
        }
        let place = "in the storage and on other devices";
        let mut pages = sync_state.pages::<QueuedEdit>(Table::Dirty, STEP);
        while loss.is_large_scan(all)
            && !self.cx.options.accept_deletes
            && let Some(page) = pages.next().await?
        {
            let ids: Vec<_> = page.into_iter().map(|(id, _)| id).collect();
            let synced = sync_state.indexed(&ids).await?;
            for id in ids.iter().filter(|id| synced.get(*id).is_none_or(|v| v.deleted)) {
                // One that cannot be read is no proof that nothing is lost.
                if let Ok(Some(document)) = self.cx.client.database.get(id).await {
                    loss.arrives(document.hash());
                }
            }
        }
        match loss.is_large_scan(all) {
            true => self.cx.brake(&loss, all, place),
            false => Ok(()),
        }
    }

    /// Queues documents that are still there, or not, unless the application queued them meanwhile.
    async fn queue_found(&self, ids: &[DocumentId], there: bool) -> Result<u64, Error> {
        let sync_state = &self.cx.client.sync_state;
        let mut queued = 0;
        for ids in ids.chunks(STEP) {
            let _edits = sync_state.edits().await;
            let (indexed, dirty) = (sync_state.indexed(ids).await?, sync_state.dirty(ids).await?);
            let mut batch = Batch::new();
            for id in ids {
                let base = match dirty.get(id) {
                    Some(dirty) if dirty.found && !there => dirty.base,
                    Some(_) => continue,
                    None => indexed.get(id).map(|v| v.vid),
                };
                batch.dirty(id, Some(QueuedEdit { found: there, ..QueuedEdit::on(base) }));
                queued += 1;
            }
            sync_state.metadata_write(batch).await?;
        }
        Ok(queued)
    }

    async fn find_unlisted(&self) -> Result<Unlisted, Error> {
        let mut found = Unlisted::default();
        let mut pages = self.cx.client.sync_state.pages::<SyncedVersion>(Table::Index, STEP);
        while let Some(page) = pages.next().await? {
            let ids: Vec<_> = page.iter().map(|(id, _)| id.clone()).collect();
            let revisions = self.cx.client.database.revisions(&ids).await;
            for ((id, indexed), revision) in page.into_iter().zip(revisions) {
                match revision {
                    Ok(None) => found.missing.push((id, indexed)),
                    Ok(Some(revision)) if Some(&revision) != indexed.live_rev() => {
                        found.different.push(id);
                    }
                    Ok(Some(_)) => {}
                    Err(e) => self.cx.defer(&id, DeferReason::Unreadable, with_causes(&*e)),
                }
            }
        }
        Ok(found)
    }
}

pub(super) fn database_error(operation: &'static str, e: crate::BoxError) -> Error {
    Error::new(ErrorKind::Database, operation).with_source(e)
}
