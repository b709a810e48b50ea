//! Rule P2: a client far behind takes the difference between a snapshot and its index.

use std::collections::VecDeque;

use futures::StreamExt;
use futures::stream;

use super::Pull;
use super::Window;
use super::mixed::may_forget;
use crate::local::Batch;
use crate::local::state::Table;
use crate::model::format::{Change, Part, Snapshot};
use crate::model::{Action, DocumentId, Error, ErrorKind, Key};
use crate::model::{LogPosition, SyncedVersion};
use crate::protocol::RemoteChange;

/// Walks through the index in the order of the keys, as the parts of a snapshot do.
#[derive(Default)]
pub(in crate::sync) struct IndexCursor {
    after: Option<DocumentId>,
    page: VecDeque<(DocumentId, SyncedVersion)>,
}

/// The keys that a part holds: at least the first, less than the second.
type Range<'a> = (&'a str, Option<&'a str>);

const STEP: usize = 500;

impl Pull<'_> {
    /// Applies a snapshot part by part and goes on after its last entry. A damaged part leaves the
    /// position where it is; what was applied until then is in the index.
    pub(super) async fn take_snapshot(
        &self,
        position: &mut LogPosition,
        snapshot: Snapshot,
        window: Window,
    ) -> Result<bool, Error> {
        position.set_out(snapshot.seq, snapshot.commit);
        self.cx.client.sync_state.save(position).await?;
        let storage = &self.cx.client.storage;
        let reads: Vec<_> = snapshot.parts.iter().map(|part| storage.snapshot_part(part)).collect();
        let parts = stream::iter(reads).buffered(4).peekable();
        futures::pin_mut!(parts);
        let mut walk = IndexCursor::default();
        for (k, name) in snapshot.parts.iter().enumerate() {
            let Some(part) = parts.next().await.transpose()?.flatten() else { return Ok(false) };
            let until = snapshot.parts.get(k + 1).map(|next| next.from.as_str());
            // What this part lacks counts as deleted only if it is no part of the next one.
            let next_is_damaged = matches!(parts.as_mut().peek().await, Some(Ok(None)));
            if next_is_damaged || !ends_before(&part, until) {
                return Ok(false);
            }
            let changes =
                self.changes_of_part(position, part, (&name.from, until), &mut walk).await?;
            let mut places = 0..;
            let order = |change| {
                RemoteChange::of_snapshot(change, (snapshot.seq, places.next().unwrap_or(u32::MAX)))
            };
            self.take_changes(position, changes.into_iter().map(order).collect(), window).await?;
        }
        if may_forget(position) {
            self.forget_excluded(position.generation, snapshot.seq).await?;
        }
        let mut trail = self.cx.client.sync_state.trail().await?;
        trail.push(snapshot.seq, snapshot.commit);
        position.enter(&snapshot, self.cx.client.environment.now());
        let mut state = Batch::new();
        state.position(position);
        state.trail(&trail);
        self.cx.client.sync_state.metadata_write(state).await?;
        Ok(true)
    }

    /// The difference between the index and a part.
    pub(in crate::sync) async fn changes_of_part(
        &self,
        position: &LogPosition,
        part: Part,
        range: Range<'_>,
        walk: &mut IndexCursor,
    ) -> Result<Vec<Change>, Error> {
        let mut incoming = Vec::with_capacity(part.documents.len());
        // When starting over, absence is judged once the whole log is read (rules D1 and D8).
        if may_forget(position) {
            for (id, indexed) in self.walk(walk, range).await? {
                if !part.documents.contains_key(&id.to_key()) {
                    incoming.push(self.forgotten(id, indexed));
                }
            }
        }
        for (key, record) in part.documents {
            let id = DocumentId::from_key(&key).ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, "read a snapshot")
                    .with_message("a document's key is not an id")
            })?;
            incoming.push(record.into_change(id));
        }
        Ok(incoming)
    }

    /// Live documents of the index in this range; the walk goes on from where it stands.
    async fn walk(
        &self,
        walk: &mut IndexCursor,
        (from, until): Range<'_>,
    ) -> Result<Vec<(DocumentId, SyncedVersion)>, Error> {
        let mut found = Vec::new();
        loop {
            if walk.page.is_empty() {
                let sync_state = &self.cx.client.sync_state;
                walk.page = sync_state.page(Table::Index, walk.after.as_ref(), STEP).await?.into();
                let Some((last, _)) = walk.page.back() else { return Ok(found) };
                walk.after = Some(last.clone());
            }
            while let Some((id, indexed)) = walk.page.pop_front() {
                let key = id.to_key();
                if until.is_some_and(|until| key.as_str() >= until) {
                    walk.page.push_front((id, indexed));
                    return Ok(found);
                }
                // What is below was put into the index by the part before.
                if key.as_str() >= from {
                    found.push((id, indexed));
                }
            }
        }
    }

    /// A document that the snapshot no longer names was deleted so long ago that its tombstone is
    /// gone too. Its delete gets a name of our own.
    pub(super) fn forgotten(&self, id: DocumentId, indexed: SyncedVersion) -> Change {
        Change {
            id,
            rev: indexed.rev,
            action: Action::Delete,
            vid: self.cx.client.environment.random().into(),
            base: Some(indexed.vid),
            len: 0,
            hash: indexed.hash,
            body: None,
            seen: None,
            attr: Default::default(),
            other: Default::default(),
        }
    }
}

/// All documents of a part belong below the next part's first.
fn ends_before(part: &Part, until: Option<&str>) -> bool {
    let last = part.documents.keys().next_back();
    last.is_none_or(|last| until.is_none_or(|until| last.as_str() < until))
}

/// The error of a log that can only be read through a snapshot that cannot be read.
pub(super) fn unreadable(next: u64) -> Error {
    Error::new(ErrorKind::Corrupt, "read").with_key(Key::change(next)).with_message(
        "the entry is damaged or shortened, and no snapshot that holds it can be read: restore the \
         storage from a backup",
    )
}
