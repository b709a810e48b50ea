//! A change of another device, and how it is joined with one that waits already (rule P4).

use super::bases::bases;
use crate::model::format::{Change, Entry};
use crate::model::{Branch, DeferredChange, SyncedVersion};
use crate::model::{ContentHash, Timestamp, VersionId};
use crate::planted::{Rule, holds};

/// A change that was read from the log or from a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct RemoteChange {
    pub change: Change,
    /// The device that made it and when, informational only; unknown from a snapshot.
    pub device: Option<String>,
    pub time: Option<Timestamp>,
    /// Hashes of the versions that this one was made upon: whoever has one of them may get this one.
    pub older: Vec<ContentHash>,
    /// The versions that it was made upon, the oldest first, as far as they were read.
    pub replaced: Vec<VersionId>,
    /// What it was made upon can be compared with what this device has: it was read from an entry, and
    /// this device has applied nothing that came after it.
    pub names_base: bool,
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
        let (older, replaced) = (Vec::new(), Vec::new());
        Self { change, device: None, time: None, older, replaced, names_base: false, order }
    }

    /// The changes of entry `number`, in order. A pull that did not come to its end may have applied some
    /// of the entries up to `applied` (rule P9).
    pub(crate) fn of_entry(number: u64, entry: Entry, applied: u64) -> impl Iterator<Item = Self> {
        let (device, time) = (entry.client, entry.time);
        (0..).zip(entry.changes).map(move |(place, change)| Self {
            replaced: change.base.into_iter().collect(),
            names_base: number > applied,
            change,
            device: Some(device.clone()),
            time: Some(time),
            older: Vec::new(),
            order: (number, place),
        })
    }

    /// This change after an earlier one of the same document.
    pub(crate) fn after(self, earlier: Self) -> Self {
        let replaced = bases(self.replaced, &earlier.change, &earlier.replaced);
        // Upon one of a snapshot: all that it was made upon is not known.
        let names_base =
            self.names_base && (earlier.names_base || !replaced.contains(&earlier.change.vid));
        // What was not seen is not older (rule P14).
        let (mut older, seen) = (earlier.older, replaced.contains(&earlier.change.vid));
        older.retain(|_| seen);
        older.extend(seen.then_some(earlier.change.hash));
        older.extend(self.older);
        Self { older: newest(older), replaced, names_base, ..self }
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
    /// last, `branch` how this log stands to the one that it was synced with (rules D1 and D3). It is
    /// apart also if it was made without seeing the version that was synced here (rule P14).
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
        let earlier = before.map_or(&[][..], |before| &before.replaced);
        let replaced = match waiting {
            Some(_) if is_same && earlier.len() > self.replaced.len() => earlier.to_vec(),
            Some(waiting) if !is_same => bases(self.replaced, waiting, earlier),
            _ => self.replaced,
        };
        let follows = waiting.is_some_and(|w| is_same || replaced.contains(&w.vid));
        let is_apart = synced.is_some_and(|version| {
            // It was made upon what this device has.
            let is_next = replaced.contains(&version.vid);
            match branch {
                Branch::Same => {
                    let is_blind = self.names_base && !is_next && !follows;
                    is_blind && !version.deleted && holds(Rule::P14)
                }
                Branch::Parted { .. } => !is_next,
                Branch::Unknown => true,
            }
        });
        let diverged = match is_synced {
            true => is_same && undecided,
            false => undecided || is_apart,
        };
        // What was not seen is not older (rule P14).
        let seen = follows || !self.names_base || branch != Branch::Same;
        let before_seen = before.filter(|_| seen);
        let waiting = waiting.filter(|_| seen);
        let older = before_seen.map(|before| before.older.clone()).unwrap_or_default().into_iter();
        let older = older.chain(waiting.filter(|_| !is_same).map(|waiting| waiting.hash));
        let same = before.filter(|_| is_same);
        DeferredChange {
            older: newest(older.chain(self.older).collect()),
            change: Some(self.change),
            device: self.device,
            time: self.time,
            diverged,
            replaced: newest(replaced),
            reason: same.and_then(|same| same.reason),
            since: same.and_then(|same| same.since),
            refused: same.and_then(|same| same.refused.clone()),
            order: self.order,
            set_aside: before.and_then(|before| before.set_aside.clone()),
        }
    }
}

fn newest<T>(mut older: Vec<T>) -> Vec<T> {
    older.drain(..older.len().saturating_sub(OLDER));
    older
}
