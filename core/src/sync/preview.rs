//! What a sync would do, without doing it.

use std::collections::{BTreeMap, HashMap, HashSet};

use futures::StreamExt;
use serde::Serialize;

use super::Session;
use super::compare::database_error;
use super::tail::diverged;
use crate::client::Inner;
use crate::format::{Change, Slot, Snapshot};
use crate::ledger::{Dirty, Indexed, Pending, Position};
use crate::state::Table;
use crate::{Action, ChangeTracking, DocumentId, Error, Listed};

/// What a sync would do; made by [`Client::preview`](crate::Client::preview).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Preview {
    /// Documents that would be written here.
    pub pull: Vec<DocumentId>,
    /// Documents that would be deleted here.
    pub delete: Vec<DocumentId>,
    /// Documents that would be put into the storage.
    pub push: Vec<DocumentId>,
    /// Documents that would be deleted in the storage.
    pub push_deletes: Vec<DocumentId>,
    /// Documents changed on both sides; those that turn out equal are no conflict.
    pub conflicts: Vec<DocumentId>,
}

type Remote = BTreeMap<DocumentId, Change>;

impl Session<'_> {
    /// Reads the log and compares the documents; writes nothing anywhere.
    pub(crate) async fn preview(client: &Inner) -> Result<Preview, Error> {
        let position = client.ledger.metadata_read().await?;
        let mut remote = remote_changes(client, &position).await?;
        let local = local_edits(client).await?;
        let mut preview = Preview::default();
        for (id, deleted) in local {
            match (remote.remove(&id), deleted) {
                (Some(change), true) if change.action == Action::Delete => {}
                (Some(_), _) => preview.conflicts.push(id),
                (None, true) => preview.push_deletes.push(id),
                (None, false) => preview.push.push(id),
            }
        }
        for (id, change) in remote {
            match change.action {
                Action::Put => preview.pull.push(id),
                Action::Delete => preview.delete.push(id),
            }
        }
        Ok(preview)
    }
}

/// Changes that are not applied here: pending, in the newest snapshot, and in the log after it.
async fn remote_changes(client: &Inner, position: &Position) -> Result<Remote, Error> {
    let mut remote = Remote::new();
    let pending: Vec<(DocumentId, Pending)> =
        client.ledger.page(Table::Pending, None, usize::MAX >> 1).await?;
    remote.extend(pending.into_iter().filter_map(|(id, p)| Some((id, p.change?))));
    let (mut next, mut anchor) = (position.version + 1, position.anchor);
    if position.version > 0 {
        // Rule P3, as a sync that pushes does it.
        let slot = client.server.changes_read(position.version).await?;
        if slot.is_none_or(|(slot, _)| Some(slot.commit()) != anchor) {
            return Err(diverged(position, "the entry this client read last is not there"));
        }
    } else if let Some(snapshot) = client.server.hinted_snapshot().await? {
        read_snapshot(client, &snapshot, &mut remote).await?;
        (next, anchor) = (snapshot.seq + 1, Some(snapshot.commit));
    }
    while let Some((slot, _)) = client.server.changes_read(next).await? {
        if slot.prev() != anchor {
            return Err(diverged(position, "an entry does not continue the log"));
        }
        anchor = Some(slot.commit());
        if let Slot::Entry(entry) = slot {
            remote.extend(entry.changes.into_iter().map(|c| (c.id.clone(), c)));
        }
        next += 1;
    }
    let ids: Vec<_> = remote.keys().cloned().collect();
    let indexed = client.ledger.indexed(&ids).await?;
    remote.retain(|id, change| {
        let known = indexed.get(id);
        let gone = change.action == Action::Delete && known.is_none_or(|i| i.deleted);
        !gone && known.is_none_or(|i| i.vid != change.vid)
    });
    Ok(remote)
}

async fn read_snapshot(
    client: &Inner,
    snapshot: &Snapshot,
    remote: &mut Remote,
) -> Result<(), Error> {
    for name in &snapshot.parts {
        let part = client.server.snapshot_part(name).await?;
        for (key, record) in part.unwrap_or_default().documents {
            if let Some(id) = DocumentId::from_key(&key) {
                remote.insert(id.clone(), record.into_change(id));
            }
        }
    }
    Ok(())
}

/// Documents that differ from the index, and whether each was deleted.
async fn local_edits(client: &Inner) -> Result<BTreeMap<DocumentId, bool>, Error> {
    let dirty: Vec<(DocumentId, Dirty)> =
        client.ledger.page(Table::Dirty, None, usize::MAX >> 1).await?;
    let mut suspects: HashSet<DocumentId> = dirty.into_iter().map(|(id, _)| id).collect();
    if client.database.tracking() == ChangeTracking::Scanned {
        let indexed: Vec<(DocumentId, Indexed)> =
            client.ledger.page(Table::Index, None, usize::MAX >> 1).await?;
        let mut indexed: HashMap<_, _> = indexed.into_iter().collect();
        let mut listed = client.database.list();
        while let Some(item) = listed.next().await {
            let Listed { id, revision } = item.map_err(|e| database_error("list", e))?;
            let known = indexed.remove(&id);
            if revision.is_ok_and(|revision| known.is_none_or(|i| Some(i.rev) != revision)) {
                suspects.insert(id);
            }
        }
        suspects.extend(indexed.into_keys());
    }
    let ids: Vec<_> = suspects.into_iter().collect();
    let indexed = client.ledger.indexed(&ids).await?;
    let revisions = client.database.revisions(&ids).await;
    let mut edits = BTreeMap::new();
    for (id, revision) in ids.into_iter().zip(revisions) {
        let version = indexed.get(&id).and_then(Indexed::live_rev);
        match revision {
            Ok(revision) if revision.as_ref() != version => {
                edits.insert(id, revision.is_none());
            }
            _ => {}
        }
    }
    Ok(edits)
}
