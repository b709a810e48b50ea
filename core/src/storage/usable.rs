//! Rule P13: a snapshot counts only if the log holds the entry that it ends with. After a restore of
//! some of the objects, the log may end before its newest snapshot, or have gone on differently.

use std::ops::RangeInclusive;

use super::Storage;
use crate::model::format::{Slot, Snapshot};
use crate::model::{Error, ErrorKind, Folder, Key};

/// A snapshot that counts.
pub(crate) struct UsableSnapshot {
    pub key: Key,
    pub snapshot: Snapshot,
    /// The slot after the snapshot, which was read to see that it counts: none need read it again.
    pub after: Option<SlotRead>,
}

/// What a slot held when it was read.
#[derive(Debug)]
pub(crate) struct SlotRead {
    pub n: u64,
    /// `None` if it was absent.
    pub slot: Option<(Slot, u64)>,
}

impl Storage {
    /// The snapshot that the hint names, if it counts and its number is one of these; else, if the
    /// hint is of no use, the newest listed one of which that is true. Without a hint to one of these
    /// numbers the snapshots are listed only if `list` says so: a new storage has neither.
    pub(crate) async fn usable_snapshot(
        &self,
        numbers: RangeInclusive<u64>,
        list: bool,
    ) -> Result<Option<UsableSnapshot>, Error> {
        self.usable_snapshot_that(numbers, list, |_| true).await
    }

    /// The same, of those that are `wanted`.
    pub(crate) async fn usable_snapshot_that(
        &self,
        numbers: RangeInclusive<u64>,
        list: bool,
        wanted: impl Fn(&Snapshot) -> bool,
    ) -> Result<Option<UsableSnapshot>, Error> {
        let among = |key: &Key| key.snapshot_seq().is_some_and(|seq| numbers.contains(&seq));
        let hinted = self.hint().await?.filter(among);
        if let Some(key) = &hinted {
            if let Some(usable) = self.if_usable(key, &wanted).await? {
                return Ok(Some(usable));
            }
        } else if !list {
            return Ok(None);
        }
        let mut heads = self.list_all(Folder::Snapshots).await?;
        heads.retain(|key| among(key) && Some(key) != hinted.as_ref());
        heads.sort_by_key(Key::snapshot_seq);
        for key in heads.iter().rev() {
            if let Some(usable) = self.if_usable(key, &wanted).await? {
                return Ok(Some(usable));
            }
        }
        Ok(None)
    }

    /// The snapshot of this head, if it can be read and counts.
    async fn if_usable(
        &self,
        key: &Key,
        wanted: impl Fn(&Snapshot) -> bool,
    ) -> Result<Option<UsableSnapshot>, Error> {
        let Some(snapshot) = self.snapshot(key).await?.filter(wanted) else { return Ok(None) };
        let n = snapshot.seq + 1;
        let after = match self.changes_read(n).await {
            // It proves nothing. Whoever reads on from the snapshot meets it again.
            Err(e) if matches!(e.kind(), ErrorKind::Corrupt | ErrorKind::NewerFormat) => None,
            slot => Some(SlotRead { n, slot: slot? }),
        };
        let next = after.as_ref().and_then(|after| after.slot.as_ref());
        let prev = next.map(|(slot, _)| slot.prev());
        let counts = prev == Some(Some(snapshot.commit))
            || match self.changes_read(snapshot.seq).await {
                // Damaged: nothing but the entry after it can say that it was another one.
                Err(e) if e.kind() == ErrorKind::Corrupt => prev.is_none(),
                slot => slot?.is_some_and(|(slot, _)| slot.commit() == snapshot.commit),
            };
        if !counts {
            tracing::warn!(%key, "the log does not hold the last entry of this snapshot");
        }
        Ok(counts.then(|| UsableSnapshot { key: key.clone(), snapshot, after }))
    }
}
