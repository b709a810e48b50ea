//! Rule D7: a look whether the storage has bytes again that were given up for lost.

use std::collections::HashSet;

use super::Context;
use crate::local::Batch;
use crate::model::{Error, Key, Scope, VersionId};

impl Context<'_> {
    /// Marks the versions whose bytes are there again, among those that are listed. The next pull asks
    /// the application about them. Answers whether there are any.
    pub(super) async fn look_for_lost(&self, listed: &[Key]) -> Result<bool, Error> {
        let mut lost = self.client.sync_state.lost().await?;
        if lost.0.is_empty() {
            return Ok(false);
        }
        let listed: HashSet<VersionId> = listed.iter().filter_map(Key::vid).collect();
        let mut changed = false;
        for version in &mut lost.0 {
            // A name in a list may be that of an object that is still damaged.
            let found = listed.contains(&version.change.vid)
                && match self.client.storage.get(&[&version.change]).await.pop() {
                    Some(Err(e)) if e.scope() == Scope::Storage => return Err(e),
                    Some(Ok(bytes)) => bytes.is_some(),
                    Some(Err(_)) | None => version.found,
                };
            changed |= found != version.found;
            version.found = found;
        }
        if changed {
            let mut batch = Batch::new();
            batch.lost(&lost);
            self.client.sync_state.metadata_write(batch).await?;
        }
        Ok(lost.0.iter().any(|version| version.found))
    }
}
