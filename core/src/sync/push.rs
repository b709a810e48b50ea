//! Rules U1, U3 and U8: queued documents are pushed, at most 500 a commit, each commit complete in
//! itself.
//!
//! It is one pipeline: a document is read once, uploaded, and committed. Reading and uploading run
//! beside the pull; a gate holds the commits back until the pull is at the head of the log. What the
//! pull changed is taken out there, by asking `decide` once more.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use bytes::Bytes;
use futures::StreamExt;
use futures::channel::mpsc::{self, Receiver};
use futures::future::join;

use super::attempt::Fate;
use super::queue::Queue;
use super::settle::Pushed;
use super::tail::Winner;
use super::upload::{Stored, Upload};
use super::{Lock, Session};
use crate::format::{self, Entry};
use crate::ledger::{Batch, Position};
use crate::protocol::{Decision, Facts, Local, decide};
use crate::{Action, DocumentId, Error, Key, Timestamp};

/// Batches that may be stored and wait for their commit. Of their documents only copies of the small
/// ones are still in memory.
const STORED: usize = 16;

/// What became of a walk through the queue.
pub(super) enum Outcome {
    /// All of it is committed, but for what was deferred.
    Done,
    /// The application was asked, or the pull changed what was uploaded: there may be more to push.
    Again,
    /// Another client took the slot.
    Lost(Winner),
}

impl Session<'_> {
    /// Commits all queued edits; with `pulls` after a pull that runs beside the uploads.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn push(
        &self,
        position: &mut Position,
        lock: &mut Lock,
        pulls: bool,
    ) -> Result<Outcome, Error> {
        let (send, stored) = mpsc::channel(STORED);
        let stop = AtomicBool::new(false);
        let commits = async {
            let outcome = match self.gate(position, lock, pulls).await {
                Ok(changed) => self.commit_stored(position, stored, lock, changed).await,
                Err(e) => Err(e),
            };
            stop.store(true, Relaxed);
            outcome
        };
        // Uploads that were begun are finished whatever becomes of the commits.
        join(self.upload_queue(Queue::default(), send, &stop), commits).await.1
    }

    /// Nothing is committed before this client is at the head of the log, and before it is known
    /// whether the storage is weak (rule S3). If that has to be found out, by three races one after
    /// another, documents are uploaded meanwhile: their names are new, and no commit names them yet.
    /// Says whether a pull has run beside the uploads.
    async fn gate(
        &self,
        position: &mut Position,
        lock: &mut Lock,
        pulls: bool,
    ) -> Result<bool, Error> {
        if pulls {
            self.pull_or_accept(position, None).await?;
        }
        self.look_at_strength(position, true).await?;
        let locks = self.is_weak() && lock.is_none();
        if locks {
            // Pull and push under the lock (rule W3).
            self.take_lock(position, lock).await?;
            self.pull(position, None).await?;
        }
        Ok(pulls || locks)
    }

    /// Commits what is stored: 500 documents at a time, the rest when no more are to come. `changed`:
    /// a pull has run since the uploads began.
    async fn commit_stored(
        &self,
        position: &mut Position,
        mut stored: Receiver<Result<Stored, Error>>,
        lock: &mut Lock,
        changed: bool,
    ) -> Result<Outcome, Error> {
        let (mut ready, mut again) = (Vec::new(), false);
        let most = self.client.config.sizes.entry_changes;
        loop {
            let next = stored.next().await.transpose()?;
            let is_last = next.is_none();
            let least = if is_last { 1 } else { most };
            let Stored { mut uploads, unchanged, contested } = next.unwrap_or_default();
            if changed {
                let count = uploads.len();
                uploads = self.still_to_be_pushed(uploads).await?;
                again |= uploads.len() < count;
            }
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
                (true, true) => {
                    self.settle_pending(position, true).await?;
                    return Ok(Outcome::Again);
                }
            }
        }
    }

    /// Uploads of documents that are still to be pushed on the same version, after a pull (rule U1).
    async fn still_to_be_pushed(&self, uploads: Vec<Upload>) -> Result<Vec<Upload>, Error> {
        let ids: Vec<_> = uploads.iter().map(|upload| upload.change.id.clone()).collect();
        let ledger = &self.client.ledger;
        let _edits = ledger.edits().await;
        let (edits, synced) = (ledger.dirty(&ids).await?, ledger.indexed(&ids).await?);
        let deferred = ledger.pending(&ids).await?;
        let is_pushed = |Upload { change, .. }: &Upload| {
            let edit = edits.get(&change.id).filter(|edit| edit.base == change.base);
            let local = match change.action {
                Action::Put => Local::Content(&change.rev, change.hash),
                Action::Delete => Local::Absent,
            };
            let facts = Facts { edit, local, ..Facts::of(synced.get(&change.id)) };
            let is_open = edit.is_some() && !deferred.contains_key(&change.id);
            is_open && decide(&facts) == Decision::Push(change.action)
        };
        Ok(uploads.into_iter().filter(is_pushed).collect())
    }

    /// Edits that were made on another version than the synced one become conflicts with it (rule C3);
    /// says whether there were any.
    async fn contest(&self, ids: &[DocumentId]) -> Result<bool, Error> {
        let ledger = &self.client.ledger;
        let _edits = ledger.edits().await;
        let (edits, synced) = (ledger.dirty(ids).await?, ledger.indexed(ids).await?);
        let deferred = ledger.pending(ids).await?;
        let mut state = Batch::new();
        for id in ids.iter().filter(|id| !deferred.contains_key(*id)) {
            if let (Some(edit), Some(version)) = (edits.get(id), synced.get(id))
                && edit.base != Some(version.vid)
            {
                state.pending(id, Some(&super::contested(id, version)));
            }
        }
        ledger.metadata_write(state).await?;
        Ok(!ids.is_empty())
    }

    async fn commit_uploads(
        &self,
        position: &mut Position,
        uploads: Vec<Upload>,
        lock: &mut Lock,
    ) -> Result<Option<Winner>, Error> {
        self.ensure_anchor(position).await?;
        let began = uploads.iter().map(|u| u.began_at).min().unwrap_or_default();
        let (entry, bytes) = self.entry(position, &uploads)?;
        match self.commit(position, &entry, &bytes, began, lock).await? {
            Fate::Committed => {
                let done: Vec<_> = entry.changes.iter().map(|c| c.id.clone()).collect();
                let bytes = bytes.len() as u64;
                self.settle_pushed(position, Pushed { entry, bytes }).await?;
                let mut kept = self.uploads();
                done.iter().for_each(|id| drop(kept.remove(id)));
                Ok(None)
            }
            Fate::Lost(winner) => {
                // The uploads are kept: no entry names them, and none ever will but ours. On weak
                // storage a late write could yet bring back the entry that named them.
                self.drop_lost().await?;
                if self.is_weak() {
                    self.uploads().clear();
                }
                Ok(Some(winner))
            }
        }
    }

    /// S5: the entry and its bytes.
    fn entry(&self, position: &Position, uploads: &[Upload]) -> Result<(Entry, Bytes), Error> {
        let mut room = self.client.config.sizes.entry_bodies;
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
        let entry = Entry {
            commit: self.client.environment.random().into(),
            prev: position.anchor,
            client: self.client.config.device.clone(),
            time: self.now(),
            changes,
        };
        let bytes = format::encode(&Key::change(position.version + 1), &entry)?;
        Ok((entry, bytes))
    }

    fn now(&self) -> Timestamp {
        self.client.environment.now()
    }
}
