//! The database itself.

use std::any::Any;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use async_trait::async_trait;
use db_to_cloud::{
    BoxError, ChangeTracking, Database, Document, DocumentId, Joined, Listed, Missing, Outcome,
    Revision, Write,
};
use futures::StreamExt;
use futures::stream::{self, BoxStream};
use tokio::sync::Mutex;

use crate::attach::{self, Look};
use crate::batch;
use crate::builder::SqliteDatabaseBuilder;
use crate::connections::{Connections, Open, Stored};
use crate::error::SqliteError;
use crate::joined::{Along, RowsAndRecords};
use crate::list::{self, Place};
use crate::read::{Unread, read_some};
use crate::state::SqliteState;
use crate::table::Table;
use crate::{addresses, epoch, extra, join, missing, schema};

/// Tables of an application's SQLite database, whose rows are the documents; shared by its clones.
///
/// # Guarantees
/// - Every insert, update and delete of a row is queued in its own transaction by triggers, whoever
///   makes it: this application, another one, or the `sqlite3` shell. None is ever unqueued, unless
///   triggers are switched off or dropped; dropped ones are made again before the next sync, and
///   then all rows are compared.
/// - A write of a sync is made only if the row is what was compared, and does not count as an edit, but for
///   another storage that the same tables are synced with. A deleted row that comes back does count.
/// - No trigger of the application changes a row of a synced table while a sync writes; in other tables
///   triggers work as ever.
/// - A batch of writes is one transaction, whatever their order: if the database can hold the state
///   to which they lead, they are made. A row that breaks a constraint is set aside alone, with
///   those that depend on it.
/// - No foreign key changes a row of a synced table. A delete of a row that others refer to is blocked,
///   or answered as done while the row stays as one that was made anew on this device, so that it comes
///   back on the others.
/// - Values are exact, see [`Table`]: a document is given back to the byte, if need be from beside its
///   row, so that no write is [`DoneAs`](db_to_cloud::Outcome::DoneAs) another one. What a document has and the table lacks is kept and goes on
///   with the next edit; what the table has and the document lacks gets its default. A document of a
///   table that does not exist here is held until it does, see [`held`](Self::held).
/// - The journal mode, the marks and the schema of the application stay as they are.
///
/// # Not guaranteed
/// - In WAL mode a sync writes with `synchronous=NORMAL`: after a power cut the file may be as it was
///   some moments before, rows and client state together, as after restoring a backup. The next
///   sync brings back what was pulled. Edits of the application are as durable as it chose.
/// - What programs write with `PRAGMA writable_schema`, or after dropping the triggers, until the
///   next sync.
///
/// Its methods need a tokio runtime, except those that are not `async`, which block for milliseconds.
#[derive(Clone, Debug)]
pub struct SqliteDatabase(pub(crate) Arc<Shared>);

#[derive(Debug)]
pub(crate) struct Shared {
    pub path: PathBuf,
    pub tables: Vec<Table>,
    pub foreign_keys: bool,
    /// Whether nothing is written into the file.
    pub is_look: bool,
    pub open: Arc<Mutex<Stored>>,
    /// Whether the database has no file.
    pub is_in_memory: bool,
}

/// Differs from one sync to the next, in this process and between processes.
pub(crate) fn number_of_sync() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(0) ^ i64::from(std::process::id())
}

impl Open<'_> {
    /// Looks again if the schema changed since.
    fn refresh(&mut self, shared: &Shared) -> Result<(), SqliteError> {
        let path = &shared.path;
        let failed = |source| SqliteError::Sqlite { operation: "open", path: path.into(), source };
        if attach::version(self.connection).map_err(failed)? == self.shapes.version {
            return Ok(());
        }
        let look = if shared.is_look { Look::Only } else { Look::Again };
        *self.shapes = attach::attach(self.connection, path, &shared.tables, look, self.is_lent)?;
        if shared.is_look { Ok(()) } else { self.settle(shared.foreign_keys).map_err(failed) }
    }

    /// The number of the remote to which an address leads, with which the opened tables are synced.
    pub(crate) fn join(&mut self, address: &str) -> rusqlite::Result<i64> {
        let remote = addresses::register(self.connection, address)?;
        join::join(self.connection, self.shapes, remote)?;
        Ok(remote)
    }

    /// Tables may have come for documents that were held.
    pub(crate) fn settle(&mut self, foreign_keys: bool) -> rusqlite::Result<()> {
        batch::settle_held(self, foreign_keys)
    }
}

impl SqliteDatabase {
    /// Opens tables of a database: see [`SqliteDatabaseBuilder::open`].
    pub fn builder(path: impl Into<PathBuf>) -> SqliteDatabaseBuilder {
        let path = path.into();
        // The real path: a second way to the same file must find the same lock.
        let path = path.canonicalize().unwrap_or(path);
        SqliteDatabaseBuilder { path, tables: Vec::new(), foreign_keys: true }
    }

    /// Opens tables by their names.
    ///
    /// # Errors
    /// As [`SqliteDatabaseBuilder::open`].
    pub fn open<T: Into<Table>>(
        path: impl Into<PathBuf>,
        tables: impl IntoIterator<Item = T>,
    ) -> Result<Self, SqliteError> {
        tables.into_iter().fold(Self::builder(path), SqliteDatabaseBuilder::with_table).open()
    }

    /// Opens tables on connections of the application instead of one of our own: so that encrypted databases,
    /// those in memory and those that are locked exclusively can be synced, and tables that need functions or
    /// collations which the application registers. See [`Connections`].
    ///
    /// A sync uses them for some ten milliseconds at a time, in transactions of its own.
    ///
    /// # Errors
    /// As [`SqliteDatabaseBuilder::open`], and [`SqliteError::Lent`] if there is no connection, or it is in a
    /// transaction.
    ///
    /// ```
    /// use std::sync::{Arc, Mutex};
    /// use db_to_cloud_sqlite::{SqliteDatabase, rusqlite::Connection};
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let connection = Connection::open_in_memory()?;
    /// connection.execute_batch("CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)")?;
    /// let database = SqliteDatabase::on(Arc::new(Mutex::new(connection)), ["notes"])?;
    /// # Ok(())
    /// # }
    /// ```
    pub fn on<T: Into<Table>>(
        connections: impl Connections + 'static,
        tables: impl IntoIterator<Item = T>,
    ) -> Result<Self, SqliteError> {
        let builder = tables.into_iter().fold(Self::builder(""), SqliteDatabaseBuilder::with_table);
        builder.open_on_connections(connections)
    }

    /// Whether it has no file.
    pub(crate) fn is_in_memory(&self) -> bool {
        self.0.is_in_memory
    }

    /// The client state for a remote, in the same file: a backup of the database has both. The first
    /// time all rows are queued for the remote. It waits for what the database is doing.
    ///
    /// # Errors
    /// If the file cannot be read or written.
    pub async fn state(&self, remote: &str) -> Result<SqliteState, SqliteError> {
        let address: Arc<str> = remote.into();
        let name = address.clone();
        let join = move |open: &mut Open<'_>| open.join(&name);
        let remote = self.run("open", join).await?.map_err(|source| self.failed("open", source))?;
        let (open, path) = (self.0.open.clone(), &self.0.path);
        Ok(SqliteState::of_tables(self.clone(), open, path, address, remote))
    }

    /// Documents that are kept without a row: their table does not exist on this device, or a row
    /// that they refer to has not come. They become rows as soon as that is possible.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn held(&self) -> Result<Vec<DocumentId>, SqliteError> {
        let failed = |source| self.failed("read", source);
        self.run("read", |open| extra::held(open.connection)).await?.map_err(failed)
    }

    /// Those of the [held](Self::held) documents that wait for a row to which they refer. Such a row that
    /// never comes is missing on the device that wrote them, too.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn held_for_others(&self) -> Result<Vec<DocumentId>, SqliteError> {
        let failed = |source| self.failed("read", source);
        self.run("read", |open| extra::held_for_others(open.connection)).await?.map_err(failed)
    }

    /// Tables that cannot be synced now, in lower case, and why: a function or a collation that this
    /// connection lacks, or a table that the application dropped. Their rows wait, and are reported;
    /// all others are synced.
    ///
    /// # Errors
    /// If the database cannot be read.
    pub async fn set_aside(&self) -> Result<BTreeMap<String, String>, SqliteError> {
        self.run("read", |open| open.shapes.aside().clone()).await
    }

    /// Drops the triggers and all that db-to-cloud keeps in the file: the tables are as if they had
    /// never been synced. Lock files beside the file stay.
    ///
    /// # Errors
    /// If the file cannot be written. Then all is as it was.
    pub fn detach(path: impl AsRef<Path>) -> Result<(), SqliteError> {
        let path = path.as_ref().to_owned();
        let mut connection = schema::open_within(&path)
            .map_err(|e| SqliteError::State { path: path.clone(), source: e.into() })?;
        attach::detach(&mut connection).map_err(|source| SqliteError::Sqlite {
            operation: "detach",
            path,
            source,
        })
    }

    /// The same on a connection of the application, for a database that cannot be opened by its path.
    ///
    /// # Errors
    /// If there is no connection, it is in a transaction, or the database cannot be written. Then all is as it was.
    pub fn detach_on(connections: &dyn Connections) -> Result<(), SqliteError> {
        let mut is_detached = false;
        let detached = connections.with(&mut |connection| {
            attach::detach(connection)?;
            is_detached = true;
            Ok(())
        });
        let detached = match detached {
            Ok(()) if !is_detached => Err("no connection was given".into()),
            detached => detached,
        };
        let path = "database of the application".into();
        detached.map_err(|source| SqliteError::Lent { operation: "detach", path, source })
    }

    /// Looks at the schema again, before a sync.
    pub(crate) async fn refresh(&self) -> Result<(), SqliteError> {
        self.run("read", |open| *open.sync = number_of_sync()).await
    }

    /// Sees to it that no edit is missed, if the schema changed.
    pub(crate) async fn look_again(&self) -> Result<(), SqliteError> {
        self.run("read", |_| ()).await
    }

    /// Does work that blocks on a thread where it may, with tables that are as they look.
    ///
    /// The connection goes with it: if the future is dropped it ends all the same, and no later call
    /// gets the connection before.
    async fn run<T: Send + 'static>(
        &self,
        operation: &'static str,
        work: impl FnOnce(&mut Open<'_>) -> T + Send + 'static,
    ) -> Result<T, SqliteError> {
        let (mut open, shared) = (self.0.open.clone().lock_owned().await, self.0.clone());
        let work = move || {
            open.with(|open| {
                open.refresh(&shared)?;
                Ok(work(open))
            })
        };
        let path = || self.0.path.clone();
        let task = tokio::task::spawn_blocking(work).await;
        let lent = task.map_err(|source| SqliteError::Task { operation, path: path(), source })?;
        lent.map_err(|source| SqliteError::Lent { operation, path: path(), source })?
    }

    fn failed(&self, operation: &'static str, source: rusqlite::Error) -> SqliteError {
        SqliteError::Sqlite { operation, path: self.0.path.clone(), source }
    }

    fn unread(&self, unread: Unread) -> BoxError {
        match unread {
            Unread::Document(error) => error.into(),
            Unread::Sqlite(source) => self.failed("read", source).into(),
        }
    }

    /// The documents of the first of these ids, until they have this many bytes together.
    async fn documents(
        &self,
        ids: Vec<DocumentId>,
        enough: u64,
    ) -> Result<Vec<Result<Option<Document>, BoxError>>, SqliteError> {
        let read = move |open: &mut Open<'_>| {
            // One transaction: a row and what is kept of it are of one moment.
            let transaction = open.connection.transaction()?;
            read_some(&transaction, open.shapes, &ids, enough)
        };
        let documents = self.run("read", read).await?;
        let documents = documents.map_err(|source| self.failed("read", source))?;
        Ok(documents.into_iter().map(|d| d.map_err(|unread| self.unread(unread))).collect())
    }
}

#[async_trait]
impl Database for SqliteDatabase {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        let pages = stream::unfold(Some(Place::default()), move |place| async move {
            let place = place?;
            let page = self.run("list", move |o| list::page(o.connection, o.shapes, place));
            let page = page.await.and_then(|page| page.map_err(|e| self.failed("list", e)));
            Some(match page {
                Ok((ids, next)) => (self.listed(ids).await, next),
                Err(error) => (vec![Err(error.into())], None),
            })
        });
        pages.flat_map(stream::iter).boxed()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        let no_answer = || Err("read a row: no answer".into());
        self.documents(vec![id.clone()], 0).await?.pop().unwrap_or_else(no_answer)
    }

    async fn get_some(
        &self,
        ids: &[DocumentId],
        enough: u64,
    ) -> Vec<Result<Option<Document>, BoxError>> {
        match self.documents(ids.to_vec(), enough).await {
            Ok(documents) => documents,
            Err(error) => ids.iter().map(|_| Err(error.to_string().into())).collect(),
        }
    }

    async fn revisions(&self, ids: &[DocumentId]) -> Vec<Result<Option<Revision>, BoxError>> {
        match self.documents(ids.to_vec(), u64::MAX).await {
            Ok(documents) => {
                documents.into_iter().map(|d| d.map(|d| d.map(|d| d.revision))).collect()
            }
            Err(error) => ids.iter().map(|_| Err(error.to_string().into())).collect(),
        }
    }

    async fn missing(&self) -> Result<Vec<Missing>, BoxError> {
        let found = self.run("compare", |open| missing::found(open.connection, open.shapes));
        Ok(found.await?.map_err(|source| self.failed("compare", source))?)
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        // Without records along there is always an answer.
        self.write(batch, None).await.unwrap_or_default()
    }

    fn joined(&self, state: &(dyn Any + Send + Sync)) -> Option<Arc<dyn Joined>> {
        let state = state.downcast_ref::<SqliteState>()?;
        let is_here = state.is_over(&self.0.open);
        let both = || RowsAndRecords { database: self.clone(), state: state.clone() };
        is_here.then(|| Arc::new(both()) as Arc<dyn Joined>)
    }

    fn tracking(&self) -> ChangeTracking {
        ChangeTracking::Transactional
    }

    async fn epochs(&self, ids: &[DocumentId]) -> Vec<u64> {
        let count = ids.len();
        let ids = ids.to_vec();
        let epochs =
            move |open: &mut Open<'_>| ids.iter().map(|id| epoch::of(open.shapes, id)).collect();
        // A file that cannot be read now is one more reason to try again.
        self.run("read", epochs).await.unwrap_or_else(|_| vec![0; count])
    }
}

impl SqliteDatabase {
    /// Makes writes, and with each that is done the records along with it; `None` if they are not those of
    /// the remote that was read. Nothing was written then.
    pub(crate) async fn write(
        &self,
        writes: Vec<Write>,
        along: Option<Along>,
    ) -> Option<Vec<Outcome>> {
        let (count, foreign_keys) = (writes.len(), self.0.foreign_keys);
        let write =
            move |open: &mut Open<'_>| batch::apply(open, foreign_keys, writes, along.as_ref());
        match self.run("write", write).await {
            Ok(answers) => Some(answers?.into_iter().map(batch::outcome).collect()),
            Err(error) => {
                let why = error.to_string();
                Some((0..count).map(|_| Outcome::Blocked(why.clone().into())).collect())
            }
        }
    }

    async fn listed(&self, ids: Vec<DocumentId>) -> Vec<Result<Listed, BoxError>> {
        let revisions = self.revisions(&ids).await;
        let listed = ids.into_iter().zip(revisions).filter_map(|(id, revision)| {
            // It was deleted meanwhile.
            let revision = revision.transpose()?;
            Some(Ok(Listed { id, revision: revision.map(Some) }))
        });
        listed.collect()
    }
}
