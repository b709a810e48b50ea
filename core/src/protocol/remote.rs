//! A change of another device, and how it is joined with one that waits already (rule P4).

use crate::model::format::{Change, Entry};
use crate::model::{Branch, DeferredChange, SyncedVersion};
use crate::model::{ContentHash, Timestamp, VersionId};

/// A change that was read from the log or from a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct RemoteChange {
    pub change: Change,
    /// The device that made it and when, informational only; unknown from a snapshot.
    pub device: Option<String>,
    pub time: Option<Timestamp>,
    /// Hashes of the versions that this one replaced.
    pub older: Vec<ContentHash>,
    /// The versions that this one replaced, as far as they were read.
    pub replaced: Vec<VersionId>,
    /// The number of its entry and its place in the entry.
    pub order: (u64, u32),
}

/// A version of another branch of the log, beside the version that was synced here (rule D3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Relation {
    /// The same bytes and revision: nothing is to be done but to remember its name.
    Alike,
    /// It is older: both branches had it when they parted, and this device has had a newer one since.
    Older,
    /// It was made upon the version that this device has, or that is not known.
    Other,
}

/// Older versions that are remembered of one document.
const OLDER: usize = 64;

impl RemoteChange {
    /// A change of a snapshot.
    pub(crate) fn of_snapshot(change: Change, order: (u64, u32)) -> Self {
        Self { change, device: None, time: None, older: Vec::new(), replaced: Vec::new(), order }
    }

    /// The changes of entry `number`, in order.
    pub(crate) fn of_entry(number: u64, entry: Entry) -> impl Iterator<Item = Self> {
        let (device, time) = (entry.client, entry.time);
        (0..).zip(entry.changes).map(move |(place, change)| Self {
            replaced: change.base.into_iter().collect(),
            change,
            device: Some(device.clone()),
            time: Some(time),
            older: Vec::new(),
            order: (number, place),
        })
    }

    /// This change after an earlier one of the same document.
    pub(crate) fn after(self, earlier: Self) -> Self {
        let mut older = earlier.older;
        older.push(earlier.change.hash);
        older.extend(self.older);
        let mut replaced = earlier.replaced;
        replaced.push(earlier.change.vid);
        replaced.extend(self.replaced);
        Self { older: newest(older), replaced: newest(replaced), ..self }
    }

    /// How this change of another branch stands to the version that was synced here. A change that
    /// waits says that this device did not apply all that it has read.
    pub(crate) fn relation(
        &self,
        waiting: Option<&DeferredChange>,
        synced: &SyncedVersion,
        branch: Branch,
    ) -> Relation {
        let Branch::Parted { common } = branch else { return Relation::Other };
        let theirs = SyncedVersion::of(&self.change, synced.generation);
        let alike = (&theirs.rev, theirs.hash, theirs.deleted);
        if alike == (&synced.rev, synced.hash, synced.deleted) {
            return Relation::Alike;
        }
        let is_old = self.order.0 <= common && !self.replaced.contains(&synced.vid);
        match waiting.is_none() && is_old && synced.vid != self.change.vid {
            true => Relation::Older,
            false => Relation::Other,
        }
    }

    /// This change joined with one that was deferred before. `synced` is the version that was synced
    /// last, `branch` how this log stands to the one that it was synced with (rules D1 and D3).
    pub(crate) fn join(
        self,
        before: Option<&DeferredChange>,
        synced: Option<&SyncedVersion>,
        branch: Branch,
    ) -> DeferredChange {
        let is_synced = synced.is_some_and(|version| version.vid == self.change.vid);
        let waiting = before.and_then(|before| before.change.as_ref());
        let is_same = waiting.is_some_and(|waiting| waiting.vid == self.change.vid);
        // What is synced already is apart only if the deferred change says so of this very version:
        // an edit was declared on another one (rule C3).
        let undecided = before.is_some_and(|before| before.diverged);
        let replaced = match branch {
            Branch::Parted { .. } => {
                let earlier = before.map(|before| before.replaced.clone()).unwrap_or_default();
                let waiting = waiting.filter(|_| !is_same).map(|waiting| waiting.vid);
                newest(earlier.into_iter().chain(waiting).chain(self.replaced).collect())
            }
            Branch::Same | Branch::Unknown => Vec::new(),
        };
        // It was made upon what this device has.
        let is_next = synced.is_some_and(|version| replaced.contains(&version.vid));
        let diverged = match is_synced {
            true => is_same && undecided,
            false => undecided || (branch != Branch::Same && synced.is_some() && !is_next),
        };
        let older = before.map(|before| before.older.clone()).unwrap_or_default().into_iter();
        let older = older.chain(waiting.filter(|_| !is_same).map(|waiting| waiting.hash));
        let same = before.filter(|_| is_same);
        DeferredChange {
            older: newest(older.chain(self.older).collect()),
            change: Some(self.change),
            device: self.device,
            time: self.time,
            diverged,
            replaced,
            reason: same.and_then(|same| same.reason),
            refused: same.and_then(|same| same.refused.clone()),
            order: self.order,
        }
    }
}

fn newest<T>(mut older: Vec<T>) -> Vec<T> {
    older.drain(..older.len().saturating_sub(OLDER));
    older
}
