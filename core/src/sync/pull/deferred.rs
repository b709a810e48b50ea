//! Deferred changes (rules P4, P6, P10 and P11): once the log is read each is written, found equal, or
//! put to the application as a conflict.

use super::Pull;
use super::STEP;
use super::facts::{Decided, Waiting};
use super::lost::describe;
use crate::local::Batch;
use crate::local::state::Table;
use crate::model::{DeferReason, DocumentId, Error};
use crate::model::{DeferredChange, LogPosition, QueuedEdit};
use crate::protocol::Loss;

/// How often a document that is edited meanwhile is tried again in one sync.
const PASSES: usize = 4;
/// Deferred changes that are planned together.
const PLANNED: usize = 10_000;

impl Pull<'_> {
    /// Decides about all deferred changes. Answers true if documents are missing in the storage and the
    /// log is to be read again; with `last` they are reported instead.
    pub(in crate::sync) async fn apply_deferred(
        &self,
        position: &mut LogPosition,
        last: bool,
    ) -> Result<bool, Error> {
        self.brake_deferred(position).await?;
        if last {
            self.give_up_missing().await?;
        }
        let mut left = true;
        for _ in 0..PASSES {
            left = left && self.deferred_pass(position, last).await?;
        }
        if left {
            self.report_changing().await?;
        }
        self.ask_about_found().await?;
        Ok(!last && self.is_any_missing().await?)
    }

    /// One pass over all deferred changes in commit order; says whether another is wanted.
    async fn deferred_pass(&self, position: &mut LogPosition, last: bool) -> Result<bool, Error> {
        let mut order: Vec<((u64, u32), DocumentId)> = Vec::new();
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let open = page.into_iter().filter(|(id, pending)| {
                pending.set_aside.is_none()
                    && !self.cx.is_deferred(id)
                    && !self.is_missing(id, pending, last)
            });
            order.extend(open.map(|(id, pending)| (pending.order, id)));
        }
        order.sort();
        let mut again = false;
        for ids in order.chunks(PLANNED) {
            again |= self.deferred_step(position, ids).await?;
        }
        Ok(again)
    }

    async fn deferred_step(
        &self,
        position: &LogPosition,
        order: &[((u64, u32), DocumentId)],
    ) -> Result<bool, Error> {
        let mut decided = Decided { reads_history: true, ..Decided::default() };
        for ids in order.chunks(STEP) {
            let ids: Vec<_> = ids.iter().map(|(_, id)| id.clone()).collect();
            let mut pending = self.cx.client.sync_state.pending(&ids).await?;
            let page: Vec<Waiting> =
                ids.into_iter().filter_map(|id| Some((id.clone(), pending.remove(&id)?))).collect();
            let known = self.look_up(&page).await?;
            self.decide_all(position, page, &known, &mut decided).await?;
        }
        let again = !decided.writes.is_empty() || !decided.conflicts.is_empty();
        let plan = decided.plan();
        self.cx.mark_synced_with(decided.synced, position.generation, decided.state).await?;
        self.cx.mark_forgotten(&decided.forgotten).await?;
        let mut open = self.write(position, plan).await?;
        // What is taken in a conflict may wait for room that one of the writes makes, and the reverse.
        for (id, pending) in decided.conflicts {
            self.resolve(position, id, pending, &mut open).await?;
        }
        self.write_rest(position, open, true).await?;
        Ok(again)
    }

    /// Whether bytes of a change are missing that no newer one has replaced.
    async fn is_any_missing(&self) -> Result<bool, Error> {
        if self.missing().is_empty() {
            return Ok(false);
        }
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            if page.iter().any(|(id, pending)| self.is_missing(id, pending, false)) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What is still deferred after all passes was edited before each write.
    async fn report_changing(&self) -> Result<(), Error> {
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let open = page.iter().filter(|(_, pending)| pending.set_aside.is_none());
            for (id, _) in open.filter(|(id, pending)| !self.is_missing(id, pending, false)) {
                self.cx.defer(id, DeferReason::KeepsChanging, "it was edited before each write");
            }
        }
        Ok(())
    }

    /// A document whose bytes are missing is reported once the log was read again (rule P5).
    fn is_missing(&self, id: &DocumentId, pending: &DeferredChange, last: bool) -> bool {
        let vid = pending.change.as_ref().map(|c| c.vid);
        let missing = vid.is_some_and(|vid| self.missing().contains(&vid));
        if missing && last && !self.cx.is_open(pending) {
            self.cx.defer(id, DeferReason::Missing, describe(pending));
        }
        missing
    }

    /// Counts what the deferred changes are about to take from the application, before the first write; and those
    /// that wait until their documents are included.
    async fn brake_deferred(&self, position: &LogPosition) -> Result<(), Error> {
        let (mut loss, mut excluded) = (Loss::default(), 0);
        let overwrites = self.cx.client.database.guards_overwrites();
        let mut pages = self.cx.client.sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            excluded += page.iter().filter(|(_, pending)| pending.is_of_excluded()).count() as u64;
            // What is apart is put to the application, document by document.
            let open = page.iter().filter(|(_, p)| !p.diverged && p.set_aside.is_none());
            let ids: Vec<_> = open.clone().map(|(id, _)| id.clone()).collect();
            let (synced, edits) = (
                self.cx.client.sync_state.indexed(&ids).await?,
                self.cx.client.sync_state.dirty(&ids).await?,
            );
            for (id, pending) in open.filter(|(id, _)| !edits.contains_key(id)) {
                if let Some(change) = &pending.change {
                    loss.add(change, synced.get(id), overwrites);
                }
            }
        }
        self.cx.report().excluded = excluded;
        self.count_arrivals(&mut loss).await?;
        self.brake_pull(position, &loss).await
    }

    /// Rule B1 for what a pull takes from this device. A device that never finished a sync has nothing
    /// that it got elsewhere.
    pub(super) async fn brake_pull(
        &self,
        position: &LogPosition,
        loss: &Loss,
    ) -> Result<(), Error> {
        if position.synced.is_none() || loss.is_few() {
            return Ok(());
        }
        // Counting the index reads all of it: not at each sync.
        let all = self.cx.client.sync_state.count(Table::Index).await?;
        match loss.is_large(all) {
            true => self.cx.brake(loss, all, "on this device"),
            false => Ok(()),
        }
    }

    /// Keeps a deferred change for a later sync.
    pub(super) async fn defer_change(
        &self,
        id: &DocumentId,
        pending: &DeferredChange,
        reason: DeferReason,
        detail: impl ToString,
    ) -> Result<(), Error> {
        self.cx.defer(id, reason, detail);
        let _edits = self.cx.client.sync_state.edits().await;
        let ids = std::slice::from_ref(id);
        let mut batch = Batch::new();
        batch.pending(id, Some(&DeferredChange { reason: Some(reason), ..pending.clone() }));
        if reason == DeferReason::Conflict && self.cx.client.sync_state.dirty(ids).await?.is_empty()
        {
            let base = self.cx.client.sync_state.indexed(ids).await?.get(id).map(|i| i.vid);
            batch.dirty(id, Some(QueuedEdit::on(base)));
        }
        self.cx.client.sync_state.metadata_write(batch).await
    }
}
