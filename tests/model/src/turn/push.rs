//! U1 to U4: choosing and uploading what is pushed.

use super::Turn;
use crate::client::{Attempt, Kept, Stage, Step};
use crate::config::{LockPolicy, Rule, Store};
use crate::words::{Change, Content, Entry, NONE, Time, VersionId};

impl Turn<'_> {
    /// U1: dirty documents that are not pending and whose base is the indexed version.
    pub(super) fn start_push(&mut self) {
        if self.durable().attempt.is_some() {
            return self.end();
        }
        let changes: Vec<_> =
            (0..self.config.documents).filter_map(|d| self.change_of(d)).collect();
        let lacks_lock = self.config.lock == LockPolicy::Always && !self.client().has_lock;
        if changes.is_empty() || lacks_lock {
            self.end();
        } else {
            let began = self.world.now;
            self.go(Step::Upload { changes, next: 0, began });
        }
    }

    fn change_of(&mut self, d: usize) -> Option<Change> {
        let (checks_base, rejoins) = (self.keeps(Rule::BaseIsIndexed), self.config.rejoins);
        let durable = self.durable();
        let base = durable.dirty[d]?;
        if durable.pending[d].is_some() {
            return None;
        }
        if !durable.is_edited(d) {
            durable.dirty[d] = None;
            return None;
        }
        let (indexed, deleted) = durable.index[d];
        let content = durable.documents[d];
        let is_gone = rejoins && indexed == NONE;
        if is_gone && !content.live {
            self.forget_document(d);
            return None;
        }
        // D4: the base is the version of the log that is gone.
        if checks_base && base != indexed && !is_gone {
            return None;
        }
        let vid = self.name_for(d, base, content);
        let deleted = if content.live { Content::default() } else { deleted };
        Some(Change { document: d as u8, vid, base, content, deleted })
    }

    /// U2: a new name, or an upload of this sync that lost a race: same content, same base, young.
    fn name_for(&mut self, d: usize, base: VersionId, content: Content) -> VersionId {
        if self.keeps(Rule::NewNames) {
            return self.kept(d, base, content).unwrap_or_else(|| self.mint());
        }
        let old = self.durable().old_names[d].filter(|(_, of)| *of == content);
        let vid = old.map_or_else(|| self.mint(), |(vid, _)| vid);
        self.durable().old_names[d] = Some((vid, content));
        vid
    }

    fn kept(&mut self, d: usize, base: VersionId, content: Content) -> Option<VersionId> {
        let kept = self.client().kept[d].filter(|kept| kept.base == base && content.live)?;
        let is_same = kept.content == content || !self.keeps(Rule::ContentOfKept);
        let is_young = kept.began == self.world.now || !self.keeps(Rule::AgeOfKept);
        (is_same && is_young).then_some(kept.vid)
    }

    /// U2, U3: one upload. A delete has none, and what was kept is there already.
    pub(super) fn upload(&mut self, changes: Vec<Change>, next: usize, began: Time) {
        let live = (next..changes.len()).find(|&i| changes[i].content.live);
        let Some(i) = live else { return self.commit(changes, began) };
        let Change { document, vid, base, content, .. } = changes[i];
        let d = document as usize;
        let kept = self.client().kept[d].filter(|kept| kept.vid == vid);
        if kept.is_none() {
            let now = self.world.now;
            self.world.storage.documents.insert(vid, (content, now));
        }
        // On weak storage no upload is used again.
        if self.config.keeps_uploads && self.config.store != Store::Weak {
            let began = kept.map_or(began, |kept| kept.began);
            self.client().kept[d] = Some(Kept { vid, content, base, began });
        }
        self.go(Step::Upload { changes, next: i + 1, began });
    }

    /// U3, U4: records the attempt, unless its uploads are too old.
    fn commit(&mut self, changes: Vec<Change>, began: Time) {
        if self.keeps(Rule::Ages) && self.world.now != began {
            return self.start_push();
        }
        let commit = self.mint();
        let durable = self.durable();
        let follows = match durable.v {
            0 => durable.branch.follows.clone(),
            _ => Vec::new(),
        };
        let entry = Entry { commit, prev: durable.anchor, changes, follows };
        durable.attempt = Some(Attempt { slot: durable.v + 1, entry, began });
        self.go(match self.config.store {
            Store::Strong => Step::Send { began, stage: Stage::Create },
            Store::Webdav => Step::Send { began, stage: Stage::MakeFolder },
            Store::Weak => Step::CheckLock,
        });
    }
}
