//! D3 and D4: what a device remembers of the log that it is on, so that it can join another one.

use crate::words::{Commit, NONE, Seq, VersionId};

/// What a device knows of its log and of those that it continues. Durable.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Branch {
    /// The commits of the slots up to `v`, slot 1 first; [`NONE`] where a snapshot was taken instead.
    pub trail: Vec<Commit>,
    /// The first commits of the logs that this one continues.
    pub follows: Vec<Commit>,
    /// A start over joins another branch: both have the entries up to this one, of this commit; 0 if
    /// no common entry is known.
    pub common: Option<(Seq, Commit)>,
    /// D4: the index is being queued, so that a new log can be begun from it.
    pub putting_back: bool,
    /// Documents whose indexed version was not met yet in the log that is joined: a bit for each.
    pub unmet: u8,
    /// The versions that a pending change replaced, for each document; empty where none is known.
    pub replaced: Vec<Vec<VersionId>>,
}

impl Branch {
    /// The first commit of the log.
    pub fn genesis(&self) -> Commit {
        self.trail.first().copied().unwrap_or(NONE)
    }

    /// Entry `n` was read or committed.
    pub fn push(&mut self, n: Seq, commit: Commit) {
        self.trail.resize(n as usize - 1, NONE);
        self.trail.push(commit);
    }

    /// What a pending change of the document replaced.
    pub fn replaced(&self, document: usize) -> Vec<VersionId> {
        self.replaced.get(document).cloned().unwrap_or_default()
    }

    /// Remembers what a pending change of the document replaced.
    pub fn set_replaced(&mut self, document: usize, versions: Vec<VersionId>) {
        if self.replaced.len() <= document {
            self.replaced.resize(document + 1, Vec::new());
        }
        self.replaced[document] = versions;
        while self.replaced.last().is_some_and(Vec::is_empty) {
            self.replaced.pop();
        }
    }
}

/// What a pull that joins another branch has read of one document.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Chain {
    /// The entry of the last change; 0 if none was read.
    pub order: Seq,
    /// The versions that it replaced.
    pub replaced: Vec<VersionId>,
}
