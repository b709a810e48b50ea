//! The loop of a pull (rules P1, P4, P9 and P11). It takes no lock.
//!
//! The log is read up to its head before anything is written, so that the brake (rule B1) counts all
//! of it, and puts and deletes reach the application together and in commit order. What fits into one
//! window is decided in memory. Of a longer log each window is stored as deferred changes, so that an
//! interrupted pull does not read it again. A device without any synced document has nothing to lose:
//! there each window is applied as it comes.

mod apply;
mod deferred;
mod excluded;
mod facts;
mod history;
mod joined;
mod lost;
mod meeting;
mod mixed;
mod read;
mod rejoin;
mod resolve;
mod resync;
mod snapshot;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Mutex;

use facts::Decided;
pub(super) use facts::Waiting;
pub(super) use read::{LogPage, LogReader, OtherEntry};
use rejoin::Moved;
pub(super) use snapshot::IndexCursor;

use super::Context;
use crate::local::Batch;
use crate::local::state::Table;
use crate::model::format::Entry;
use crate::model::{DeferredChange, LogPosition, SyncedVersion};
use crate::model::{DocumentId, Error, VersionId};
use crate::protocol::{Loss, Relation, RemoteChange};

/// The part of a sync that reads the log and writes into the application.
pub(super) struct Pull<'a> {
    cx: &'a Context<'a>,
    /// Versions whose bytes were found missing in the storage.
    missing: Mutex<HashSet<VersionId>>,
    history: futures::lock::Mutex<Option<history::History>>,
}

/// Changes that are looked at together.
pub(super) const STEP: usize = 500;

/// What becomes of a window of the log.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Window {
    /// It is applied as it is read.
    Apply,
    /// It is stored, and applied when the whole log is read.
    Store,
}

impl<'a> Pull<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self { cx, missing: Mutex::default(), history: futures::lock::Mutex::default() }
    }

    /// Brings the application up to the head of the log, then decides about what could not be written
    /// at once. All of it may be stopped anywhere and is repeated by the next pull.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn pull(
        &self,
        position: &mut LogPosition,
        winner: Option<OtherEntry>,
    ) -> Result<(), Error> {
        self.cx.check_interrupted(position).await?;
        self.drop_deferred_of_before(position).await?;
        self.resume_crossing(position).await?;
        let mut tail = LogReader::new(winner, self.cx.take_slot());
        let meets = self.is_meeting(position).await?;
        self.read_to_head(position, &mut tail, meets).await?;
        if meets {
            self.check_related().await?;
        }
        if self.apply_deferred(position, false).await? {
            // A document's bytes were missing: a newer change of it may have come meanwhile (rule P5).
            self.read_to_head(position, &mut LogReader::default(), false).await?;
            self.apply_deferred(position, true).await?;
        }
        Ok(())
    }

    async fn read_to_head(
        &self,
        position: &mut LogPosition,
        tail: &mut LogReader,
        meets: bool,
    ) -> Result<(), Error> {
        let sync_state = &self.cx.client.sync_state;
        let is_first =
            sync_state.is_empty(Table::Index).await? && sync_state.is_empty(Table::Pending).await?;
        let mut window = if is_first && !meets { Window::Apply } else { Window::Store };
        loop {
            match self.next(position, tail).await? {
                LogPage::End => break,
                LogPage::Break(broken) => self.cross(position, broken).await?,
                LogPage::Entries { entries, end: false } if entries.is_empty() => {}
                LogPage::Entries { entries, end } => {
                    // The only window of this pull need not be stored.
                    let whole = end && !meets && sync_state.is_empty(Table::Pending).await?;
                    let what = if whole { Window::Apply } else { window };
                    self.take_entries(position, entries, what).await?;
                    if end {
                        break;
                    }
                }
                LogPage::Snapshot(snapshot) => {
                    if !self.take_snapshot(position, snapshot, window).await? {
                        // Damaged: the log itself is still there. What was applied already is newer than
                        // its first entries: they are not written one window after the other.
                        tail.avoid_snapshots();
                        window = Window::Store;
                    }
                }
            }
            if window == Window::Apply && !sync_state.is_empty(Table::Pending).await? {
                window = Window::Store;
            }
        }
        if position.resyncing {
            self.finish_resync(position).await?;
        }
        self.finish_crossing(position).await
    }

    /// The last change of each document in these entries (rule P4); then `v` and the anchor move
    /// (rule P9).
    async fn take_entries(
        &self,
        position: &mut LogPosition,
        entries: Vec<(Entry, u64)>,
        window: Window,
    ) -> Result<(), Error> {
        let applied = position.pulled_to();
        if let Some((last, _)) = entries.last() {
            position.set_out(position.version + entries.len() as u64, last.commit);
            self.cx.client.sync_state.save(position).await?;
        }
        let mut after = position.clone();
        let mut trail = self.cx.client.sync_state.trail().await?;
        let mut state = Batch::new();
        // Also as long as it is not known whether the storage is weak.
        if !self.cx.client.storage.is_atomic() {
            let entries = entries.iter().map(|(entry, _)| entry);
            let last = self.cx.last_entry(position.generation, entries).await?;
            state.last_entry(last.as_ref());
        }
        let mut last: BTreeMap<DocumentId, RemoteChange> = BTreeMap::new();
        for (entry, bytes) in entries {
            after.advance(entry.commit);
            after.meet(&entry.joined);
            trail.push(after.version, entry.commit);
            after.log.bytes =
                after.log.bytes.saturating_add(bytes).saturating_add(entry.documents_len());
            for change in RemoteChange::of_entry(after.version, entry, applied) {
                let id = change.change.id.clone();
                let change = match last.remove(&id) {
                    Some(earlier) => change.after(earlier),
                    None => change,
                };
                last.insert(id, change);
            }
        }
        self.take_changes(position, last.into_values().collect(), window).await?;
        after.anchor_checked = self.cx.client.environment.now();
        *position = after;
        self.cx.note_found(position);
        state.position(position);
        state.trail(&trail);
        self.cx.client.sync_state.metadata_write(state).await
    }

    /// Applies or stores changes, at most one of each document.
    pub(super) async fn take_changes(
        &self,
        position: &LogPosition,
        changes: Vec<RemoteChange>,
        window: Window,
    ) -> Result<(), Error> {
        let mut decided = Decided::default();
        let mut loss = Loss::default();
        let overwrites = self.cx.client.database.guards_overwrites();
        let mut changes = changes.into_iter().peekable();
        while changes.peek().is_some() {
            let page = changes.by_ref().take(STEP).collect();
            let (page, synced) = self.join(position, page, &mut decided.state).await?;
            let page = self.set_aside(position, page, &mut decided.state).await;
            match window {
                Window::Store => {
                    let mut state = std::mem::take(&mut decided.state);
                    page.iter().for_each(|(id, pending)| state.pending(id, Some(pending)));
                    self.cx.client.sync_state.metadata_write(state).await?;
                }
                Window::Apply => {
                    let first = decided.writes.len();
                    let known = self.look_up_rest(&page, synced).await?;
                    self.decide_all(position, page, &known, &mut decided).await?;
                    for write in decided.writes.iter().skip(first) {
                        let synced = known.synced.get(&write.change.id);
                        loss.add(&write.change, synced, overwrites);
                    }
                }
            }
        }
        if window == Window::Store {
            return Ok(());
        }
        self.count_arrivals(&mut loss).await?;
        self.brake_pull(position, &loss).await?;
        self.apply_window(position, decided).await
    }

    /// Joins changes with what is deferred of the same documents (rule P4). What is synced already is
    /// left out: its version was met in the log of this storage (rule D1). Answers the synced versions
    /// too, so that they are read once.
    async fn join(
        &self,
        position: &LogPosition,
        changes: Vec<RemoteChange>,
        state: &mut Batch,
    ) -> Result<(Vec<Waiting>, HashMap<DocumentId, SyncedVersion>), Error> {
        let ids: Vec<_> = changes.iter().map(|change| change.change.id.clone()).collect();
        let sync_state = &self.cx.client.sync_state;
        let (synced, deferred) = (sync_state.indexed(&ids).await?, sync_state.pending(&ids).await?);
        let branch = position.branch();
        let (mut waiting, mut moved) = (Vec::with_capacity(ids.len()), Vec::new());
        for (id, change) in ids.into_iter().zip(changes) {
            let (version, before) = (synced.get(&id), deferred.get(&id));
            self.check_decided(position, &change, before)?;
            if let Some(version) = version.filter(|version| version.vid != change.change.vid) {
                let relation = change.relation(before, version, branch);
                if relation != Relation::Other {
                    moved.push(Moved::of(position, &change.change, version, relation));
                    continue;
                }
            }
            let last = version.or_else(|| before.and_then(DeferredChange::synced_before));
            let joined = change.join(before, last, branch);
            match version.filter(|version| joined.is_synced_as(version)) {
                Some(version) => state.met(&id, version, position.generation, before.is_some()),
                None => waiting.push((id, joined)),
            }
        }
        self.move_bases(&moved).await?;
        Ok((waiting, synced))
    }

    /// Makes the writes of a window and stores what waits.
    async fn apply_window(
        &self,
        position: &LogPosition,
        mut decided: Decided,
    ) -> Result<(), Error> {
        let plan = decided.plan();
        let mut state = decided.state;
        for (id, pending) in decided.waiting.iter().chain(&decided.conflicts) {
            state.pending(id, Some(pending));
        }
        self.cx.mark_synced_with(decided.synced, position.generation, state).await?;
        self.cx.mark_forgotten(&decided.forgotten).await?;
        let open = self.write(position, plan).await?;
        self.write_rest(position, open, false).await
    }
}
