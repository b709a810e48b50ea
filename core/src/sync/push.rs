//! Rules U1, U3 and U8: queued documents are pushed, at most 500 a commit, each commit complete in
//! itself.
//!
//! It is one pipeline: a document is read once, uploaded, and committed. Reading and uploading run
//! beside the pull; a gate holds the commits back until the pull is at the head of the log. What the
//! pull changed is taken out there, by asking `decide` once more.

mod copies;
mod queue;
mod upload;

use std::collections::HashSet;
use std::mem;
use std::sync::Mutex;

use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::Receiver;

use copies::Sources;
pub(super) use queue::Queue;
pub(super) use upload::Stored;
use upload::{Upload, Uploads};

use super::commit::CommitOutcome;
use super::mark_synced::Pushed;
use super::pull::OtherEntry;
use super::{Context, Lock};
use crate::local::Batch;
use crate::model::format::{self, Entry};
use crate::model::{Action, DocumentId, Error, Key};
use crate::model::{DeferredChange, LogPosition};
use crate::protocol::{Decision, Facts, Local, decide};

/// Batches that may be stored and wait for their commit. Of their documents only copies of the small
/// ones are still in memory.
pub(super) const STORED: usize = 16;

/// What became of a walk through the queue.
pub(super) enum Outcome {
    /// All of it is committed, but for what was deferred.
    Done,
    /// The application was asked, or the pull changed what was uploaded: there may be more to push.
    Again,
    /// Another client took the slot.
    Lost(OtherEntry),
}

/// What a pull that ran beside the uploads has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Changed {
    /// There was none.
    Nothing,
    /// No document was written or asked about; the index may have moved.
    Perhaps,
    /// Documents: the queue is walked again.
    Documents,
}

/// The part of a sync that commits what was edited here.
pub(super) struct Push<'a> {
    cx: &'a Context<'a>,
    /// Uploads of this sync that no commit holds yet. They may go into a later commit of the same
    /// sync, as if it had been slow (rule U2 mints new names for every new sync).
    uploads: Mutex<Uploads>,
    /// Objects that a renamed document may be copied from, once they were looked for.
    sources: futures::lock::Mutex<Option<Sources>>,
}

impl<'a> Push<'a> {
    pub(super) fn new(cx: &'a Context<'a>) -> Self {
        Self { cx, uploads: Mutex::default(), sources: futures::lock::Mutex::default() }
    }

    /// Commits what is stored: 500 documents at a time, the rest when no more are to come.
    pub(super) async fn commit_stored(
        &self,
        position: &mut LogPosition,
        mut stored: Receiver<Result<Stored, Error>>,
        lock: &mut Lock,
        changed: Changed,
    ) -> Result<Outcome, Error> {
        let (mut ready, mut again) = (Vec::new(), false);
        let most = self.cx.client.config.sizes.entry_changes;
        loop {
            let next = stored.next().await.transpose()?;
            let is_last = next.is_none();
            let least = if is_last { 1 } else { most };
            let Stored { mut uploads, unchanged, contested } = next.unwrap_or_default();
            if changed != Changed::Nothing {
                let count = uploads.len();
                uploads = self.still_to_be_pushed(uploads).await?;
                again |= uploads.len() < count && changed == Changed::Perhaps;
            }
            // Of two uploads of one document the later one counts.
            let ids: HashSet<_> = uploads.iter().map(|upload| upload.change.id.clone()).collect();
            ready.retain(|upload: &Upload| !ids.contains(&upload.change.id));
            ready.extend(uploads);
            self.unqueue(&unchanged).await?;
            again |= self.contest(&contested).await?;
            while ready.len() >= least {
                let rest = ready.split_off(ready.len().min(most));
                let mut uploads = mem::replace(&mut ready, rest);
                uploads.sort_by_cached_key(|upload| upload.change.id.to_key());
                if uploads.iter().any(|upload| self.is_old(upload)) {
                    // Garbage collection may be about to delete them (rule U3).
                    self.uploads().clear();
                    return Ok(Outcome::Again);
                }
                if let Some(winner) = self.commit_uploads(position, uploads, lock).await? {
                    return Ok(Outcome::Lost(winner));
                }
            }
            match (is_last, again) {
                (false, _) => {}
                (true, false) => return Ok(Outcome::Done),
                (true, true) => return Ok(Outcome::Again),
            }
        }
    }

    /// Uploads of documents that are still to be pushed on the same version, after a pull (rule U1).
    async fn still_to_be_pushed(&self, uploads: Vec<Upload>) -> Result<Vec<Upload>, Error> {
        let ids: Vec<_> = uploads.iter().map(|upload| upload.change.id.clone()).collect();
        let sync_state = &self.cx.client.sync_state;
        let _edits = sync_state.edits().await;
        let (edits, synced) = (sync_state.dirty(&ids).await?, sync_state.indexed(&ids).await?);
        let deferred = sync_state.pending(&ids).await?;
        let is_pushed = |Upload { change, .. }: &Upload| {
            let edit = edits.get(&change.id).filter(|edit| edit.base == change.base);
            let local = match change.action {
                Action::Put => Local::Content(&change.rev, change.hash),
                Action::Delete => Local::Absent,
            };
            let facts = Facts { edit, local, ..Facts::of(synced.get(&change.id)) };
            // Uploads are forgotten if the storage turned out to be another one (rule D1).
            let kept = self.uploads().get(&change.id).map(|kept| kept.change.vid);
            let is_kept = kept == Some(change.vid);
            let pending = deferred.get(&change.id);
            let is_open = is_kept && edit.is_some() && pending.is_none_or(|p| self.cx.is_open(p));
            is_open && (pending.is_some() || decide(&facts) == Decision::Push(change.action))
        };
        Ok(uploads.into_iter().filter(is_pushed).collect())
    }

    /// Edits that were made on another version than the synced one become conflicts with it (rule C3);
    /// says whether there were any.
    async fn contest(&self, ids: &[DocumentId]) -> Result<bool, Error> {
        let sync_state = &self.cx.client.sync_state;
        let _edits = sync_state.edits().await;
        let (edits, synced) = (sync_state.dirty(ids).await?, sync_state.indexed(ids).await?);
        let deferred = sync_state.pending(ids).await?;
        let mut state = Batch::new();
        for id in ids.iter().filter(|id| !deferred.contains_key(*id)) {
            if let (Some(edit), Some(version)) = (edits.get(id), synced.get(id))
                && edit.base != Some(version.vid)
            {
                state.pending(id, Some(&DeferredChange::contested(id, version)));
            }
        }
        sync_state.metadata_write(state).await?;
        Ok(!ids.is_empty())
    }

    async fn commit_uploads(
        &self,
        position: &mut LogPosition,
        uploads: Vec<Upload>,
        lock: &mut Lock,
    ) -> Result<Option<OtherEntry>, Error> {
        self.cx.ensure_anchor(position).await?;
        let began = uploads.iter().map(|u| u.began_at).min().unwrap_or_default();
        let (entry, bytes) = self.entry(position, &uploads)?;
        match self.cx.commit(position, &entry, &bytes, began, lock).await? {
            CommitOutcome::Committed => {
                let done: Vec<_> = entry.changes.iter().map(|c| c.id.clone()).collect();
                let bytes = bytes.len() as u64;
                self.cx.mark_pushed(position, Pushed { entry, bytes }).await?;
                let mut kept = self.uploads();
                done.iter().for_each(|id| drop(kept.remove(id)));
                Ok(None)
            }
            CommitOutcome::Lost(winner) => {
                // The uploads are kept: no entry names them, and none ever will but ours. On weak
                // storage a late write could yet bring back the entry that named them.
                self.cx.drop_lost().await?;
                if self.cx.is_weak() {
                    self.uploads().clear();
                }
                Ok(Some(winner))
            }
        }
    }

    /// The entry and its bytes (rule S5).
    fn entry(&self, position: &LogPosition, uploads: &[Upload]) -> Result<(Entry, Bytes), Error> {
        let mut room = self.cx.client.config.sizes.entry_bodies;
        let mut changes = Vec::with_capacity(uploads.len());
        for upload in uploads {
            let mut change = upload.change.clone();
            let length = change.body.as_ref().map_or(0, |body| body.0.len());
            match room.checked_sub(length) {
                Some(left) => room = left,
                None => change.body = None,
            }
            changes.push(change);
        }
        let slot = position.version + 1;
        let follows = if slot == 1 { position.follows.clone() } else { Vec::new() };
        let entry = Entry { follows, changes, ..self.cx.new_entry(slot, position.anchor) };
        let bytes = format::encode(&Key::change(slot), &entry)?;
        Ok((entry, bytes))
    }
}
