//! Devices with a database each, and what people do with them.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{
    Client, Database, Document, DocumentId, LocalWins, Outcome, RemoteWins, Report, Resolver,
    Revision, Write,
};
use db_to_cloud_sqlite::{SqliteDatabase, Table};
pub(crate) use db_to_cloud_test_servers::{sqlite3 as shell, sqlite3_as as shell_as};
use rusqlite::Connection;

/// A table for notes.
pub(crate) const NOTES: &str =
    "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, done INTEGER DEFAULT 0)";

/// A device with a database.
pub(crate) struct Device {
    folder: tempfile::TempDir,
    pub(crate) tables: Vec<Table>,
    pub(crate) database: SqliteDatabase,
    pub(crate) client: Client,
    cloud: MemoryAdapter,
}

impl Device {
    /// A device with these tables, all of which it syncs.
    pub(crate) async fn new(cloud: &MemoryAdapter, schema: &str, tables: &[&str]) -> Self {
        Self::with(cloud, schema, tables.iter().map(|name| Table::new(*name)).collect()).await
    }

    pub(crate) async fn with(cloud: &MemoryAdapter, schema: &str, tables: Vec<Table>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let app = Connection::open(&path).unwrap();
        app.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        app.execute_batch(schema).unwrap();
        let (database, client) = open(&path, &tables, cloud, Arc::new(RemoteWins)).await;
        Self { folder, tables, database, client, cloud: cloud.clone() }
    }

    /// Ends the program, lets somebody work on the file, and starts it again with these tables.
    pub(crate) async fn restart(&mut self, meanwhile: impl FnOnce(&Path), tables: &[&str]) {
        let path = self.path();
        let nowhere = self.folder.path().join("nowhere.db");
        if !nowhere.exists() {
            Connection::open(&nowhere).unwrap().execute_batch(NOTES).unwrap();
        }
        // The connections are closed before anybody else comes.
        (self.database, self.client) =
            open(&nowhere, &["notes".into()], &self.cloud, Arc::new(RemoteWins)).await;
        meanwhile(&path);
        self.tables = tables.iter().map(|name| Table::new(*name)).collect();
        (self.database, self.client) =
            open(&path, &self.tables, &self.cloud, Arc::new(RemoteWins)).await;
    }

    pub(crate) async fn local_wins(&mut self) {
        self.decide_by(Arc::new(LocalWins)).await;
    }

    pub(crate) async fn decide_by(&mut self, resolver: Arc<dyn Resolver>) {
        (self.database, self.client) =
            open(&self.path(), &self.tables, &self.cloud, resolver).await;
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("app.db")
    }

    /// The application's connection.
    pub(crate) fn app(&self) -> Connection {
        let app = Connection::open(self.path()).unwrap();
        app.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        app
    }

    /// The application does something.
    pub(crate) fn run(&self, sql: &str) {
        self.app().execute_batch(sql).unwrap();
    }

    /// What a stock `sqlite3` answers: a line a row, `|` between the values.
    pub(crate) fn shell(&self, sql: &str) -> String {
        shell(&self.path(), sql)
    }

    /// Syncs; nothing may be set aside.
    pub(crate) async fn sync(&self) -> Report {
        let report = self.client.sync().await.unwrap();
        assert_eq!(report.deferred, [], "nothing is set aside");
        report
    }

    pub(crate) async fn queued(&self) -> u64 {
        self.client.status().await.unwrap().queued
    }
}

pub(crate) async fn open(
    path: &Path,
    tables: &[Table],
    cloud: &MemoryAdapter,
    resolver: Arc<dyn Resolver>,
) -> (SqliteDatabase, Client) {
    let database = SqliteDatabase::open(path, tables.iter().cloned()).unwrap();
    let state = Arc::new(database.state("cloud").await.unwrap());
    let client =
        Client::builder(Arc::new(cloud.clone()), Arc::new(database.clone()), state, resolver);
    (database, client.build())
}

/// A write that a sync makes.
pub(crate) fn write(
    id: impl Into<DocumentId>,
    document: Option<Document>,
    expected: Option<Revision>,
) -> Write {
    Write { id: id.into(), document, expected, moved_from: None }
}

/// What became of a single write, without the details.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Became {
    Done,
    Changed,
    Blocked,
    Refused,
}

pub(crate) fn became(outcomes: &[Outcome]) -> Vec<Became> {
    let one = |outcome: &Outcome| match outcome {
        Outcome::Done | Outcome::DoneAs(_) => Became::Done,
        Outcome::Changed => Became::Changed,
        Outcome::Blocked(_) => Became::Blocked,
        Outcome::Refused(_) => Became::Refused,
    };
    outcomes.iter().map(one).collect()
}

/// Makes one write as a batch of its own.
pub(crate) async fn apply(database: &SqliteDatabase, write: Write) -> Became {
    became(&database.apply(vec![write]).await)[0]
}

/// Two devices with the same tables, and their cloud.
pub(crate) async fn pair(schema: &str, tables: &[&str]) -> (Device, Device) {
    let cloud = MemoryAdapter::new();
    (Device::new(&cloud, schema, tables).await, Device::new(&cloud, schema, tables).await)
}

/// Syncs until both have all.
pub(crate) async fn settle(a: &Device, b: &Device) {
    for device in [a, b, a, b] {
        device.sync().await;
    }
    for device in [a, b] {
        let report = device.sync().await;
        assert_eq!((report.pulled, report.pushed, report.deleted), (0, 0, 0), "all is synced");
    }
}
