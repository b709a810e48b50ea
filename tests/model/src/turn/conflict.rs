//! P6 and P8: the application answers to a conflict.

use super::Turn;
use crate::client::Step;
use crate::config::{Answer, Rule};
use crate::words::{Change, Content, Slot};

impl Turn<'_> {
    /// The application answers, and the client does as it says; perhaps it crashes in between.
    pub(crate) fn answer(&mut self, answer: Answer, crashes: bool) {
        let Step::Apply { mut tail, fetched: Some(change), .. } = self.client().step.clone() else {
            return;
        };
        let d = change.document as usize;
        self.note_question(&change);
        // With intents a crash in the middle is settled by looking: all of it happened.
        let whole = !crashes || self.keeps(Rule::Intents);
        match answer {
            Answer::Defer => self.defer(&change),
            _ if whole => self.durable().decide(d),
            _ => {}
        }
        match answer {
            Answer::Merge => self.merge(&change, whole),
            Answer::KeepLocal => self.keep_local(&change, whole),
            Answer::TakeRemote => self.take_remote(&change, whole),
            Answer::Defer => {}
        }
        self.client().unqueued &= !(1 << d);
        tail.changes[d] = None;
        self.go(Step::Apply { tail, fetched: None, was_dirty: false });
        if crashes {
            self.crash();
        }
    }

    fn defer(&mut self, change: &Change) {
        self.world.left.deferrals -= 1;
        let durable = self.durable();
        durable.pending[change.document as usize] = Some(*change);
        durable.queue(change.document as usize);
    }

    /// P8: apply first, then `index := remote`, `dirty := remote vid`.
    fn merge(&mut self, change: &Change, whole: bool) {
        let d = change.document as usize;
        let first = self.keeps(Rule::MergeAppliesFirst);
        let durable = self.durable();
        let (local, remote) = (durable.documents[d], change.content);
        if whole || first {
            let live = local.live || remote.live;
            durable.documents[d] = Content { edits: local.edits | remote.edits, live };
        }
        if whole || !first {
            durable.set_index(change);
            durable.dirty[d] = Some(change.vid);
        }
    }

    fn keep_local(&mut self, change: &Change, whole: bool) {
        let d = change.document as usize;
        let local = self.durable().documents[d];
        self.world.judge.dropped[d] |= change.content.edits & !local.edits;
        if whole {
            let durable = self.durable();
            durable.set_index(change);
            durable.dirty[d] = Some(change.vid);
        }
    }

    fn take_remote(&mut self, change: &Change, whole: bool) {
        let d = change.document as usize;
        let local = self.durable().documents[d];
        self.world.judge.dropped[d] |= local.edits & !change.content.edits;
        let durable = self.durable();
        durable.documents[d] = change.content;
        if whole {
            durable.settle(change);
        }
    }

    /// For the judge: was the question a needless one, and may the answer bring a deleted document
    /// back? It may if the application knows that the storage diverged, or if nothing in the
    /// storage tells any more that the local document is an old copy.
    fn note_question(&mut self, change: &Change) {
        let d = change.document as usize;
        let (local, remote) = (self.durable().documents[d], change.content);
        let diverged = self.durable().undecided >> d & 1 == 1;
        self.world.judge.asked_needlessly |= local.includes(remote) || remote.includes(local);
        let names = |c: &Change| c.content == local || c.deleted == local;
        let is_named = names(change)
            || self.storage().log.iter().flatten().any(|slot| match slot {
                Slot::Entry(entry) => entry.changes.iter().any(names),
                _ => false,
            });
        let is_old = !remote.live && local.live && remote.includes(local);
        if is_old && (diverged || !is_named) {
            self.world.judge.revived |= 1 << d;
        }
    }
}
