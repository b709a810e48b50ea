//! D4: the storage is empty. This device begins a new log that says which one it continues.

use super::Turn;
use crate::branch::Branch;
use crate::client::Step;
use crate::config::Rule;
use crate::words::{Content, NONE};

impl Turn<'_> {
    /// Goes back to before the first entry; its documents are queued in another step.
    pub(super) fn put_back(&mut self) {
        self.forget();
        let durable = self.durable();
        let genesis = durable.branch.genesis();
        let mut follows = std::mem::take(&mut durable.branch.follows);
        follows.extend(Some(genesis).filter(|genesis| *genesis != NONE));
        durable.branch = Branch { follows, putting_back: true, ..Branch::default() };
        (durable.v, durable.anchor, durable.resyncing) = (0, NONE, false);
        (durable.attempt, durable.reaching) = (None, None);
        self.go(Step::PutBack);
    }

    /// Queues all synced documents, each upon its version of the log that is gone, and forgets those
    /// versions.
    pub(super) fn queue_index(&mut self) {
        let (all, upon_own) = (self.keeps(Rule::PutsAllBack), self.keeps(Rule::PutsUponOwn));
        let durable = self.durable();
        for d in 0..durable.index.len() {
            let (mut vid, content) = std::mem::take(&mut durable.index[d]);
            if let Some(waiting) = durable.pending[d].filter(|_| !upon_own) {
                vid = waiting.vid;
            }
            let is_queued = durable.dirty[d].is_some();
            if content.live && (all || is_queued) {
                durable.dirty[d] = Some(vid);
            }
            durable.decide(d);
        }
        durable.branch.putting_back = false;
        self.begin_anew();
    }

    fn begin_anew(&mut self) {
        for d in 0..self.config.documents {
            let durable = self.durable();
            let is_gone = durable.index[d] == (NONE, Content::default());
            if is_gone && durable.dirty[d].is_none() && !durable.documents[d].live {
                self.forget_document(d);
            }
        }
        self.begin();
    }
}
