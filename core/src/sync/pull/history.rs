//! Rule P6, for a device reinstalled over its old documents: whether a local version is an older one
//! that the log names, although this client came in by a snapshot and never read that part of it.

use std::collections::HashSet;

use sha2::{Digest, Sha256};

use super::Pull;
use crate::model::LogPosition;
use crate::model::format::Slot;
use crate::model::{ContentHash, DocumentId, Error};

/// Marks of all versions in the part of the log that was looked at: 16 bytes a version.
#[derive(Default)]
pub(super) struct History(HashSet<[u8; 16]>);

/// How far back the log is read: what is older than that becomes a conflict instead.
const ENTRIES: u64 = 2000;

impl Pull<'_> {
    /// Reads the log once, and only for a document that was never synced here.
    pub(super) async fn is_older_version(
        &self,
        position: &LogPosition,
        id: &DocumentId,
        local: Option<ContentHash>,
    ) -> Result<bool, Error> {
        let Some(local) = local else { return Ok(false) };
        let mut history = self.history.lock().await;
        if history.is_none() {
            *history = Some(self.read_history(position).await?);
        }
        Ok(history.as_ref().is_some_and(|history| history.0.contains(&mark(id, local))))
    }

    async fn read_history(&self, position: &LogPosition) -> Result<History, Error> {
        let mut history = History::default();
        let width = self.cx.client.storage.capabilities().concurrency.max(1) as u64;
        // Entries after the snapshot were read already; pending changes carry what they replaced.
        let last = position.log.snapshot;
        let mut next = last.saturating_sub(ENTRIES) + 1;
        let mut before = None;
        while next <= last {
            let until = last.min(next + width - 1);
            for slot in self.cx.client.storage.changes_read_many(next..=until).await? {
                let Some((slot, _)) = slot else { continue };
                if before.is_some_and(|commit| slot.prev() != Some(commit)) {
                    // Weak storage: a late write, perhaps our own, replaced what the snapshot holds.
                    history.0.clear();
                }
                before = Some(slot.commit());
                if let Slot::Entry(entry) = slot {
                    history.0.extend(entry.changes.iter().map(|c| mark(&c.id, c.hash)));
                }
            }
            next = until + 1;
        }
        Ok(history)
    }
}

fn mark(id: &DocumentId, hash: ContentHash) -> [u8; 16] {
    let digest = Sha256::new().chain_update(hash.as_bytes()).chain_update(id.to_key()).finalize();
    let mut mark = [0; 16];
    mark.copy_from_slice(&digest[..16]);
    mark
}
