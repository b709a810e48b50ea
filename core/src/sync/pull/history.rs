//! Rule P6, for a device reinstalled over its old documents: whether a local version is an older one
//! that the log names, although this client came in by a snapshot and never read that part of it.

use std::collections::{HashMap, HashSet};

use sha2::{Digest, Sha256};

use super::Pull;
use crate::model::format::{Change, Slot};
use crate::model::{ContentHash, DocumentId, Error};
use crate::model::{DeferredChange, LogPosition, VersionId};

/// The part of the log that was looked at, by the marks of its documents.
#[derive(Default)]
pub(super) struct History(HashMap<Mark, Versions>);

/// The last version of a document, and the marks of all that it was made upon and of itself.
struct Versions {
    last: VersionId,
    marks: HashSet<Mark>,
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
        Ok(history.as_ref().is_some_and(|history| history.has(id, local, remote)))
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
        let document = self.0.entry(mark(&change.id, &[]));
        let versions =
            document.or_insert_with(|| Versions { last: change.vid, marks: HashSet::new() });
        if change.base != Some(versions.last) {
            // What it did not see is not older than it (rule P14).
            versions.marks.clear();
        }
        versions.last = change.vid;
        versions.marks.insert(mark(&change.id, change.hash.as_bytes()));
    }

    /// Whether the log had these bytes, and the change that waits was made upon them.
    fn has(&self, id: &DocumentId, hash: ContentHash, remote: Option<&DeferredChange>) -> bool {
        let Some(Versions { last, marks }) = self.0.get(&mark(id, &[])) else { return false };
        let is_last = |change: &Change| change.vid == *last;
        let is_upon = remote.is_none_or(|remote| {
            remote.replaced.contains(last) || remote.change.as_ref().is_some_and(is_last)
        });
        is_upon && marks.contains(&mark(id, hash.as_bytes()))
    }
}

fn mark(id: &DocumentId, of: &[u8]) -> Mark {
    let digest = Sha256::new().chain_update(of).chain_update(id.to_key()).finalize();
    let mut mark = [0; 16];
    mark.copy_from_slice(&digest[..16]);
    mark
}
