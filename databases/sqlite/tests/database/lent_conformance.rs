//! The suites for databases and client states, on a connection that the application lends.

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use db_to_cloud::state::{StateStore, Table};
use db_to_cloud::{Database, DocumentId};
use db_to_cloud_conformance::database::{self, Application};
use db_to_cloud_conformance::state;
use db_to_cloud_sqlite::SqliteDatabase;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::lent::{Lent, prepared};

/// A table with a value that is UNIQUE, in memory.
struct Memory(Lent);

impl Memory {
    fn new() -> Self {
        let schema = "CREATE TABLE notes (id INTEGER PRIMARY KEY, place INTEGER UNIQUE, text TEXT)";
        Self(prepared(Connection::open_in_memory().unwrap(), schema))
    }

    fn opened(&self) -> SqliteDatabase {
        SqliteDatabase::on(self.0.clone(), ["notes"]).unwrap()
    }
}

fn row(place: Value, text: &str) -> Bytes {
    json!({ "place": place, "text": text }).to_string().into()
}

#[async_trait]
impl Application for Memory {
    async fn open(&self) -> Arc<dyn Database> {
        let database = self.opened();
        database.state("cloud").await.unwrap();
        Arc::new(database)
    }

    fn id(&self, n: usize) -> DocumentId {
        format!("[\"notes\",{n}]").into()
    }

    fn bytes(&self, n: usize, version: usize) -> Bytes {
        row(Value::Null, &format!("note {n}, version {version}"))
    }

    fn edit(&self, id: &DocumentId, bytes: Option<&[u8]>) {
        let (_, id): (String, i64) = serde_json::from_str(id.as_str().unwrap()).unwrap();
        let app = self.0.lock().unwrap();
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

    async fn queued(&self) -> Option<BTreeSet<String>> {
        let state = self.opened().state("cloud").await.unwrap();
        let queued = state.scan(Table::Dirty, None, usize::MAX).await.unwrap();
        Some(queued.into_iter().map(|(key, _)| key).collect())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tables_in_memory_conform() {
    let outcome = database::run(|| Arc::new(Memory::new())).await;
    outcome.assert_passed();
    // Rows are unreadable or inexact here no more than in a file. Memory has no disk that fills, and is gone
    // with its process; `tests/conformance.rs` has both.
    assert_eq!(
        outcome.skipped(),
        [
            "unreadable_is_not_deleted",
            "inexact_bytes_are_said",
            "a_full_disk_changes_nothing",
            "a_killed_apply_is_whole_or_nothing_a_document"
        ]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_state_in_memory_conforms() {
    let runtime = tokio::runtime::Handle::current();
    let make = || -> Arc<dyn StateStore> {
        let database = Memory::new().opened();
        let state = database.state("remote");
        Arc::new(tokio::task::block_in_place(|| runtime.block_on(state)).unwrap())
    };
    let outcome = state::run(make).await;
    outcome.assert_passed();
    assert_eq!(outcome.skipped(), [""; 0]);
}
