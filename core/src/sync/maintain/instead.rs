//! What a client does without rule K1 or without rule K2: more than a line, so it is kept out of
//! the way.

use super::Maintain;
use super::checkpoint::Fold;
use crate::model::LogPosition;
use crate::model::format::Record;
use crate::model::{DocumentId, Error, Key};
use crate::planted::{Rule, holds};

impl Maintain<'_> {
    /// Without rule K1: what a snapshot says of these documents is what this client's index says,
    /// though some changes may be pending.
    pub(super) async fn or_fold_of_index(&self, fold: Fold, seq: u64) -> Result<Fold, Error> {
        if holds(Rule::K1) {
            return Ok(fold);
        }
        let ids: Vec<_> = fold.keys().filter_map(|key| DocumentId::from_key(key)).collect();
        let indexed = self.cx.client.sync_state.indexed(&ids).await?;
        let record = |(id, version): (DocumentId, crate::model::SyncedVersion)| {
            (id.to_key(), Record::of(&version.as_change(&id), seq))
        };
        Ok(indexed.into_iter().map(record).collect())
    }

    /// Without rule K2: the slots before the last one that a new snapshot covers are freed.
    pub(super) async fn or_free_slots(&self, position: &LogPosition) -> Result<(), Error> {
        if holds(Rule::K2) {
            return Ok(());
        }
        let slots: Vec<_> = (1..position.version).map(Key::change).collect();
        self.cx.client.storage.delete_many(&slots).await.into_iter().collect()
    }
}
