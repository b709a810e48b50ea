//! D3: of each document the newer version is taken unasked where one was made upon the other.

use super::Turn;
use crate::branch::Chain;
use crate::client::Tail;
use crate::config::Rule;
use crate::words::{Change, NONE};

/// What a version of another branch is beside the indexed one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Relation {
    /// The same content.
    Alike,
    /// Both branches have it, and this device has a newer one.
    Older,
    /// Anything else.
    Other,
}

impl Turn<'_> {
    /// What was read is joined with the index. What is left of it is written if it is the whole log;
    /// what the application must be asked about, and the parts of a log, wait.
    pub(super) fn join(&mut self, tail: &mut Tail) {
        tail.is_part = true;
        let is_whole = tail.ends && self.durable().pending.iter().all(Option::is_none);
        for d in 0..tail.changes.len() {
            let chain = std::mem::take(&mut tail.chains[d]);
            let Some(change) = tail.changes[d].filter(|_| chain.order > 0) else {
                tail.changes[d] = None;
                continue;
            };
            match self.relation(&change, &chain) {
                Relation::Other => {}
                relation => {
                    self.move_base(&change, relation == Relation::Older);
                    tail.changes[d] = None;
                    continue;
                }
            }
            if self.waits(&change, chain, is_whole) {
                tail.changes[d] = None;
            }
        }
    }

    fn relation(&mut self, change: &Change, chain: &Chain) -> Relation {
        let (keeps_common, looks) = (self.keeps(Rule::CommonPart), self.keeps(Rule::NothingWaits));
        let d = change.document as usize;
        let durable = self.durable();
        let (vid, content) = durable.index[d];
        if vid == NONE || vid == change.vid {
            return Relation::Other;
        }
        if content == change.content {
            return Relation::Alike;
        }
        let common = durable.branch.common.map_or(0, |(n, _)| n);
        let is_old = chain.order <= common || !keeps_common;
        let waits = durable.pending[d].is_some() && looks;
        match is_old && !waits && !chain.replaced.contains(&vid) {
            true => Relation::Older,
            false => Relation::Other,
        }
    }

    /// C5: the indexed version is theirs from now on, and a queued edit is upon it; `queues`: this device
    /// has a newer version.
    fn move_base(&mut self, change: &Change, queues: bool) {
        let d = change.document as usize;
        let durable = self.durable();
        durable.set_index(change);
        if queues || durable.dirty[d].is_some() {
            durable.dirty[d] = Some(change.vid);
        }
        durable.decide(d);
    }

    /// P4: the change joined with one that waits already. False if it may be written at once.
    fn waits(&mut self, change: &Change, chain: Chain, is_whole: bool) -> bool {
        let asks = self.keeps(Rule::MadeUpon);
        let d = change.document as usize;
        let durable = self.durable();
        let indexed = durable.index[d].0;
        let before = durable.pending[d];
        let is_undecided = durable.undecided >> d & 1 == 1;
        let waiting = before.map(|waiting| waiting.vid).filter(|vid| *vid != NONE);
        let is_same = waiting == Some(change.vid);
        let mut replaced = durable.branch.replaced(d);
        replaced.extend(waiting.filter(|_| !is_same));
        replaced.extend(chain.replaced);
        replaced.sort_unstable();
        replaced.dedup();
        let is_apart = match indexed == change.vid {
            true => is_same && is_undecided,
            false => {
                let is_next = replaced.contains(&indexed) || !asks;
                is_undecided || indexed != NONE && !is_next
            }
        };
        if indexed == change.vid && !is_apart {
            durable.branch.unmet &= !(1 << d);
            durable.decide(d);
            return true;
        }
        if is_whole && !is_apart {
            return false;
        }
        durable.pending[d] = Some(*change);
        durable.undecided |= u8::from(is_apart) << d;
        durable.branch.set_replaced(d, replaced);
        true
    }
}
