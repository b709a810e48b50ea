//! What a sync would do, without doing it: the same reader, the same decisions, and no write.

mod selected;

use std::collections::{BTreeMap, HashMap};

use futures::StreamExt;
use serde::Serialize;

use super::Session;
use super::context::Context;
use super::pull::{IndexCursor, LogPage, LogReader, Pull, STEP, Waiting};
use super::scan::database_error;
use crate::local::state::Table;
use crate::local::{ChangeTracking, Listed};
use crate::model::format::Snapshot;
use crate::model::{Action, DocumentId, Error};
use crate::model::{DeferredChange, LogPosition, QueuedEdit, SyncedVersion};
use crate::protocol::{Decision, RemoteChange};
use crate::sync::{Purpose, Shared, SyncOptions};
use selected::Selected;

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
    /// Documents about which the application would be asked.
    pub conflicts: Vec<DocumentId>,
    /// How many documents of the storage are excluded on this device.
    pub excluded: u64,
}

/// Documents that a sync would decide about, with the remote change, if there is one.
type Suspects = BTreeMap<DocumentId, Option<DeferredChange>>;

impl Session<'_> {
    /// Reads the log and compares the documents; writes nothing anywhere.
    pub(crate) async fn preview(client: &Shared) -> Result<Preview, Error> {
        let cx = Context::new(client, SyncOptions::default(), Purpose::Preview);
        Reader { cx: &cx, pull: Pull::new(&cx) }.preview().await
    }
}

/// Reads what a sync reads.
struct Reader<'a> {
    cx: &'a Context<'a>,
    pull: Pull<'a>,
}

impl Reader<'_> {
    async fn preview(&self) -> Result<Preview, Error> {
        let client = self.cx.client;
        let (mut position, looked) = self.cx.enter(None).await?;
        looked?;
        let mut edits = self.unqueued_edits().await?;
        let (mut suspects, mut selected) = self.deferred_changes(&mut edits).await?;
        for (id, change) in self.remote_changes(&mut position).await? {
            if self.cx.excludes(&id) {
                selected.note(&change);
                continue;
            }
            let ids = std::slice::from_ref(&id);
            let synced = client.sync_state.indexed(ids).await?.remove(&id);
            let synced = selected.versions.get(&id).cloned().or(synced);
            let before = suspects.remove(&id).flatten();
            let joined = change.join(before.as_ref(), synced.as_ref(), position.branch());
            suspects.insert(id, Some(joined));
        }
        let mut pages = client.sync_state.pages::<QueuedEdit>(Table::Dirty, STEP);
        while let Some(page) = pages.next().await? {
            for (id, _) in page.into_iter().filter(|(id, _)| !self.cx.excludes(id)) {
                suspects.entry(id).or_default();
            }
        }
        for id in edits.keys() {
            suspects.entry(id.clone()).or_default();
        }
        self.decide_about(&position, suspects, edits, selected).await
    }

    async fn decide_about(
        &self,
        position: &LogPosition,
        suspects: Suspects,
        edits: HashMap<DocumentId, QueuedEdit>,
        Selected { versions, excluded }: Selected,
    ) -> Result<Preview, Error> {
        let mut preview = Preview { excluded: excluded.len() as u64, ..Preview::default() };
        let absent =
            |(id, pending): (_, Option<_>)| (id, pending.unwrap_or_else(DeferredChange::absent));
        let mut suspects = suspects.into_iter().peekable();
        while suspects.peek().is_some() {
            let page: Vec<_> = suspects.by_ref().take(STEP).collect();
            let waiting: Vec<Waiting> = page.iter().cloned().map(absent).collect();
            let known =
                self.pull.look_up(&waiting).await?.with_edits(&edits).with_synced(&versions);
            for (id, remote) in page {
                let remote = remote.as_ref();
                let (decision, _) =
                    self.pull.decide_one(position, &id, remote, &known, true).await?;
                let action = remote.and_then(|remote| Some(remote.change.as_ref()?.action));
                preview.add(id, decision, action);
            }
        }
        Ok(preview)
    }

    /// The newest change of each document after this position, which moves on in memory only.
    async fn remote_changes(
        &self,
        position: &mut LogPosition,
    ) -> Result<BTreeMap<DocumentId, RemoteChange>, Error> {
        self.cx.check_interrupted(position).await?;
        let mut remote: BTreeMap<DocumentId, RemoteChange> = BTreeMap::new();
        let (mut tail, applied) = (LogReader::new(None, self.cx.take_slot()), position.pulled_to());
        loop {
            let (changes, end) = match self.pull.next(position, &mut tail).await? {
                LogPage::End => return Ok(remote),
                // A join is under way.
                LogPage::Break(broken) => {
                    position.crossed.insert(broken);
                    continue;
                }
                LogPage::Entries { entries, end } => {
                    let mut changes = Vec::new();
                    for (entry, _) in entries {
                        position.advance(entry.commit);
                        changes.extend(RemoteChange::of_entry(position.version, entry, applied));
                    }
                    (changes, end)
                }
                LogPage::Snapshot(snapshot) => match self.read_snapshot(position, &snapshot).await?
                {
                    Some(changes) => (changes, false),
                    None => {
                        tail.avoid_snapshots();
                        continue;
                    }
                },
            };
            for change in changes {
                let id = change.change.id.clone();
                let change = match remote.remove(&id) {
                    Some(earlier) => change.after(earlier),
                    None => change,
                };
                remote.insert(id, change);
            }
            if end {
                return Ok(remote);
            }
        }
    }

    /// The difference between a snapshot and the index; `None` if a part is damaged.
    async fn read_snapshot(
        &self,
        position: &mut LogPosition,
        snapshot: &Snapshot,
    ) -> Result<Option<Vec<RemoteChange>>, Error> {
        let (mut changes, mut walk) = (Vec::new(), IndexCursor::default());
        for (k, name) in snapshot.parts.iter().enumerate() {
            let part = self.cx.client.storage.snapshot_part(name).await?;
            let Some(part) = part else { return Ok(None) };
            let until = snapshot.parts.get(k + 1).map(|next| next.from.as_str());
            let range = (name.from.as_str(), until);
            changes.extend(self.pull.changes_of_part(position, part, range, &mut walk).await?);
        }
        position.enter(snapshot, self.cx.client.environment.now());
        let order = (snapshot.seq, 0);
        Ok(Some(changes.into_iter().map(|c| RemoteChange::of_snapshot(c, order)).collect()))
    }

    /// The edits that a scan would queue (rule C4).
    async fn unqueued_edits(&self) -> Result<HashMap<DocumentId, QueuedEdit>, Error> {
        let mut edits = HashMap::new();
        if self.cx.client.database.tracking() == ChangeTracking::Transactional {
            return Ok(edits);
        }
        let mut indexed = HashMap::new();
        let mut pages = self.cx.client.sync_state.pages::<SyncedVersion>(Table::Index, STEP);
        while let Some(page) = pages.next().await? {
            indexed.extend(page.into_iter().filter(|(id, _)| !self.cx.excludes(id)));
        }
        let mut listed = self.cx.client.database.list();
        while let Some(item) = listed.next().await {
            let Listed { id, revision } = item.map_err(|e| database_error("list", e))?;
            if self.cx.excludes(&id) {
                continue;
            }
            let known: Option<SyncedVersion> = indexed.remove(&id);
            let Ok(revision) = revision else { continue };
            if revision.is_none()
                || known.as_ref().map(SyncedVersion::local_rev) != revision.as_ref()
            {
                let synced = self.cx.client.sync_state.indexed(std::slice::from_ref(&id)).await?;
                edits.insert(id.clone(), QueuedEdit::found(synced.get(&id).map(|i| i.vid)));
            }
        }
        // What is missing is queued as a delete, unless it is there and was not listed.
        edits.extend(
            indexed.into_iter().map(|(id, version)| (id, QueuedEdit::on(Some(version.vid)))),
        );
        let ids: Vec<_> = edits.keys().cloned().collect();
        for (id, queued) in self.cx.client.sync_state.dirty(&ids).await? {
            let found = edits.get(&id).is_some_and(|edit| edit.found);
            edits.insert(id, QueuedEdit { found, ..queued });
        }
        Ok(edits)
    }
}

impl Preview {
    fn add(&mut self, id: DocumentId, decision: Decision, remote: Option<Action>) {
        let list = match (decision, remote) {
            (Decision::Write, Some(Action::Delete)) => &mut self.delete,
            (Decision::Write, _) => &mut self.pull,
            (Decision::Push(Action::Put) | Decision::Keep, _) => &mut self.push,
            (Decision::Push(Action::Delete), _) => &mut self.push_deletes,
            (Decision::Conflict, _) => &mut self.conflicts,
            _ => return,
        };
        list.push(id);
    }
}
