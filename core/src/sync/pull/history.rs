//! Rule P6, for a device reinstalled over its old documents: whether a local version is an older one
//! that the log names, although this client came in by a snapshot and never read that part of it.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::Pull;
use crate::model::format::{Change, Slot};
use crate::model::{ContentHash, DocumentId, Error};
use crate::model::{DeferredChange, LogPosition, VersionId};

/// Marks of the versions in the part of the log that was looked at: 16 bytes a version.
#[derive(Default)]
pub(super) struct History {
    versions: HashSet<Mark>,
    /// The last version of each document, by its id.
    last: HashMap<Mark, (VersionId, Mark)>,
}

type Mark = [u8; 16];

/// How far back the log is read: what is older than that becomes a conflict instead.
const ENTRIES: u64 = 2000;

impl Pull<'_> {
    /// Reads the log once, and only for a document that was never synced here.
    pub(super) async fn is_older_version(
        &self,
        position: &LogPosition,
        id: &DocumentId,
        local: Option<ContentHash>,
        remote: Option<&DeferredChange>,
    ) -> Result<bool, Error> {
        let Some(local) = local else { return Ok(false) };
        let mut history = self.history.lock().await;
        if history.is_none() {
            *history = Some(self.read_history(position).await?);
        }
        let base = remote.and_then(|remote| remote.replaced.first());
        Ok(history.as_ref().is_some_and(|history| history.has(id, local, base)))
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
                    history = History::default();
                }
                before = Some(slot.commit());
                if let Slot::Entry(entry) = slot {
                    entry.changes.iter().for_each(|change| history.add(change));
                }
            }
            next = until + 1;
        }
        Ok(history)
    }
}

impl History {
    fn add(&mut self, change: &Change) {
        let version = mark(&change.id, change.hash.as_bytes());
        let last = self.last.insert(mark(&change.id, &[]), (change.vid, version));
        // What the next change did not see is not older than it (rule P14).
        if let Some((_, unseen)) = last.filter(|(vid, _)| change.base != Some(*vid)) {
            self.versions.remove(&unseen);
        }
        self.versions.insert(version);
    }

    /// Whether the log had these bytes, and `base`, upon which the next change was made, is not before them.
    fn has(&self, id: &DocumentId, hash: ContentHash, base: Option<&VersionId>) -> bool {
        let version = mark(id, hash.as_bytes());
        let last = self.last.get(&mark(id, &[]));
        let is_unseen = |last: &(VersionId, Mark)| {
            last.1 == version && base.is_some_and(|base| *base != last.0)
        };
        self.versions.contains(&version) && !last.is_some_and(is_unseen)
    }
}

fn mark(id: &DocumentId, of: &[u8]) -> Mark {
    let digest = Sha256::new().chain_update(of).chain_update(id.to_key()).finalize();
    let mut mark = [0; 16];
    mark.copy_from_slice(&digest[..16]);
    mark
}
