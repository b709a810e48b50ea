//! A change of another device, and how it is joined with one that waits already (rule P4).

use crate::model::format::{Change, Entry};
use crate::model::{ContentHash, Timestamp};
use crate::model::{DeferredChange, SyncedVersion};

/// A change that was read from the log or from a snapshot.
#[derive(Clone, Debug)]
pub(crate) struct RemoteChange {
    pub change: Change,
    /// The device that made it and when, informational only; unknown from a snapshot.
    pub device: Option<String>,
    pub time: Option<Timestamp>,
    /// Hashes of the versions that this one replaced.
    pub older: Vec<ContentHash>,
    /// The number of its entry and its place in the entry.
    pub order: (u64, u32),
}

/// Older versions that are remembered of one document.
const OLDER: usize = 64;

impl RemoteChange {
    /// A change of a snapshot.
    pub(crate) fn of_snapshot(change: Change, order: (u64, u32)) -> Self {
        Self { change, device: None, time: None, older: Vec::new(), order }
    }

    /// The changes of entry `number`, in order.
    pub(crate) fn of_entry(number: u64, entry: Entry) -> impl Iterator<Item = Self> {
        let (device, time) = (entry.client, entry.time);
        (0..).zip(entry.changes).map(move |(place, change)| Self {
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
        Self { older: newest(older), ..self }
    }

    /// This change joined with one that was deferred before. `synced` is the version that was synced
    /// last, `resyncing` whether the storage is another one than before (rule D1).
    pub(crate) fn join(
        self,
        before: Option<&DeferredChange>,
        synced: Option<&SyncedVersion>,
        resyncing: bool,
    ) -> DeferredChange {
        let is_synced = synced.is_some_and(|version| version.vid == self.change.vid);
        let waiting = before.and_then(|before| before.change.as_ref());
        let is_same = waiting.is_some_and(|waiting| waiting.vid == self.change.vid);
        // What is synced already is apart only if the deferred change says so of this very version:
        // an edit was declared on another one (rule C3).
        let undecided = before.is_some_and(|before| before.diverged);
        let diverged = match is_synced {
            true => is_same && undecided,
            false => undecided || (resyncing && synced.is_some()),
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
            reason: same.and_then(|same| same.reason),
            refused: same.and_then(|same| same.refused.clone()),
            order: self.order,
        }
    }
}

fn newest(mut older: Vec<ContentHash>) -> Vec<ContentHash> {
    older.drain(..older.len().saturating_sub(OLDER));
    older
}
