//! Rules U1 and U8: dirty documents are pushed, at most 500 a commit, each commit complete in
//! itself. While one commit is under way the documents of the next are uploaded.

use bytes::Bytes;
use futures::future::join;

use super::attempt::Fate;
use super::settle::Pushed;
use super::tail::Winner;
use super::upload::Upload;
use super::{Lock, Session};
use crate::format::{self, Entry};
use crate::ledger::Position;
use crate::state::Table;
use crate::{DocumentId, Error, Key, Timestamp};

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
        // The pull may have made the first change, or started over on another storage.
        self.look_at_strength(position, true).await?;
        if self.is_weak() && lock.is_none() {
            // W3: pull and push under the lock.
            self.take_lock(position, lock).await?;
            self.pull(position, None).await?;
        }
        let mut cursor = None;
        let mut next = self.upload_next(&mut cursor).await?;
        while let Some(uploads) = next {
            if uploads.is_empty() {
                next = self.upload_next(&mut cursor).await?;
                continue;
            }
            if uploads.iter().any(|upload| self.is_old(upload)) {
                // U3: garbage collection may be about to delete them.
                self.uploads().clear();
                cursor = None;
                next = self.upload_next(&mut cursor).await?;
                continue;
            }
            let commit = self.commit_uploads(position, uploads, lock);
            let (committed, uploaded) = join(commit, self.upload_next(&mut cursor)).await;
            if let Some(winner) = committed? {
                return Ok(Some(winner));
            }
            next = uploaded?;
        }
        Ok(None)
    }

    /// The next queued documents, uploaded; `None` when there are no more.
    async fn upload_next(
        &self,
        cursor: &mut Option<DocumentId>,
    ) -> Result<Option<Vec<Upload>>, Error> {
        let (ledger, most) = (&self.client.ledger, self.client.config.sizes.entry_changes);
        let page = ledger.page(Table::Dirty, cursor.as_ref(), most).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        *cursor = Some(last.clone());
        self.upload(page).await.map(Some)
    }

    /// The first queued documents, uploaded beside the reads of the pull; `push` finds them done.
    pub(super) async fn upload_ahead(&self) -> Result<(), Error> {
        self.upload_next(&mut None).await.map(drop)
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
