//! Rules D2 and U7: a document that the log names, or is about to name, is there; or it is put again by a
//! device that still has its bytes.

use std::collections::HashSet;

use futures::{StreamExt, TryStreamExt, stream};

use super::Context;
use crate::local::state::Table;
use crate::model::format::{Change, Entry};
use crate::model::{Action, ContentHash, DocumentId, Error, Key, SyncedVersion, VersionId};

const STEP: usize = 1000;

impl Context<'_> {
    /// Puts each synced document again that the storage lost and this device still has (rule D2). Without
    /// those that it lists, which need no look.
    pub(super) async fn put_missing_again(&self, listed: &[Key]) -> Result<(), Error> {
        let listed: HashSet<VersionId> = listed.iter().filter_map(Key::vid).collect();
        let mut pages = self.client.sync_state.pages::<SyncedVersion>(Table::Index, STEP);
        while let Some(page) = pages.next().await? {
            for (id, indexed) in page.iter().filter(|(_, i)| !listed.contains(&i.vid)) {
                self.has_or_puts(id, indexed.vid, indexed.hash).await?;
            }
        }
        Ok(())
    }

    /// Whether the storage has all documents of this entry whose bytes are not in it. What is gone is put
    /// again, if it is here.
    pub(super) async fn is_whole(&self, entry: &Entry) -> Result<bool, Error> {
        let concurrency = self.client.storage.capabilities().concurrency.max(1);
        let named = entry.changes.iter().filter(|c| c.action == Action::Put && c.body.is_none());
        let named: Vec<_> = named.map(|change| self.has_named(change)).collect();
        let found = stream::iter(named).buffer_unordered(concurrency);
        found.try_fold(true, |all, one| async move { Ok(all && one) }).await
    }

    async fn has_named(&self, change: &Change) -> Result<bool, Error> {
        self.has_or_puts(&change.id, change.vid, change.hash).await
    }

    /// Whether the storage has this version of a document, or has it again.
    pub(super) async fn has_or_puts(
        &self,
        id: &DocumentId,
        vid: VersionId,
        hash: ContentHash,
    ) -> Result<bool, Error> {
        let key = Key::document(id, vid);
        // A list would prove no absence (rule S1).
        if self.client.storage.read_start(&key, 1).await?.is_some() {
            return Ok(true);
        }
        match self.client.database.get(id).await {
            Ok(Some(document)) if document.hash() == hash => {
                tracing::warn!(%key, "putting a document again that the storage lost");
                self.client.storage.write(&key, document.bytes).await?;
                self.report().put_again += 1;
                Ok(true)
            }
            _ => Ok(false),
        }
    }
}
