//! The suites that every database and every client state must pass.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::state::{StateStore, Table};
use db_to_cloud::{Database, DocumentId};
use db_to_cloud_conformance::database::{self, Application, Undo};
use db_to_cloud_conformance::state::{self, Place};
use db_to_cloud_sqlite::{SqliteDatabase, SqliteState};
use rusqlite::Connection;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A table with a value that is UNIQUE, in a file.
struct Notes {
    folder: PathBuf,
    /// On a small file system, where the test may mount one.
    is_small: bool,
    temporary: Option<TempDir>,
}

impl Notes {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let notes = Self { folder: path, is_small: false, temporary: Some(folder) };
        notes.create();
        notes
    }

    /// On a file system in memory with room for 32 MiB.
    fn small() -> Self {
        let mut notes = Self::new();
        notes.is_small = true;
        let options = ["-t", "tmpfs", "-o", "size=32m", "tmpfs"];
        let mounted = Command::new("mount").args(options).arg(&notes.folder).status().unwrap();
        assert!(mounted.success());
        notes.create();
        notes
    }

    /// In a folder that is there.
    fn within(folder: &Path) -> Self {
        let is_small = std::env::var_os("CONFORMANCE_SMALL").is_some();
        Self { folder: folder.to_owned(), is_small, temporary: None }
    }

    fn create(&self) {
        let app = self.app();
        app.execute_batch("PRAGMA journal_mode = WAL").unwrap();
        let sql = "CREATE TABLE notes (id INTEGER PRIMARY KEY, place INTEGER UNIQUE, text TEXT)";
        app.execute_batch(sql).unwrap();
    }

    fn file(&self) -> PathBuf {
        self.folder.join("notes.db")
    }

    fn app(&self) -> Connection {
        let app = Connection::open(self.file()).unwrap();
        app.busy_timeout(Duration::from_secs(60)).unwrap();
        app
    }

    async fn opened(&self) -> (SqliteDatabase, SqliteState) {
        let database = SqliteDatabase::open(self.file(), ["notes"]).unwrap();
        let state = database.state("cloud").await.unwrap();
        (database, state)
    }
}

impl Drop for Notes {
    fn drop(&mut self) {
        if self.is_small && self.temporary.is_some() {
            let _ = Command::new("umount").arg("-l").arg(&self.folder).status();
        }
    }
}

fn row(place: Value, text: &str) -> Bytes {
    json!({ "place": place, "text": text }).to_string().into()
}

#[async_trait]
impl Application for Notes {
    async fn open(&self) -> Arc<dyn Database> {
        Arc::new(self.opened().await.0)
    }

    fn id(&self, n: usize) -> DocumentId {
        format!("[\"notes\",{n}]").into()
    }

    fn bytes(&self, n: usize, version: usize) -> Bytes {
        let length = if self.is_small { 2000 } else { 80 };
        row(Value::Null, &format!("note {n}, version {version}, {}", "x".repeat(length)))
    }

    fn edit(&self, id: &DocumentId, bytes: Option<&[u8]>) {
        let (_, id): (String, i64) = serde_json::from_str(id.as_str().unwrap()).unwrap();
        let app = self.app();
        let Some(bytes) = bytes else {
            app.execute("DELETE FROM notes WHERE id = ?1", [id]).unwrap();
            return;
        };
        let row: Value = serde_json::from_slice(bytes).unwrap();
        let sql = "INSERT INTO notes VALUES (?1, ?2, ?3)
            ON CONFLICT DO UPDATE SET place = excluded.place, text = excluded.text";
        app.execute(sql, (id, row["place"].as_i64(), row["text"].as_str())).unwrap();
    }

    fn rivals(&self) -> Option<[(DocumentId, Bytes); 2]> {
        let one = |n| (self.id(n), row(1.into(), &format!("rival {n}")));
        Some([one(1), one(2)])
    }

    fn unique(&self, n: usize, value: usize) -> Option<Bytes> {
        Some(row(value.into(), &format!("note {n}")))
    }

    fn refused(&self) -> Option<(DocumentId, Bytes)> {
        Some((self.id(99), Bytes::from_static(b"no JSON")))
    }

    /// What a row cannot hold is kept beside it, so that each document is read back to the byte.
    fn inexact(&self) -> Option<(DocumentId, Bytes)> {
        None
    }

    fn fill(&self) -> Option<Undo> {
        if !self.is_small {
            return None;
        }
        let path = self.folder.join("filling");
        let mut filling = fs::File::create(&path).unwrap();
        while filling.write_all(&[1; 4096]).is_ok() {}
        Some(Box::new(move || fs::remove_file(path).unwrap()))
    }

    async fn queued(&self) -> Option<BTreeSet<String>> {
        let (_, state) = self.opened().await;
        let queued = state.scan(Table::Dirty, None, usize::MAX).await.unwrap();
        Some(queued.into_iter().map(|(key, _)| key).collect())
    }

    fn worker(&self) -> Option<Command> {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "works_until_it_is_killed", "--ignored"]);
        command.env("CONFORMANCE_FOLDER", &self.folder);
        if self.is_small {
            command.env("CONFORMANCE_SMALL", "1");
        }
        command.stdout(Stdio::null()).stderr(Stdio::null());
        Some(command)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_tables_conform() {
    let outcome = database::run(|| Arc::new(Notes::new())).await;
    outcome.assert_passed();
    // Whoever may open the file may read its rows; a full disk has a test of its own.
    assert_eq!(
        outcome.skipped(),
        ["unreadable_is_not_deleted", "inexact_bytes_are_said", "a_full_disk_changes_nothing"]
    );
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "needs the right to mount"]
async fn tables_on_a_small_disk_conform() {
    let outcome = database::run(|| Arc::new(Notes::small())).await;
    outcome.assert_passed();
    assert!(outcome.passed().contains(&"a_full_disk_changes_nothing"));
}

#[tokio::test]
#[ignore = "started and killed by the suite, in its own process"]
async fn works_until_it_is_killed() {
    let Some(folder) = std::env::var_os("CONFORMANCE_FOLDER") else { return };
    database::work(&Notes::within(Path::new(&folder)), &Notes::new()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_conforms() {
    let folder = tempfile::tempdir().unwrap();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let make = || -> Arc<dyn StateStore> {
        let n = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let path = folder.path().join(format!("{n}.sqlite"));
        Arc::new(SqliteState::open(path, "remote").unwrap())
    };
    let outcome = state::run(make).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}

/// A file whose states are opened anew each time.
struct File(PathBuf);

#[async_trait]
impl Place for File {
    async fn open(&self, address: &str) -> Arc<dyn StateStore> {
        Arc::new(SqliteState::open(&self.0, address).unwrap())
    }
}

/// The same within the file of an application.
struct Within(PathBuf);

#[async_trait]
impl Place for Within {
    async fn open(&self, address: &str) -> Arc<dyn StateStore> {
        Arc::new(SqliteState::open_within(&self.0, address).unwrap())
    }
}

/// Rule C6.
#[tokio::test(flavor = "multi_thread")]
async fn states_in_one_file_conform() {
    let folder = tempfile::tempdir().unwrap();
    let next = std::sync::atomic::AtomicUsize::new(0);
    let path = || {
        let n = next.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        folder.path().join(format!("{n}.sqlite"))
    };
    let own = state::run_in(|| Arc::new(File(path()))).await;
    let within = state::run_in(|| {
        let path = path();
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE own (id)").unwrap();
        Arc::new(Within(path))
    });
    for outcome in [own, within.await] {
        outcome.assert_passed();
        assert_eq!(outcome.skipped(), [""; 0]);
    }
}
