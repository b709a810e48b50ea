//! Rules U3 and U8: queued documents are pushed, at most 500 a commit, each commit complete in
//! itself. Documents are read, stored and committed at the same time, a few batches between.

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
use crate::ledger::Position;
use crate::{Error, Key, Timestamp};

/// Batches that may be stored and wait while a commit is under way. Of their documents only copies
/// of the small ones are still in memory.
pub(super) const STORED: usize = 16;

/// What became of a walk through the queue.
enum Outcome {
    /// All of it is committed, but for what was set aside.
    Done,
    /// Another client took the slot.
    Lost(Winner),
    /// Uploads are too old to be relied on.
    TooOld,
}

impl Session<'_> {
    /// Commits all queued edits. Answers the winner of a lost race: then pull, and push again.
    #[tracing::instrument(level = "debug", skip_all)]
    pub(super) async fn push(
        &self,
        position: &mut Position,
        lock: &mut Lock,
    ) -> Result<Option<Winner>, Error> {
        if !self.has_changes().await? {
            return Ok(None);
        }
        self.upload_beside_probe(position).await?;
        if self.is_weak() && lock.is_none() {
            // W3: pull and push under the lock.
            self.take_lock(position, lock).await?;
            self.pull(position, None).await?;
        }
        loop {
            match self.push_queue(position, lock).await? {
                Outcome::Done => return Ok(None),
                Outcome::Lost(winner) => return Ok(Some(winner)),
                // U3: garbage collection may be about to delete them.
                Outcome::TooOld => self.uploads().clear(),
            }
        }
    }

    /// One walk through the queue. Whatever becomes of the commits, uploads that were begun are
    /// finished.
    async fn push_queue(&self, position: &mut Position, lock: &mut Lock) -> Result<Outcome, Error> {
        let (send, stored) = mpsc::channel(STORED);
        let stop = AtomicBool::new(false);
        let commits = async {
            let outcome = self.commit_stored(position, stored, lock).await;
            stop.store(true, Relaxed);
            outcome
        };
        join(commits, self.upload_queue(Queue::default(), send, &stop)).await.0
    }

    /// Commits what is stored: 500 documents at a time, the rest when no more are to come.
    async fn commit_stored(
        &self,
        position: &mut Position,
        mut stored: Receiver<Result<Stored, Error>>,
        lock: &mut Lock,
    ) -> Result<Outcome, Error> {
        let mut ready = Vec::new();
        let most = self.client.config.sizes.entry_changes;
        loop {
            let next = stored.next().await.transpose()?;
            let is_last = next.is_none();
            let least = if is_last { 1 } else { most };
            let Stored { uploads, unchanged } = next.unwrap_or_default();
            ready.extend(uploads);
            self.unqueue(&unchanged).await?;
            while ready.len() >= least {
                let rest = ready.split_off(ready.len().min(most));
                let uploads = mem::replace(&mut ready, rest);
                if uploads.iter().any(|upload| self.is_old(upload)) {
                    return Ok(Outcome::TooOld);
                }
                if let Some(winner) = self.commit_uploads(position, uploads, lock).await? {
                    return Ok(Outcome::Lost(winner));
                }
            }
            if is_last {
                return Ok(Outcome::Done);
            }
        }
    }

    /// S3: it must be known whether the storage is weak before anything is committed. If it has to be
    /// found out, by three races one after another, documents are uploaded meanwhile: their names are
    /// new, and no commit names them yet. The pull may have made the first change, or started over on
    /// another storage.
    async fn upload_beside_probe(&self, position: &mut Position) -> Result<(), Error> {
        let beside = self.may_race_beside(position).await?;
        let uploads = async {
            match beside {
                true => self.upload_ahead().await,
                false => Ok(()),
            }
        };
        let (known, uploaded) = join(self.look_at_strength(position, true), uploads).await;
        known.and(uploaded)
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
