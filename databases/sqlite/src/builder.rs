//! Opening tables of a database.

use std::path::PathBuf;
use std::sync::Arc;

use db_to_cloud::BoxError;
use rusqlite::Connection;
use tokio::sync::Mutex;

use crate::attach::{self, Look, Shapes};
use crate::connections::{Connections, Source, Stored};
use crate::database::{Shared, SqliteDatabase, number_of_sync};
use crate::error::SqliteError;
use crate::problem::Problem;
use crate::table::Table;
use crate::{guard, lent, look, schema};

/// Which tables to open; made by [`SqliteDatabase::builder`].
#[derive(Clone, Debug)]
#[must_use]
pub struct SqliteDatabaseBuilder {
    pub(crate) path: PathBuf,
    pub(crate) tables: Vec<Table>,
    pub(crate) foreign_keys: bool,
}

impl SqliteDatabaseBuilder {
    /// Syncs this table too.
    pub fn with_table(mut self, table: impl Into<Table>) -> Self {
        self.tables.push(table.into());
        self
    }

    /// Whether foreign keys must hold at the end of each batch: by default they must. `false` is for an
    /// application that declares them and does not switch them on: then nothing is checked, and their
    /// actions are not done.
    pub fn with_foreign_keys(mut self, foreign_keys: bool) -> Self {
        self.foreign_keys = foreign_keys;
        self
    }

    /// Opens the database, which must exist, and makes the triggers on its tables.
    ///
    /// # Errors
    /// [`SqliteError`] if the file cannot be opened, or a table cannot be synced as it is. The tables
    /// are as they were.
    pub fn open(self) -> Result<SqliteDatabase, SqliteError> {
        let connection = self.connect()?;
        self.open_on(connection, Look::First)
    }

    /// Opens the tables on connections of the application, whatever the path says: see
    /// [`SqliteDatabase::on`].
    ///
    /// # Errors
    /// As [`SqliteDatabase::on`].
    pub fn open_on_connections(
        self,
        connections: impl Connections + 'static,
    ) -> Result<SqliteDatabase, SqliteError> {
        self.open_lent(Arc::new(connections))
    }

    /// Opens the database to look at what a sync with this remote would do
    /// ([`Client::preview`](db_to_cloud::Client::preview), [`Client::status`](db_to_cloud::Client::status)): if
    /// the file is not synced with it yet, nothing is written into it. What a sync would keep there is in the
    /// memory of this process, so that it costs as much as the rows and the client state of the file are many.
    /// Do not sync with what this gives.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_to_look(self, remote: &str) -> Result<SqliteDatabase, SqliteError> {
        let connection = self.connect()?;
        let failed = |source| self.failed(source);
        let look = match look::is_attached(&connection, remote, &self.tables).map_err(failed)? {
            true => Look::First,
            false => Look::Only,
        };
        self.open_on(connection, look)
    }

    /// Opens the file, and looks whether its tables can be synced, before anything is written.
    fn connect(&self) -> Result<Connection, SqliteError> {
        let connection = schema::connect(&self.path).map_err(|source| {
            let source = Problem::sqlite("open", &self.path, source).into();
            SqliteError::State { path: self.path.clone(), source }
        })?;
        schema::check_format(&connection, &self.path).map_err(|problem| self.state(problem))?;
        attach::check(&connection, &self.path, &self.tables)?;
        Ok(connection)
    }

    fn state(&self, problem: Problem) -> SqliteError {
        match problem {
            Problem::Newer { path, found, known } => SqliteError::Newer { path, found, known },
            problem => SqliteError::State { path: self.path.clone(), source: problem.into() },
        }
    }

    fn failed(&self, source: rusqlite::Error) -> SqliteError {
        SqliteError::Sqlite { operation: "open", path: self.path.clone(), source }
    }

    fn open_on(
        self,
        mut connection: Connection,
        look: Look,
    ) -> Result<SqliteDatabase, SqliteError> {
        let failed = |source| self.failed(source);
        match look {
            Look::Only => look::begin(&connection).map_err(failed)?,
            _ => schema::prepare_within(&mut connection, &self.path)
                .map_err(|problem| self.state(problem))?,
        }
        // Their actions would change rows that no other device changed: see `children`.
        connection.pragma_update(None, "foreign_keys", false).map_err(failed)?;
        guard::register(&connection).map_err(failed)?;
        schema::hasten(&connection).map_err(failed)?;
        self.begin(Source::Own(connection), look, false)
    }

    /// Opens the tables on connections of the application: see [`SqliteDatabase::on`].
    fn open_lent(
        mut self,
        connections: Arc<dyn Connections>,
    ) -> Result<SqliteDatabase, SqliteError> {
        let mut file = None;
        let mut look = |connection: &mut Connection| {
            file = connection.path().filter(|path| !path.is_empty()).map(PathBuf::from);
            Ok(())
        };
        connections.with(&mut look).map_err(|source| self.lent(source))?;
        let is_in_memory = file.is_none();
        let file = file.unwrap_or_else(|| "database in memory".into());
        self.path = file.canonicalize().unwrap_or(file);
        let mut stored =
            Stored { source: Source::Lent(connections), shapes: Shapes::default(), sync: 0 };
        let made = stored.with(|open| {
            schema::check_format(open.connection, &self.path).map_err(|p| self.state(p))?;
            attach::check(open.connection, &self.path, &self.tables)?;
            schema::create_within(open.connection, &self.path).map_err(|p| self.state(p))?;
            match is_in_memory {
                true => lent::number(open.connection).map_err(|source| self.failed(source)),
                false => Ok(0),
            }
        });
        let number = made.map_err(|source| self.lent(source))??;
        if is_in_memory {
            self.path = format!("database in memory {number}").into();
        }
        self.begin(stored.source, Look::First, is_in_memory)
    }

    /// Attaches to the tables.
    fn begin(
        self,
        source: Source,
        look: Look,
        is_in_memory: bool,
    ) -> Result<SqliteDatabase, SqliteError> {
        let mut stored = Stored { source, shapes: Shapes::default(), sync: number_of_sync() };
        let attached = stored.with(|open| {
            *open.shapes =
                attach::attach(open.connection, &self.path, &self.tables, look, open.is_lent)?;
            match look {
                Look::Only => Ok(()),
                _ => open.settle(self.foreign_keys).map_err(|source| self.failed(source)),
            }
        });
        attached.map_err(|source| self.lent(source))??;
        let open = Arc::new(Mutex::new(stored));
        let Self { path, tables, foreign_keys } = self;
        let is_look = look == Look::Only;
        let shared = Shared { path, tables, foreign_keys, is_look, open, is_in_memory };
        Ok(SqliteDatabase(Arc::new(shared)))
    }

    fn lent(&self, source: BoxError) -> SqliteError {
        SqliteError::Lent { operation: "open", path: self.path.clone(), source }
    }
}
