//! Rules P8 (3) and U6: what a client remembers once a change is both in the storage and here.

use super::Context;
use crate::local::state::Update;
use crate::local::{Batch, SyncState};
use crate::model::format::{Change, Entry};
use crate::model::{BoxError, DocumentId, Error, Event, Revision};
use crate::model::{DeferredChange, LogPosition, QueuedEdit, SyncedVersion};
use crate::planted::{Rule, holds};
use crate::protocol::{Decision, Facts, Local, decide};

/// How often the queue is compared again because edits come in between.
const TRIES: usize = 5;

/// A commit of ours that is in the log, and its length.
pub(super) struct Pushed {
    pub entry: Entry,
    pub bytes: u64,
}

/// A change that is both in the storage and in the application.
#[derive(Clone, Debug)]
pub(super) struct Synced {
    pub change: Change,
    /// The revision that the application gave it, if it is not that of the change.
    pub local: Option<Revision>,
}

impl Context<'_> {
    /// Marks these changes as synced: the storage and the application both have them.
    pub(super) async fn mark_synced(
        &self,
        changes: &[Change],
        generation: u64,
    ) -> Result<(), Error> {
        self.mark_synced_with(changes.to_vec(), generation, Batch::new()).await
    }

    /// The same, in one step with other changes of the client state.
    pub(super) async fn mark_synced_with(
        &self,
        changes: Vec<Change>,
        generation: u64,
        others: Batch,
    ) -> Result<(), Error> {
        let synced = changes.into_iter().map(|change| Synced { change, local: None }).collect();
        self.mark_all_synced(synced, generation, others).await
    }

    /// The index is set, and the change is no longer deferred or intended. The document leaves the
    /// queue **only if the application still has that very revision**: else an edit came after, made
    /// upon this version (rule U6).
    pub(super) async fn mark_all_synced(
        &self,
        synced: Vec<Synced>,
        generation: u64,
        others: Batch,
    ) -> Result<(), Error> {
        let ids: Vec<DocumentId> = synced.iter().map(|s| s.change.id.clone()).collect();
        let before = self.before(&ids).await?;
        let version = |Synced { change, local }: &Synced| {
            version_of(change, local.clone(), before.get(&change.id), generation)
        };
        let versions: Vec<SyncedVersion> = synced.iter().map(version).collect();
        for _ in 0..TRIES {
            let _edits = self.client.sync_state.edits().await;
            // In this order: an edit that is queued after the first line is seen by the second, or
            // has changed the queue when the batch is written.
            let queue = self.client.sync_state.queue(&ids).await?;
            let local = self.client.database.revisions(&ids).await;
            let mut batch = others.clone();
            for (((synced, version), local), record) in
                synced.iter().zip(&versions).zip(local).zip(&queue)
            {
                // Committed by an earlier sync, or written by it (rules P8 and U7), and excluded since.
                if self.excludes(&synced.change.id)
                    && !(version.deleted && matches!(local, Ok(None)))
                {
                    self.set_aside(&mut batch, synced, version, SyncState::queued(record)?);
                    continue;
                }
                let edited = is_edited(Some(version), &local) && holds(Rule::U6);
                let edit = edited.then(|| edit(&synced.change, version, record)).transpose()?;
                batch.settled(&synced.change, version, edit);
            }
            if self.client.sync_state.metadata_write_if(queue, batch).await? {
                return Ok(());
            }
        }
        // Edited again and again: they stay queued, whatever the application has.
        let mut batch = others;
        for (synced, version) in synced.iter().zip(&versions) {
            let change = &synced.change;
            match self.excludes(&change.id) {
                true => self.set_aside(&mut batch, synced, version, None),
                false => batch.settled(change, version, Some(QueuedEdit::on(Some(change.vid)))),
            }
        }
        self.client.sync_state.metadata_write(batch).await
    }

    /// The same of a document that is excluded on this device (rule C8). What the queue has may have been made on
    /// this version, or on another one.
    fn set_aside(
        &self,
        batch: &mut Batch,
        Synced { change, .. }: &Synced,
        version: &SyncedVersion,
        edit: Option<QueuedEdit>,
    ) {
        let record = DeferredChange::of(change.clone());
        let live = Some(version.clone()).filter(|version| !version.deleted);
        let edit = edit.map(|edit| QueuedEdit { base: Some(version.vid), ..edit });
        batch.set_aside(&change.id, &record.excluded(live, edit));
    }

    /// Neither the storage nor the application has these documents: nothing is remembered of them, but an
    /// edit that came since (rule U6).
    pub(super) async fn mark_forgotten(&self, ids: &[DocumentId]) -> Result<(), Error> {
        if ids.is_empty() {
            return Ok(());
        }
        let sync_state = &self.client.sync_state;
        for _ in 0..TRIES {
            let _edits = sync_state.edits().await;
            let queue = sync_state.queue(ids).await?;
            let local = self.client.database.revisions(ids).await;
            let edited = local.iter().map(|local| is_edited(None, local));
            if sync_state.metadata_write_if(queue, forgotten(ids, edited)).await? {
                return Ok(());
            }
        }
        // Edited again and again: they stay queued.
        sync_state.metadata_write(forgotten(ids, ids.iter().map(|_| true))).await
    }

    /// Index, queue, `v`, anchor and attempt in one update (rule U6).
    pub(super) async fn mark_pushed(
        &self,
        position: &mut LogPosition,
        pushed: Pushed,
    ) -> Result<(), Error> {
        let Pushed { entry, bytes } = pushed;
        let entry_len = entry.changes.len() as u64;
        let mut after = position.clone();
        after.advance(entry.commit);
        after.meet(&entry.joined);
        after.anchor_checked = self.client.environment.now();
        after.log.bytes =
            after.log.bytes.saturating_add(bytes).saturating_add(entry.documents_len());
        let mut trail = self.client.sync_state.trail().await?;
        trail.push(after.version, entry.commit);
        let mut batch = Batch::new();
        batch.position(&after);
        batch.trail(&trail);
        batch.attempt(None);
        if self.is_weak() {
            let last = self.last_entry(after.generation, [&entry]).await?;
            batch.last_entry(last.as_ref());
        }
        let (changes, count) = (entry.changes, entry_len);
        self.mark_synced_with(changes, after.generation, batch).await?;
        *position = after;
        self.note_found(position);
        self.report().pushed += count;
        self.report().is_new_storage |= position.version == 1;
        self.client.emit(Event::Committed { changes: count, version: position.version });
        Ok(())
    }
}

/// What the index is to say of a change that is both in the storage and in the application, which gave it
/// this revision.
pub(super) fn version_of(
    change: &Change,
    local: Option<Revision>,
    before: Option<&SyncedVersion>,
    generation: u64,
) -> SyncedVersion {
    let local = local.filter(|local| *local != change.rev);
    let version = SyncedVersion { local, ..SyncedVersion::of(change, generation) };
    match before {
        Some(before) => version.after(before),
        None => version,
    }
}

fn forgotten(ids: &[DocumentId], edited: impl Iterator<Item = bool>) -> Batch {
    let mut batch = Batch::new();
    for (id, edited) in ids.iter().zip(edited) {
        batch.index(id, None);
        batch.dirty(id, edited.then(|| QueuedEdit::on(None)));
        batch.pending(id, None);
    }
    batch
}

/// Whether the application has something else than the synced version.
pub(super) fn is_edited(
    version: Option<&SyncedVersion>,
    local: &Result<Option<Revision>, BoxError>,
) -> bool {
    let local = match local {
        Ok(Some(revision)) => Local::Revision(revision),
        Ok(None) => Local::Absent,
        Err(_) => Local::Unreadable,
    };
    let facts = Facts { local, ..Facts::of(version) };
    decide(&facts) != Decision::InSync
}

/// An edit that came upon this change, whose record of the queue was this. What the application queued
/// may be a delete; of the rest a comparison finds out.
///
/// An edit that was declared on another revision than that of this change is not upon it, although it came
/// after: it keeps its base, and so becomes a conflict (rule C3).
fn edit(change: &Change, version: &SyncedVersion, record: &Update) -> Result<QueuedEdit, Error> {
    let queued = SyncState::queued(record)?;
    if let Some(queued) = queued.filter(|queued| queued.is_on_another(version.local_rev())) {
        return Ok(queued);
    }
    let is_queued = queued.is_some_and(QueuedEdit::is_queued);
    Ok(QueuedEdit { found: !is_queued, ..QueuedEdit::on(Some(change.vid)) })
}
