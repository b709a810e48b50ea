//! What a sync would do first if the selection is another one than at the last sync (rules C8 and C9).

use std::collections::{BTreeSet, HashMap};

use super::{Reader, Suspects};
use crate::local::state::Table;
use crate::model::{
    Action, DeferredChange, DocumentId, Error, QueuedEdit, Revision, SyncedVersion,
};
use crate::protocol::{Included, Local, RemoteChange, include};
use crate::sync::pull::{STEP, Waiting};

/// What is known otherwise than the client state says.
#[derive(Default)]
pub(super) struct Selected {
    /// Synced versions of documents that are included again.
    pub versions: HashMap<DocumentId, SyncedVersion>,
    /// Documents of the storage that are excluded.
    pub excluded: BTreeSet<DocumentId>,
}

impl Selected {
    /// A change of an excluded document.
    pub(super) fn note(&mut self, change: &RemoteChange) {
        let id = &change.change.id;
        match change.change.action {
            Action::Put => self.excluded.insert(id.clone()),
            Action::Delete => self.excluded.remove(id),
        };
    }
}

impl Reader<'_> {
    /// Changes that an earlier sync deferred, and what waits of documents that are included again.
    pub(super) async fn deferred_changes(
        &self,
        edits: &mut HashMap<DocumentId, QueuedEdit>,
    ) -> Result<(Suspects, Selected), Error> {
        let (mut found, mut selected) = (Suspects::new(), Selected::default());
        let sync_state = &self.cx.client.sync_state;
        let mut pages = sync_state.pages::<SyncedVersion>(Table::Index, STEP);
        while let Some(page) = pages.next().await? {
            let ids = page.into_iter().map(|(id, _)| id);
            selected.excluded.extend(ids.filter(|id| self.cx.excludes(id)));
        }
        let mut pages = sync_state.pages::<DeferredChange>(Table::Pending, STEP);
        while let Some(page) = pages.next().await? {
            let mut again = Vec::new();
            for (id, pending) in page {
                let is_put = pending.change.as_ref().is_some_and(|c| c.action == Action::Put);
                match (self.cx.excludes(&id), &pending.set_aside) {
                    (true, _) if is_put => drop(selected.excluded.insert(id)),
                    (true, _) => drop(selected.excluded.remove(&id)),
                    (false, Some(_)) => again.push((id, pending)),
                    (false, None) => drop(found.insert(id, Some(pending))),
                }
            }
            self.include(again, &mut found, &mut selected, edits).await?;
        }
        Ok((found, selected))
    }

    async fn include(
        &self,
        again: Vec<Waiting>,
        found: &mut Suspects,
        selected: &mut Selected,
        edits: &mut HashMap<DocumentId, QueuedEdit>,
    ) -> Result<(), Error> {
        let ids: Vec<_> = again.iter().map(|(id, _)| id.clone()).collect();
        let sync_state = &self.cx.client.sync_state;
        let (queue, deleted) = (sync_state.dirty(&ids).await?, sync_state.indexed(&ids).await?);
        let revisions = self.cx.client.database.revisions(&ids).await;
        for ((id, record), revision) in again.into_iter().zip(revisions) {
            let local = match &revision {
                Ok(Some(revision)) => Local::Revision(revision),
                Ok(None) => Local::Absent,
                Err(_) => Local::Unreadable,
            };
            let deleted = deleted.get(&id).map(|version| version.vid);
            let Included { version, change, edit } =
                include(record, local, queue.get(&id).copied(), deleted);
            let edit = edit.or_else(|| edit_of(version.as_ref(), &revision));
            match (edit, local) {
                (Some(edit), _) => drop(edits.insert(id.clone(), edit)),
                // What a comparison says of a document that was not synced stays.
                (None, Local::Revision(_)) if version.is_none() => {}
                (None, _) => drop(edits.remove(&id)),
            }
            if let Some(change) = change {
                found.insert(id.clone(), Some(change));
            }
            selected.versions.extend(version.map(|version| (id, version)));
        }
        Ok(())
    }
}

/// The edit that a comparison finds of a document that is included again.
fn edit_of<E>(
    version: Option<&SyncedVersion>,
    revision: &Result<Option<Revision>, E>,
) -> Option<QueuedEdit> {
    let (version, revision) = version.zip(revision.as_ref().ok()?.as_ref())?;
    (revision != version.local_rev()).then(|| QueuedEdit::found(Some(version.vid)))
}
