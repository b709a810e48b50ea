//! Rule W4: what it takes to go back by the newest entry, on a storage that may be weak.

use std::collections::HashMap;

use super::Context;
use crate::model::format::Entry;
use crate::model::{DocumentId, Error};
use crate::model::{LastEntry, SyncedVersion};

impl Context<'_> {
    /// What it takes to go back by the last of these entries, before any of them is in the index.
    pub(super) async fn last_entry(
        &self,
        generation: u64,
        entries: impl IntoIterator<Item = &Entry>,
    ) -> Result<Option<LastEntry>, Error> {
        let mut before: HashMap<&DocumentId, SyncedVersion> = HashMap::new();
        let mut last: Option<&Entry> = None;
        for entry in entries {
            let changes = last.replace(entry).into_iter().flat_map(|entry| &entry.changes);
            before
                .extend(changes.map(|change| (&change.id, SyncedVersion::of(change, generation))));
        }
        let Some(entry) = last else { return Ok(None) };
        let ids: Vec<_> = entry.changes.iter().map(|change| change.id.clone()).collect();
        let mut indexed = self.client.sync_state.indexed(&ids).await?;
        let replaced = ids.into_iter().map(|id| {
            // What was synced with another storage (rule D1) is no version of this log.
            let indexed = indexed.remove(&id).filter(|version| version.generation == generation);
            let version = before.remove(&id).or(indexed);
            (id, version)
        });
        Ok(Some(LastEntry { commit: entry.commit, replaced: replaced.collect() }))
    }
}
