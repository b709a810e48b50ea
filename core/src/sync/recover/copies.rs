//! Copies of entries that a program made which copies files (rule D8): "3 (conflicted copy).json" beside
//! "3.json". They are named where a sync stops for the branches that such a program left behind.

use super::Recover;
use crate::model::{Divergence, Error, Folder};

/// The names that are looked at.
const LOOK: usize = 20_000;
/// The names that are in the error.
const SAID: usize = 3;

impl Recover<'_> {
    /// Adds the names of such copies. They are not read: what they hold is offered again by the device that
    /// made it, and its documents are in `docs/`.
    pub(super) async fn name_copies(&self, error: Error) -> Error {
        let is_of_branches =
            matches!(error.divergence(), Some(Divergence::Forked { .. } | Divergence::Mixed));
        if !is_of_branches {
            return error;
        }
        let folder = Folder::Changes;
        // What the sync stops for is worth more than this look.
        let Ok(names) = self.cx.client.storage.names(Some(folder), LOOK).await else {
            return error;
        };
        let is_copy = |name: &&String| {
            !name.starts_with('.') && folder.key(name).ok().and_then(|key| key.slot()).is_none()
        };
        let copies: Vec<_> = names.iter().filter(is_copy).collect();
        if copies.is_empty() {
            return error;
        }
        let said: Vec<_> = copies.iter().take(SAID).map(|name| format!("{name:?}")).collect();
        error.and_message(format!(
            "; {} copies of entries that another program made are beside them in `changes/` and are not \
             read, such as {}: go on with the device that made them, then delete them",
            copies.len(),
            said.join(", ")
        ))
    }
}
