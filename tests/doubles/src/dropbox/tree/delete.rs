//! Deleting, by rev or not.

use super::{Kind, Lookup, Node, Tree};
use crate::dropbox::arg::Rev;

/// Why nothing was deleted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotDeleted {
    Lookup(Lookup),
    /// The rev is another; the service's tag for this is not verified (facts 6.4).
    Changed,
    /// A rev was given for a folder.
    NotFile,
}

impl Tree {
    /// Deletes a file, if it still has this rev, or a folder with all in it. Answers what was there.
    pub(crate) fn delete(&mut self, path: &str, rev: Option<&Rev>) -> Result<Node, NotDeleted> {
        let node = self.find(path).map_err(NotDeleted::Lookup)?.clone();
        if let Some(Rev(rev)) = rev {
            let file = node.file().ok_or(NotDeleted::NotFile)?;
            if file.rev != *rev {
                return Err(NotDeleted::Changed);
            }
        }
        self.remove(&node.display.to_lowercase());
        Ok(node)
    }

    /// What was below is gone before the folder is, so that a cursor that has seen the folder go need not be
    /// told of the rest.
    pub(super) fn remove(&mut self, key: &str) {
        let below = self.below(key).filter(|(_, node)| node.is_there());
        let gone: Vec<_> = below.map(|(_, node)| node.display.clone()).collect();
        let folder = self.nodes.get(key).map(|node| node.display.clone());
        for display in gone.into_iter().rev().chain(folder) {
            self.put(display, Kind::Deleted);
        }
    }
}
