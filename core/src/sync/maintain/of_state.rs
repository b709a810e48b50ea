//! Rules D5 and D8: the snapshot of a device that has applied an entry which is damaged since. The log cannot be
//! folded then (rule K1), but what it says is in the index and in the deferred changes.

use std::collections::BTreeSet;

use super::Maintain;
use super::checkpoint::{Fold, Folded};
use crate::local::state::Table;
use crate::model::Error;
use crate::model::format::Record;
use crate::model::{DeferredChange, LogCost, LogPosition, SyncedVersion};

const STEP: usize = 500;

impl Maintain<'_> {
    /// Writes a snapshot of what the log holds up to the position. No pull may be under way: else the
    /// index has versions of entries after it (rule P9).
    pub(in crate::sync) async fn snapshot_of_state(
        &self,
        position: &mut LogPosition,
        may: BTreeSet<String>,
    ) -> Result<(), Error> {
        let Some(genesis) = position.genesis else { return Ok(()) };
        let (fold, joined) = (self.state(position).await?, position.crossed.clone());
        let folded = Folded { fold, genesis, log: 0, may, joined };
        self.write_snapshot(position, folded, Vec::new()).await?;
        let log = LogCost { snapshot: position.version, ..LogCost::default() };
        self.remember(position, log).await
    }

    /// The last version of each document: the synced one, but for a later one that waits. Copies of the
    /// bytes are left out: `docs/` has them.
    async fn state(&self, position: &LogPosition) -> Result<Fold, Error> {
        let sync_state = &self.cx.client.sync_state;
        let (mut fold, seq) = (Fold::new(), position.version);
        for table in [Table::Index, Table::Tombstones] {
            let mut pages = sync_state.pages::<SyncedVersion>(table, STEP);
            while let Some(page) = pages.next().await? {
                let records =
                    page.into_iter().map(|(id, version)| (id.to_key(), record(version, seq)));
                fold.extend(records);
            }
        }
        let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            for (id, deferred) in page {
                match deferred.change {
                    Some(change) => drop(fold.insert(id.to_key(), Record::of(&change, seq))),
                    None => drop(fold.remove(&id.to_key())),
                }
            }
        }
        Ok(fold)
    }
}

fn record(version: SyncedVersion, seq: u64) -> Record {
    let SyncedVersion { vid, rev, hash, len, deleted, attr, .. } = version;
    let (deleted, body) = (deleted.then_some(seq), None);
    // The index also names edits of versions in other storages. A later version in
    // this log need not contain them (rule T1).
    Record { vid, rev, len, hash, deleted, body, seen: None, attr, other: Default::default() }
}
