//! Rule D3: two branches of one log are joined. What only this device has changed since they parted is
//! pushed on top of the version that the other branch has.

use super::Pull;
use crate::local::{Batch, SyncState};
use crate::model::format::Change;
use crate::model::{DocumentId, Error, LogPosition, QueuedEdit, SyncedVersion, VersionId};
use crate::protocol::Relation;

/// A document whose synced version is another one from now on.
pub(super) struct Moved {
    id: DocumentId,
    /// The version that was synced.
    from: Option<VersionId>,
    /// The version of the storage; `None` if it has no such document.
    version: Option<SyncedVersion>,
    /// It is pushed even if nobody has edited it since: this device has a newer version.
    queues: bool,
}

/// How often the queue is read again because edits come in between.
const TRIES: usize = 100;

impl Moved {
    /// To the version of the other branch, which is alike or older.
    pub(super) fn of(
        position: &LogPosition,
        theirs: &Change,
        synced: &SyncedVersion,
        relation: Relation,
    ) -> Self {
        let queues = relation == Relation::Older;
        // The same bytes have the same revision here.
        let local = synced.local.clone().filter(|_| !queues);
        let version = SyncedVersion { local, ..SyncedVersion::of(theirs, position.generation) };
        Self { id: theirs.id.clone(), from: Some(synced.vid), version: Some(version), queues }
    }

    /// The storage has no such document.
    pub(super) fn to_nothing(id: &DocumentId) -> Self {
        Self { id: id.clone(), from: None, version: None, queues: true }
    }
}

impl Pull<'_> {
    /// Sets the synced versions, and moves queued edits upon them (rule C5).
    pub(super) async fn move_bases(&self, moved: &[Moved]) -> Result<(), Error> {
        if moved.is_empty() {
            return Ok(());
        }
        let sync_state = &self.cx.client.sync_state;
        let ids: Vec<_> = moved.iter().map(|moved| moved.id.clone()).collect();
        let _edits = sync_state.edits().await;
        for _ in 0..TRIES {
            let queue = sync_state.queue(&ids).await?;
            let mut batch = Batch::new();
            for (Moved { id, from, version, queues }, record) in moved.iter().zip(&queue) {
                let base = version.as_ref().map(|version| version.vid);
                let edit = SyncState::queued(record)?;
                let edit = edit.or_else(|| queues.then(|| QueuedEdit::on(base)));
                batch.index(id, version.as_ref());
                // Made on another version than the synced one: it stays apart (rule C3).
                let edit = edit.map(|edit| {
                    let is_upon = from.is_none() || edit.base == *from || edit.base == base;
                    QueuedEdit { base: base.filter(|_| is_upon), found: false, ..edit }
                });
                batch.dirty(id, edit);
                batch.pending(id, None);
            }
            if sync_state.metadata_write_if(queue, batch).await? {
                return Ok(());
            }
        }
        Err(Error::new(crate::ErrorKind::Busy, "sync").with_message(
            "the queue is edited without a pause: sync again when the application is at rest",
        ))
    }
}
