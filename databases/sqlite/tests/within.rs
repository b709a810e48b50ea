//! The state inside the application's own file, and edits queued in the application's transactions.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{
    BoxError, ChangeTracking, Client, Database, Document, DocumentId, Listed, Outcome, RemoteWins,
    Write,
};
use db_to_cloud_sqlite::{SqliteState, queue_change};
use futures::stream::{self, BoxStream, StreamExt};
use rusqlite::{Connection, OptionalExtension};

/// An application that keeps its notes in SQLite.
struct Notes {
    path: PathBuf,
    /// Called once, the next time that revisions are asked for, after they were read.
    afterwards: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Notes {
    fn new(folder: &Path, name: &str) -> Arc<Self> {
        let path = folder.join(name);
        let notes = Self { path, afterwards: Mutex::default() };
        let tables =
            "PRAGMA journal_mode = WAL; CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)";
        notes.open().execute_batch(tables).unwrap();
        Arc::new(notes)
    }

    fn open(&self) -> Connection {
        let connection = Connection::open(&self.path).unwrap();
        connection.busy_timeout(std::time::Duration::from_secs(10)).unwrap();
        connection
    }

    fn client(self: &Arc<Self>, cloud: &MemoryAdapter) -> Client {
        let state = Arc::new(SqliteState::open_within(&self.path, "cloud").unwrap());
        Client::builder(Arc::new(cloud.clone()), self.clone(), state, Arc::new(RemoteWins)).build()
    }

    /// The edit and its place in the queue, in one transaction.
    fn edit(&self, id: &str, text: &str) {
        let mut connection = self.open();
        let transaction = connection.transaction().unwrap();
        transaction.execute("REPLACE INTO notes VALUES (?1, ?2)", [id, text]).unwrap();
        queue_change(&transaction, "cloud", &id.into()).unwrap();
        transaction.commit().unwrap();
    }

    fn text(&self, id: &str) -> Option<String> {
        let sql = "SELECT text FROM notes WHERE id = ?1";
        self.open().query_row(sql, [id], |row| row.get(0)).optional().unwrap()
    }
}

#[async_trait]
impl Database for Notes {
    fn list(&self) -> BoxStream<'_, Result<Listed, BoxError>> {
        stream::iter([Err("a transactional queue needs no list".into())]).boxed()
    }

    async fn get(&self, id: &DocumentId) -> Result<Option<Document>, BoxError> {
        let text = self.text(id.as_str().unwrap_or_default());
        let document = text.map(Document::of_content);
        let act = self.afterwards.lock().unwrap().take();
        if let Some(act) = act {
            act();
        }
        Ok(document)
    }

    async fn apply(&self, batch: Vec<Write>) -> Vec<Outcome> {
        let one = |write| self.write(write).unwrap_or_else(Outcome::Blocked);
        batch.into_iter().map(one).collect()
    }

    fn tracking(&self) -> ChangeTracking {
        ChangeTracking::Transactional
    }
}

impl Notes {
    fn write(&self, write: Write) -> Result<Outcome, BoxError> {
        let mut connection = self.open();
        let transaction = connection.transaction()?;
        let id = write.id.as_str().unwrap_or_default();
        let there: Option<String> = transaction
            .query_row("SELECT text FROM notes WHERE id = ?1", [id], |row| row.get(0))
            .optional()?;
        if there.map(|t| Document::of_content(t).revision) != write.expected {
            return Ok(Outcome::Changed);
        }
        match &write.document {
            Some(document) => {
                let text = std::str::from_utf8(&document.bytes)?;
                transaction.execute("REPLACE INTO notes VALUES (?1, ?2)", [id, text])?
            }
            None => transaction.execute("DELETE FROM notes WHERE id = ?1", [id])?,
        };
        transaction.commit()?;
        Ok(Outcome::Done)
    }
}

#[tokio::test]
async fn an_edit_queued_in_its_own_transaction_is_synced_without_a_comparison() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), MemoryAdapter::new());
    let (laptop, phone) = (Notes::new(folder.path(), "laptop"), Notes::new(folder.path(), "phone"));
    let (on_laptop, on_phone) = (laptop.client(&cloud), phone.client(&cloud));
    laptop.edit("a", "hello");
    assert_eq!(on_laptop.sync().await.unwrap().pushed, 1);
    assert_eq!(on_phone.sync().await.unwrap().pulled, 1);
    assert_eq!(phone.text("a").as_deref(), Some("hello"));
}

#[tokio::test]
async fn an_edit_that_was_rolled_back_is_not_queued() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), MemoryAdapter::new());
    let notes = Notes::new(folder.path(), "notes");
    let client = notes.client(&cloud);
    let mut connection = notes.open();
    let transaction = connection.transaction().unwrap();
    queue_change(&transaction, "cloud", &"a".into()).unwrap();
    transaction.rollback().unwrap();
    assert_eq!(client.status().await.unwrap().queued, 0);
}

/// The client reads the revision, the application edits and queues, the client takes the document
/// out of the queue: no lock of the client's can prevent this, for the edit is another connection's.
#[tokio::test]
async fn an_edit_queued_while_a_sync_takes_its_document_out_of_the_queue_is_not_lost() {
    for moment in 0..4 {
        let (folder, cloud) = (tempfile::tempdir().unwrap(), MemoryAdapter::new());
        let notes = Notes::new(folder.path(), "notes");
        let client = notes.client(&cloud);
        notes.edit("a", "first");
        edit_at(&notes, moment);
        client.sync().await.unwrap();
        client.sync().await.unwrap();
        let reader = Notes::new(folder.path(), "reader");
        reader.client(&cloud).sync().await.unwrap();
        let expected = notes.text("a");
        assert_eq!(reader.text("a"), expected, "edited after read {moment}");
    }
}

/// Edits the note once it was read `moment` times, just after that.
fn edit_at(notes: &Arc<Notes>, moment: usize) {
    let editing = notes.clone();
    let act: Box<dyn FnOnce() + Send> = match moment {
        0 => Box::new(move || editing.edit("a", "second")),
        _ => Box::new(move || edit_at(&editing, moment - 1)),
    };
    *notes.afterwards.lock().unwrap() = Some(act);
}

#[tokio::test]
async fn the_applications_file_keeps_its_marks_and_a_newer_format_is_refused() {
    let (folder, cloud) = (tempfile::tempdir().unwrap(), MemoryAdapter::new());
    let notes = Notes::new(folder.path(), "notes");
    notes.open().pragma_update(None, "user_version", 41).unwrap();
    drop(notes.client(&cloud));
    let version: i64 =
        notes.open().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    assert_eq!(version, 41);
    notes.open().execute("UPDATE db_to_cloud_format SET version = 99", []).unwrap();
    let error = SqliteState::open_within(&notes.path, "cloud").unwrap_err();
    assert!(format!("{error:?}").contains("Newer"), "{error:?}");
    assert!(SqliteState::open_within(folder.path().join("missing"), "cloud").is_err());
}
