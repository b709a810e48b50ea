//! The client state itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::state::{Claim, StateError, StateStore, Table, Update, Written};
use rusqlite::Connection;
use tokio::sync::Mutex;

use crate::attach::Shapes;
use crate::claim::Lock;
use crate::database::{Open, SqliteDatabase};
use crate::problem::Problem;
use crate::{drain, records, schema};

/// Client state in a SQLite file, shared by its clones.
///
/// - A write that returned survives a crash of the process and of the machine.
/// - Calls have their effects in the order in which they were first polled, also those whose
///   future was dropped.
/// - Several remotes may share one file, each under its own name, and several processes too.
/// - Beside the file lie SQLite's own `-wal` and `-shm` and, for each remote, `-lock-<n>`.
///
/// Its methods need a tokio runtime.
#[derive(Clone, Debug)]
pub struct SqliteState {
    connection: Arc<Mutex<Open>>,
    /// The number of the remote in the file.
    remote: i64,
    path: Arc<Path>,
    place: schema::Place,
    /// The synced tables of the file, if they were opened: what they look like is checked before
    /// each sync.
    tables: Option<SqliteDatabase>,
}

impl SqliteState {
    /// Opens or creates the state of a remote in this file. It blocks for some milliseconds.
    ///
    /// # Errors
    /// [`StateError::Store`] if the file cannot be opened, is damaged, belongs to another
    /// application, or was written by a newer version. The file is as it was.
    pub fn open(path: impl AsRef<Path>, remote: &str) -> Result<Self, StateError> {
        Self::open_as(schema::Place::OwnFile, path.as_ref(), remote)
    }

    /// Opens or creates the state of a remote inside the application's own SQLite file, in tables
    /// whose names begin with `db_to_cloud_`, so that edits can be queued in the transactions that
    /// make them: see [`queue_change`](crate::queue_change). The journal mode and the marks of the
    /// file stay as the application set them.
    ///
    /// # Errors
    /// [`StateError::Store`] if the file does not exist or cannot be opened, is damaged, or its
    /// tables were made by a newer version.
    pub fn open_within(path: impl AsRef<Path>, remote: &str) -> Result<Self, StateError> {
        Self::open_as(schema::Place::WithinAnother, path.as_ref(), remote)
    }

    fn open_as(place: schema::Place, path: &Path, remote: &str) -> Result<Self, StateError> {
        let (connection, remote) = schema::open(place, path, remote)?;
        // The real path: a second way to the same file must find the same lock.
        let path = path
            .canonicalize()
            .map_err(|source| Problem::Path { path: path.to_owned(), source })?;
        let open = Open { connection, shapes: Shapes::default(), sync: 0 };
        let connection = Arc::new(Mutex::new(open));
        Ok(Self { connection, remote, path: path.into(), place, tables: None })
    }

    /// The state of a remote in the file of these tables, over the same connection: what one of them
    /// writes would otherwise empty the cache of the other.
    pub(crate) fn of_tables(
        tables: SqliteDatabase,
        connection: Arc<Mutex<Open>>,
        path: &Path,
        remote: i64,
    ) -> Self {
        let (place, tables) = (schema::Place::WithinAnother, Some(tables));
        Self { connection, remote, path: path.into(), place, tables }
    }

    /// Whether this table is the queue of a file whose triggers write there too.
    fn is_fed(&self, table: Table) -> bool {
        table == Table::Dirty && self.place == schema::Place::WithinAnother
    }

    fn lock_path(&self) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(format!("-lock-{}", self.remote));
        path.into()
    }

    /// Runs statements on a thread where they may block.
    ///
    /// The connection goes with them: if the future is dropped they finish all the same, and no
    /// later call gets the connection before.
    async fn run<T, F>(&self, operation: &'static str, statements: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let mut open = self.connection.clone().lock_owned().await;
        let task = tokio::task::spawn_blocking(move || statements(&mut open.connection));
        let path = || self.path.to_path_buf();
        let result =
            task.await.map_err(|source| Problem::Task { operation, path: path(), source })?;
        Ok(result.map_err(|source| Problem::sqlite(operation, &self.path, source))?)
    }
}

#[async_trait]
impl StateStore for SqliteState {
    async fn claim(&self) -> Result<Claim, StateError> {
        // Neither opening nor trying the lock waits for anybody: no thread is needed for it.
        let lock = Lock::acquire(&self.lock_path())?;
        if let Some(tables) = &self.tables {
            tables.refresh().await.map_err(|e| StateError::Store(e.into()))?;
        }
        Ok(Box::new(lock))
    }

    async fn read(
        &self,
        table: Table,
        keys: &[String],
    ) -> Result<Vec<Option<Vec<u8>>>, StateError> {
        let (remote, keys, fed) = (self.remote, keys.to_vec(), self.is_fed(table));
        let read = move |c: &mut Connection| {
            if fed {
                drain::drain_all(c)?;
            }
            records::read(c, remote, table, &keys)
        };
        self.run("read", read).await
    }

    async fn scan(
        &self,
        table: Table,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<(String, Vec<u8>)>, StateError> {
        let (remote, after, fed) = (self.remote, after.map(str::to_owned), self.is_fed(table));
        let scan = move |c: &mut Connection| {
            if fed {
                drain::drain_all(c)?;
            }
            records::scan(c, remote, table, after.as_deref(), limit)
        };
        let text = |(key, value)| {
            let key = String::from_utf8(key)
                .map_err(|_| Problem::Key { path: self.path.to_path_buf() })?;
            Ok((key, value))
        };
        self.run("scan", scan).await?.into_iter().map(text).collect()
    }

    async fn count(&self, table: Table) -> Result<u64, StateError> {
        let (remote, fed) = (self.remote, self.is_fed(table));
        let count = move |c: &mut Connection| {
            if fed {
                drain::drain_all(c)?;
            }
            records::count(c, remote, table)
        };
        self.run("count", count).await
    }

    async fn write(
        &self,
        expected: Vec<Update>,
        updates: Vec<Update>,
    ) -> Result<Written, StateError> {
        let remote = self.remote;
        let write = match self.place {
            schema::Place::OwnFile => records::write,
            schema::Place::WithinAnother => records::write_within,
        };
        self.run("write", move |c| write(c, remote, &expected, &updates)).await
    }
}
