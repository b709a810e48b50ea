//! The storage (S4): what it holds, and what a reader makes of it.

use std::collections::BTreeMap;

use crate::words::{
    Changes, Commit, Content, NONE, Seq, Slot, Snapshot, Time, TmpFolders, VersionId,
};

/// Everything that the storage holds.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default)]
pub struct Storage {
    /// `changes/<n>.json`, slot 1 first.
    pub log: Vec<Option<Slot>>,
    /// `docs/…`: content, and when it was uploaded.
    pub documents: BTreeMap<VersionId, (Content, Time)>,
    /// `snapshot/<s>.….json`.
    pub snapshots: BTreeMap<Seq, Snapshot>,
    /// `meta.json`: the newest snapshot, perhaps.
    pub hint: Option<Seq>,
    /// `lock.json`: the client that put it there.
    pub lock: Option<u8>,
    /// WebDAV: temporary folders.
    pub folders: TmpFolders,
}

/// Which snapshots a reader takes for true.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trust {
    /// Those of this log (P13).
    OfThisLog,
    /// All that are there.
    All,
}

/// What a reader finds at the end of the log.
#[derive(Debug)]
pub struct Head {
    /// The last entry.
    pub seq: Seq,
    /// Its commit.
    pub commit: Commit,
    /// The newest change of each document.
    pub newest: Changes,
}

impl Storage {
    /// What stands at slot `n`, for a reader: a folder without an entry is nothing.
    pub fn slot(&self, n: Seq) -> Option<&Slot> {
        let slot = self.log.get((n as usize).checked_sub(1)?)?.as_ref();
        slot.filter(|slot| **slot != Slot::EmptyFolder)
    }

    /// The commit at slot `n`.
    pub fn commit_at(&self, n: Seq) -> Option<Commit> {
        self.slot(n).map(Slot::commit)
    }

    /// Whether a create of slot `n` is refused.
    pub fn is_taken(&self, n: Seq) -> bool {
        self.slot(n).is_some()
    }

    /// Whether slot `n` is a folder without an entry.
    pub fn is_empty_folder(&self, n: Seq) -> bool {
        matches!(self.log.get(n as usize - 1), Some(Some(Slot::EmptyFolder)))
    }

    /// Puts `slot` at `n`, whatever was there.
    pub fn put_slot(&mut self, n: Seq, slot: Slot) {
        while self.log.len() < n as usize {
            self.log.push(None);
        }
        self.log[n as usize - 1] = Some(slot);
    }

    /// What the protocol never does (K2).
    pub fn delete_slot(&mut self, n: Seq) {
        if let Some(slot) = self.log.get_mut(n as usize - 1) {
            *slot = None;
        }
    }

    /// The newest snapshot and the entry it follows.
    pub fn newest_snapshot(&self, trust: Trust) -> Option<(Seq, &Snapshot)> {
        self.last_snapshot(Seq::MAX, trust)
    }

    /// The snapshot that `meta.json` names, if it is there and counts.
    pub fn hinted_snapshot(&self, trust: Trust) -> Option<(Seq, &Snapshot)> {
        let seq = self.hint?;
        let snapshot = self.snapshots.get(&seq)?;
        self.counts(seq, snapshot, trust).then_some((seq, snapshot))
    }

    /// The entry that the newest snapshot follows, or 0.
    pub fn floor(&self, trust: Trust) -> Seq {
        self.newest_snapshot(trust).map_or(0, |(seq, _)| seq)
    }

    fn last_snapshot(&self, most: Seq, trust: Trust) -> Option<(Seq, &Snapshot)> {
        let mut below = self.snapshots.range(..=most).map(|(seq, snapshot)| (*seq, snapshot));
        below.rfind(|(seq, snapshot)| self.counts(*seq, snapshot, trust))
    }

    /// P13: whether the log has the entry that the snapshot follows, or once had it (K2 switched off).
    pub fn counts(&self, seq: Seq, snapshot: &Snapshot, trust: Trust) -> bool {
        let was_freed = || self.log.get(seq as usize - 1).is_some_and(Option::is_none);
        let is_in_log = match (self.slot(seq), self.slot(seq + 1)) {
            (_, Some(next)) if next.prev() == snapshot.commit => true,
            (Some(slot), _) => slot.commit() == snapshot.commit,
            (None, _) => was_freed(),
        };
        is_in_log || trust == Trust::All
    }

    /// K1: the fold of the log up to slot `n`; none if the log cannot be read so far.
    pub fn fold(&self, n: Seq, documents: usize, trust: Trust) -> Option<Changes> {
        let below = self.last_snapshot(n, trust);
        let (mut seq, mut newest) = match below {
            Some((seq, snapshot)) => (seq, snapshot.newest.clone()),
            None => (0, vec![None; documents]),
        };
        while seq < n {
            let Some(Slot::Entry(entry)) = self.slot(seq + 1) else { return None };
            for change in &entry.changes {
                newest[change.document as usize] = Some(*change);
            }
            seq += 1;
        }
        Some(newest)
    }

    /// What a fresh client sees: the newest snapshot, then all entries up to the first absent one.
    pub fn head(&self, documents: usize, trust: Trust) -> Head {
        let mut head = match self.newest_snapshot(trust) {
            Some((seq, snapshot)) => {
                Head { seq, commit: snapshot.commit, newest: snapshot.newest.clone() }
            }
            None => Head { seq: 0, commit: NONE, newest: vec![None; documents] },
        };
        while let Some(Slot::Entry(entry)) = self.slot(head.seq + 1) {
            for change in &entry.changes {
                head.newest[change.document as usize] = Some(*change);
            }
            head.seq += 1;
            head.commit = entry.commit;
        }
        head
    }
}
