//! The client state itself.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::SeqCst};

use db_to_cloud::state::{StateError, Table};
use rusqlite::Connection;
use tokio::sync::Mutex;

use crate::attach::Shapes;
use crate::connections::{Open, Source, Stored};
use crate::database::SqliteDatabase;
use crate::problem::Problem;
use crate::turn::{Turning, Unturned};
use crate::{addresses, drain, schema};

/// Client state in a SQLite file, shared by its clones.
///
/// - A write that returned survives a crash of the process and of the machine.
/// - Calls have their effects in the order in which they were first polled, also those whose
///   future was dropped.
/// - Several remotes may share one file, and several processes too. A remote is opened by its address, which
///   is only a hint (rule C6): a client that finds there the storage of another remote of the file turns
///   to the state of that one. Addresses that begin with `db_to_cloud:` are reserved.
/// - Beside the file lie SQLite's own `-wal` and `-shm` and, for each remote, `-lock-<n>`.
///
/// Its methods need a tokio runtime.
#[derive(Clone, Debug)]
pub struct SqliteState {
    connection: Arc<Mutex<Stored>>,
    pub(crate) address: Arc<str>,
    /// The number of the remote to which the address led when it was last looked up. It changes only while
    /// the connection is held.
    pub(crate) remote: Arc<AtomicI64>,
    pub(crate) path: Arc<Path>,
    place: schema::Place,
    /// Whether the database has no file.
    pub(crate) is_in_memory: bool,
    /// The synced tables of the file, if they were opened: what they look like is checked before
    /// each sync.
    pub(crate) tables: Option<SqliteDatabase>,
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

    fn open_as(place: schema::Place, path: &Path, address: &str) -> Result<Self, StateError> {
        let (connection, remote) = schema::open(place, path, address)?;
        // The real path: a second way to the same file must find the same lock.
        let path = path
            .canonicalize()
            .map_err(|source| Problem::Path { path: path.to_owned(), source })?;
        let open = Stored { source: Source::Own(connection), shapes: Shapes::default(), sync: 0 };
        let connection = Arc::new(Mutex::new(open));
        let (address, remote) = (address.into(), Arc::new(remote.into()));
        let (path, is_in_memory, tables) = (path.into(), false, None);
        Ok(Self { connection, address, remote, path, place, is_in_memory, tables })
    }

    /// The state of a remote in the file of these tables, over the same connection: what one of them
    /// writes would otherwise empty the cache of the other.
    pub(crate) fn of_tables(
        tables: SqliteDatabase,
        connection: Arc<Mutex<Stored>>,
        path: &Path,
        address: Arc<str>,
        remote: i64,
    ) -> Self {
        let (place, is_in_memory) = (schema::Place::WithinAnother, tables.is_in_memory());
        let (remote, tables) = (Arc::new(remote.into()), Some(tables));
        Self { connection, address, remote, path: path.into(), place, is_in_memory, tables }
    }

    /// Whether it uses this connection.
    pub(crate) fn is_over(&self, connection: &Arc<Mutex<Stored>>) -> bool {
        Arc::ptr_eq(&self.connection, connection)
    }

    pub(crate) fn is_within(&self) -> bool {
        self.place == schema::Place::WithinAnother
    }

    pub(crate) fn lock_path(&self, remote: i64) -> PathBuf {
        let mut path = self.path.as_os_str().to_owned();
        path.push(format!("-lock-{remote}"));
        path.into()
    }

    /// The number of the remote to which the address leads now; a new one, if another program detached the
    /// file.
    pub(crate) async fn look_up(&self) -> Result<i64, StateError> {
        let (address, known) = (self.address.clone(), self.remote.clone());
        let look_up = move |open: &mut Open<'_>| {
            let remote = match addresses::number(open.connection, &address)? {
                Some(remote) => remote,
                None => open.join(&address)?,
            };
            known.store(remote, SeqCst);
            Ok(remote)
        };
        self.run("claim", look_up).await
    }

    /// Reads from the records of the remote to which the address leads, all in one transaction. What the
    /// triggers of the file wrote is in its queue then.
    pub(crate) async fn read_from<T, F>(
        &self,
        operation: &'static str,
        table: Table,
        read: F,
    ) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection, i64) -> rusqlite::Result<T> + Send + 'static,
    {
        let is_fed = table == Table::Dirty && self.is_within();
        let (address, known) = (self.address.clone(), self.remote.clone());
        let read = move |Open { connection, .. }: &mut Open<'_>| {
            if is_fed {
                drain::drain_all(connection)?;
            }
            let transaction = connection.transaction()?;
            let remote = addresses::known(&transaction, &address)?;
            known.store(remote, SeqCst);
            read(&transaction, remote)
        };
        self.run(operation, read).await
    }

    /// Changes where the address leads.
    pub(crate) async fn change<T, F>(&self, change: F) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&Turning, &mut Open<'_>) -> rusqlite::Result<Result<(i64, T), Unturned>>
            + Send
            + 'static,
    {
        let (place, has_tables) = (self.place, self.tables.is_some());
        let (address, known) = (self.address.clone(), self.remote.clone());
        let change = move |open: &mut Open<'_>| {
            let turning = Turning { address, remote: known.load(SeqCst), place, has_tables };
            Ok(change(&turning, open)?.map(|(remote, answer)| {
                known.store(remote, SeqCst);
                answer
            }))
        };
        let (operation, path) = ("turn", self.path.to_path_buf());
        let changed = self.run(operation, change).await?;
        changed.map_err(|unturned| match unturned {
            Unturned::Stale => Problem::Turned { operation, path }.into(),
            Unturned::NoSibling => Problem::NoSibling { operation, path }.into(),
        })
    }

    /// Runs statements on a thread where they may block.
    ///
    /// The connection goes with them: if the future is dropped they finish all the same, and no
    /// later call gets the connection before.
    pub(crate) async fn run<T, F>(
        &self,
        operation: &'static str,
        statements: F,
    ) -> Result<T, StateError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Open<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let mut open = self.connection.clone().lock_owned().await;
        let task = tokio::task::spawn_blocking(move || open.with(statements));
        let path = || self.path.to_path_buf();
        let lent =
            task.await.map_err(|source| Problem::Task { operation, path: path(), source })?;
        let result = lent.map_err(|source| Problem::Lent { operation, path: path(), source })?;
        Ok(result.map_err(|source| Problem::sqlite(operation, &self.path, source))?)
    }
}
