//! Rules D3 and D8: the last common entry of two branches, where entries of both may be in one log.

use std::collections::BTreeSet;

use super::Recover;
use crate::model::format::{Slot, Snapshot};
use crate::model::{Error, ErrorKind, LogPosition};
use crate::sync::identify::Identify;

impl Recover<'_> {
    /// Another device has joined branches of which this one has read one. Starts over from what both have, as
    /// on another branch; `false` if the storage says nothing of that kind.
    pub(super) async fn rejoin_mixed(&self, position: &mut LogPosition) -> Result<bool, Error> {
        let (storage, next) = (&self.cx.client.storage, position.version + 1);
        let entry = match storage.changes_read(next).await {
            Ok(Some((Slot::Entry(entry), _))) => entry.joined,
            Err(e) if e.kind() != ErrorKind::Corrupt => return Err(e),
            _ => BTreeSet::new(),
        };
        let joins = |snapshot: &Snapshot| !snapshot.joined.is_empty();
        let usable = storage.usable_snapshot_that(next..=u64::MAX, true, joins).await?;
        let snapshot = usable.map(|usable| usable.snapshot.joined).unwrap_or_default();
        let unknown = position.unknown_breaks(&entry).chain(position.unknown_breaks(&snapshot));
        let before = self.cx.unknown_break(position).await?;
        let Some(first) = unknown.map(|b| b.slot).chain(before).min() else { return Ok(false) };
        // Without `go_on`, what this device has is compared with all that is there.
        let common = match self.cx.options.go_on {
            true => Identify::new(self.cx).common_before(position, first).await?,
            false => 0,
        };
        self.resync(position, Some(common)).await?;
        Ok(true)
    }

    /// The last common entry, if the log up to it is one chain; else an earlier one. In a mixed log an
    /// entry of this device may stand after those of another branch.
    pub(super) async fn common_of_chain(
        &self,
        position: &LogPosition,
        since: u64,
    ) -> Result<u64, Error> {
        let mut common = since;
        while common > 1 {
            // The log is read from there on.
            let usable = self.cx.client.storage.usable_snapshot(1..=common, false).await?;
            let from = usable.map_or(0, |usable| usable.snapshot.seq);
            match self.cx.first_break(position, from, common).await? {
                None => return Ok(common),
                Some(slot) => {
                    common = Identify::new(self.cx).common_before(position, slot).await?;
                }
            }
        }
        Ok(common)
    }
}
