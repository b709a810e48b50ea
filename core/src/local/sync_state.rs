//! The records a client keeps (rule C1), typed, above [`StateStore`].

use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

use futures::lock::{Mutex, MutexGuard};
use serde::de::DeserializeOwned;

use super::{Batch, position};
use crate::local::state::{Claim, Sibling, StateError, StateStore, Table, Turn, Update, Written};
use crate::model::format::Change;
use crate::model::{
    Attempt, DeferredChange, GcClock, LastEntry, LogPosition, LostVersions, MakerId, QueuedEdit,
    SyncedVersion, Trail,
};
use crate::model::{DocumentId, Error, ErrorKind};
use crate::planted::{Rule, holds};
use crate::protocol::Lineage;

/// Keys of single records in [`Table::Metadata`].
pub(super) const POSITION: &str = "position";
pub(super) const ATTEMPT: &str = "attempt";
pub(super) const GC_CLOCK: &str = "gc-clock";
pub(super) const LAST_ENTRY: &str = "last-entry";
pub(super) const TRAIL: &str = "trail";
pub(super) const MAKER: &str = "maker";
pub(super) const LOST: &str = "lost";
pub(super) const SELECTION: &str = "selection";

/// Typed access to the state of one client at one remote.
pub(crate) struct SyncState {
    state: Arc<dyn StateStore>,
    /// Held while a record is read, decided upon and written: by `queue_change` and by every step
    /// of a sync that clears or moves a queued edit.
    edits: Mutex<()>,
}

pub(crate) type Edits<'a> = Option<MutexGuard<'a, ()>>;

/// The other storages of a database.
#[derive(Default)]
pub(crate) struct Elsewhere {
    /// Whether there are any.
    pub are_several: bool,
    /// The last synced versions of some documents.
    versions: HashMap<DocumentId, Vec<SyncedVersion>>,
}

impl Elsewhere {
    /// The versions of a document that they had last.
    pub(crate) fn of(&self, id: &DocumentId) -> &[SyncedVersion] {
        self.versions.get(id).map(Vec::as_slice).unwrap_or_default()
    }

    /// The storages of this database, with what this one had.
    pub(crate) fn lineage<'a>(
        &'a self,
        id: &DocumentId,
        here: Option<&'a SyncedVersion>,
    ) -> Lineage<'a> {
        Lineage { here, elsewhere: self.of(id), are_several: self.are_several }
    }
}

impl SyncState {
    pub(crate) fn new(state: Arc<dyn StateStore>) -> Self {
        Self { state, edits: Mutex::new(()) }
    }

    /// One sync at a time (rule C2).
    pub(crate) async fn claim(&self) -> Result<Claim, Error> {
        self.state.claim().await.map_err(|e| error("claim the client state", e))
    }

    /// Where this state lies, unlike a copy of it.
    pub(crate) fn place(&self) -> Option<String> {
        self.state.place()
    }

    /// While it lives, no edit is queued (rule C5).
    pub(crate) async fn edits(&self) -> Edits<'_> {
        let edits = self.edits.lock().await;
        holds(Rule::Edits).then_some(edits)
    }

    /// MetadataRead of the client: where it is in the log.
    pub(crate) async fn metadata_read(&self) -> Result<LogPosition, Error> {
        let value = self.value(POSITION).await?;
        value.map_or_else(|| Ok(LogPosition::default()), |value| position::read(&value))
    }

    /// MetadataWrite of the client, and of everything else in the batch, in one step.
    pub(crate) async fn metadata_write(&self, batch: Batch) -> Result<(), Error> {
        self.metadata_write_if(Vec::new(), batch).await.map(drop)
    }

    /// The same, if these records are as expected; answers whether they were.
    pub(crate) async fn metadata_write_if(
        &self,
        expected: Vec<Update>,
        batch: Batch,
    ) -> Result<bool, Error> {
        if batch.is_empty() {
            return Ok(true);
        }
        let written = self.state.write(expected, batch.into_updates()?).await;
        Ok(written.map_err(|e| error("write client state", e))? == Written::Done)
    }

    /// The queue's records of these documents, as they are now.
    pub(crate) async fn queue(&self, ids: &[DocumentId]) -> Result<Vec<Update>, Error> {
        let keys: Vec<_> = ids.iter().map(DocumentId::to_key).collect();
        let values = self.state.read(Table::Dirty, &keys).await;
        let values = values.map_err(|e| error("read client state", e))?;
        let record = |(key, value)| Update { table: Table::Dirty, key, value };
        Ok(keys.into_iter().zip(values).map(record).collect())
    }

    /// What a record of the queue says.
    pub(crate) fn queued(record: &Update) -> Result<Option<QueuedEdit>, Error> {
        record.value.as_deref().map(|value| parse(Table::Dirty, value)).transpose()
    }

    /// MetadataWrite of the client's place in the log alone.
    pub(crate) async fn save(&self, position: &LogPosition) -> Result<(), Error> {
        let mut batch = Batch::new();
        batch.position(position);
        self.metadata_write(batch).await
    }

    /// Whether any edit is queued.
    pub(crate) async fn is_any_queued(&self) -> Result<bool, Error> {
        Ok(!self.is_empty(Table::Dirty).await?)
    }

    pub(crate) async fn is_empty(&self, table: Table) -> Result<bool, Error> {
        Ok(self.raw_page(table, None, 1).await?.is_empty())
    }

    pub(crate) async fn attempt(&self) -> Result<Option<Attempt>, Error> {
        self.single(ATTEMPT).await
    }

    /// Commits of the log that were read or made here; none in a state of an earlier release.
    pub(crate) async fn trail(&self) -> Result<Trail, Error> {
        Ok(self.single(TRAIL).await?.unwrap_or_default())
    }

    /// The states of other storages in the same place, with where each of them is in its log.
    pub(crate) async fn siblings(&self) -> Result<Vec<(Sibling, LogPosition)>, Error> {
        let siblings = self.state.siblings(POSITION).await;
        let siblings = siblings.map_err(|e| error("read client state", e))?;
        let mut found = Vec::with_capacity(siblings.len());
        for (sibling, position) in siblings {
            if let Some(position) = position {
                found.push((sibling, position::read(&position)?));
            }
        }
        Ok(found)
    }

    /// From now on this is another state; `false` if there is room for one only. The claim of the state
    /// before does not count any more.
    pub(crate) async fn turn_to(&self, turn: Turn) -> Result<bool, Error> {
        // An edit is queued in the state whose index gave its base.
        let _edits = self.edits().await;
        self.state.turn_to(turn).await.map_err(|e| error("turn to another state", e))
    }

    /// Gives this address a copy of its own, if the state is used at several; says whether it was. The
    /// claim then no longer counts.
    pub(crate) async fn keep_apart(&self) -> Result<bool, Error> {
        let _edits = self.edits().await;
        self.state.keep_apart().await.map_err(|e| error("copy client state", e))
    }

    pub(crate) async fn last_entry(&self) -> Result<Option<LastEntry>, Error> {
        self.single(LAST_ENTRY).await
    }

    /// Versions whose bytes were given up for lost (rule D7).
    pub(crate) async fn lost(&self) -> Result<LostVersions, Error> {
        Ok(self.single(LOST).await?.unwrap_or_default())
    }

    /// The mark of the selection by which the documents are in the index or set aside (rule C8); `None`: all
    /// are in the index, `Some(None)`: they were on the way from one selection to another one.
    pub(crate) async fn selection(&self) -> Result<Option<Option<String>>, Error> {
        self.single(SELECTION).await
    }

    pub(crate) async fn gc_clock(&self) -> Result<GcClock, Error> {
        Ok(self.single(GC_CLOCK).await?.unwrap_or_default())
    }

    /// The last synced version of each id, deleted ones among them.
    pub(crate) async fn indexed(
        &self,
        ids: &[DocumentId],
    ) -> Result<HashMap<DocumentId, SyncedVersion>, Error> {
        let mut found = self.many(Table::Index, ids).await?;
        let others: Vec<_> = ids.iter().filter(|id| !found.contains_key(*id)).cloned().collect();
        if !others.is_empty() {
            found.extend(self.many(Table::Tombstones, &others).await?);
        }
        Ok(found)
    }

    /// What the other storages of this database had of these documents (rule T2).
    pub(crate) async fn elsewhere(&self, ids: &[DocumentId]) -> Result<Elsewhere, Error> {
        let keys: Vec<_> = ids.iter().map(DocumentId::to_key).collect();
        let mut found = Elsewhere::default();
        for table in [Table::Index, Table::Tombstones] {
            let siblings = self.state.read_siblings(table, &keys).await;
            let siblings = siblings.map_err(|e| error("read client state", e))?;
            found.are_several = !siblings.is_empty();
            if !found.are_several {
                break;
            }
            for values in siblings {
                for (id, value) in ids.iter().zip(values) {
                    if let Some(value) = value {
                        let versions = found.versions.entry(id.clone()).or_default();
                        versions.push(parse(table, &value)?);
                    }
                }
            }
        }
        Ok(found)
    }

    /// The name under which this state makes edits (rule T1); `random` becomes it, if it has none yet.
    pub(crate) async fn maker(&self, random: u128) -> Result<MakerId, Error> {
        if let Some(maker) = self.single(MAKER).await? {
            return Ok(maker);
        }
        let maker = MakerId::from(u64::try_from(random >> 64).unwrap_or_default());
        let mut batch = Batch::new();
        batch.maker(maker);
        self.metadata_write(batch).await?;
        Ok(maker)
    }

    pub(crate) async fn dirty(
        &self,
        ids: &[DocumentId],
    ) -> Result<HashMap<DocumentId, QueuedEdit>, Error> {
        self.many(Table::Dirty, ids).await
    }

    pub(crate) async fn pending(
        &self,
        ids: &[DocumentId],
    ) -> Result<HashMap<DocumentId, DeferredChange>, Error> {
        self.many(Table::Pending, ids).await
    }

    pub(crate) async fn gc_seen(&self, keys: &[String]) -> Result<Vec<Option<u64>>, Error> {
        let values = self.state.read(Table::GcSeen, keys).await;
        let values = values.map_err(|e| error("read client state", e))?;
        values.into_iter().map(|v| v.map(|v| parse(Table::GcSeen, &v)).transpose()).collect()
    }

    pub(crate) async fn count(&self, table: Table) -> Result<u64, Error> {
        self.state.count(table).await.map_err(|e| error("read client state", e))
    }

    /// All records of a table whose keys are document ids, page by page.
    pub(crate) fn pages<T>(&self, table: Table, size: usize) -> Pages<'_, T> {
        Pages { sync_state: self, table, size, after: None, records: PhantomData }
    }

    /// A page of a table by document id.
    pub(crate) async fn page<T: DeserializeOwned>(
        &self,
        table: Table,
        after: Option<&DocumentId>,
        limit: usize,
    ) -> Result<Vec<(DocumentId, T)>, Error> {
        let after = after.map(DocumentId::to_key);
        let rows = self.raw_page(table, after.as_deref(), limit).await?;
        let typed = |(key, value): (String, Vec<u8>)| {
            let id = DocumentId::from_key(&key).ok_or_else(|| damaged(table))?;
            Ok((id, parse(table, &value)?))
        };
        rows.into_iter().map(typed).collect()
    }

    /// A page of a table whose keys are not document ids.
    pub(crate) async fn raw_page(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, Error> {
        self.state.scan(table, after, limit).await.map_err(|e| error("read client state", e))
    }

    /// Writes that were under way when the client stopped (rule P8).
    pub(crate) async fn intents(&self, limit: usize) -> Result<Vec<(DocumentId, Change)>, Error> {
        self.page(Table::Intents, None, limit).await
    }

    async fn single<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        self.value(key).await?.map(|value| parse(Table::Metadata, &value)).transpose()
    }

    async fn value(&self, key: &str) -> Result<Option<Vec<u8>>, Error> {
        let values = self.state.read(Table::Metadata, &[key.to_owned()]).await;
        let values = values.map_err(|e| error("read client state", e))?;
        Ok(values.into_iter().flatten().next())
    }

    async fn many<T: DeserializeOwned>(
        &self,
        table: Table,
        ids: &[DocumentId],
    ) -> Result<HashMap<DocumentId, T>, Error> {
        let keys: Vec<_> = ids.iter().map(DocumentId::to_key).collect();
        let values = self.state.read(table, &keys).await;
        let values = values.map_err(|e| error("read client state", e))?;
        let mut found = HashMap::new();
        for (id, value) in ids.iter().zip(values) {
            if let Some(value) = value {
                found.insert(id.clone(), parse(table, &value)?);
            }
        }
        Ok(found)
    }
}

/// A walk through a table. Records that are written behind it are not met, those before it are.
pub(crate) struct Pages<'a, T> {
    sync_state: &'a SyncState,
    table: Table,
    size: usize,
    after: Option<DocumentId>,
    records: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Pages<'_, T> {
    /// The next records, never none; `None` at the end.
    pub(crate) async fn next(&mut self) -> Result<Option<Vec<(DocumentId, T)>>, Error> {
        let page = self.sync_state.page(self.table, self.after.as_ref(), self.size).await?;
        let Some((last, _)) = page.last() else { return Ok(None) };
        self.after = Some(last.clone());
        Ok(Some(page))
    }
}

pub(crate) fn error(operation: &'static str, e: StateError) -> Error {
    Error::new(e.kind(), operation).with_source(e)
}

pub(crate) fn parse<T: DeserializeOwned>(table: Table, value: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(value).map_err(|_| damaged(table))
}

fn damaged(table: Table) -> Error {
    Error::new(ErrorKind::State, "read client state").with_key(table.name()).with_message(
        "a record is damaged: restore the state from a backup, or delete it to start anew (no \
         document is lost by that)",
    )
}
