//! Programs that keep their data in tables of a SQLite database.

mod operations;
mod rows;
mod schemas;
mod statements;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use db_to_cloud::state::StateStore;
use db_to_cloud::{Conflict, Database, DocumentId, Resolution};
use db_to_cloud_sqlite::SqliteDatabase;
use fastrand::Rng;
use serde_json::{Map, Value};

use crate::application::{Application, Tree, id_text};
use crate::plan::Editors;
use crate::seeds::play_all;
use crate::tables::operations::Transaction;
use crate::tables::rows::{connect, fault, file, read};
use crate::tables::schemas::{BIG, SCHEMAS, Schema, Table};

/// A database of this schema.
#[derive(Clone, Copy, Debug)]
struct Tables(&'static Schema);

impl Tables {
    fn table(&self, id: &str) -> Option<(&'static Table, String)> {
        let [table, key] = serde_json::from_str::<[Value; 2]>(id).ok()?;
        let found = self.0.tables.iter().find(|found| table == found.name)?;
        Some((found, key.to_string().to_lowercase()))
    }
}

#[async_trait]
impl Application for Tables {
    type Op = Transaction;

    fn name(&self) -> String {
        format!("tables `{}`", self.0.name)
    }

    fn any(&self, dice: &mut Rng, is_first: bool) -> Transaction {
        Transaction::any(self.0, dice, is_first)
    }

    fn edit_of(&self, id: &DocumentId, text: &str) -> Transaction {
        let [table, key] = serde_json::from_str::<[Value; 2]>(&id_text(id)).unwrap();
        let table = table.as_str().unwrap_or_default();
        let key = key.to_string().replace('"', "'");
        Transaction(format!("UPDATE {table} SET v = '{text}' WHERE id = {key}"))
    }

    fn create(&self, home: &Path) {
        std::fs::create_dir(home).unwrap();
        let app = connect(home);
        app.execute_batch("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF").unwrap();
        app.execute_batch(self.0.sql).unwrap();
    }

    async fn open(&self, home: &Path) -> (Arc<dyn Database>, Arc<dyn StateStore>) {
        let tables = self.0.tables.iter().map(|table| table.name);
        let database = SqliteDatabase::open(file(home), tables).unwrap();
        let state = database.state("cloud").await.unwrap();
        (Arc::new(database), Arc::new(state))
    }

    fn make(&self, home: &Path, op: &Transaction) {
        let app = connect(home);
        // What a constraint does not allow the application gives up.
        if app.execute_batch(&format!("BEGIN IMMEDIATE; {}; COMMIT", op.0)).is_err() {
            let _ = app.execute_batch("ROLLBACK");
        }
    }

    fn read(&self, home: &Path) -> Tree {
        read(&connect(home), self.0)
    }

    /// What a user wrote; a foreign key may change the rest of the row.
    fn essence(&self, text: &str) -> String {
        let row = serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
        row.get("v").map_or_else(|| text.to_owned(), Value::to_string)
    }

    fn clash(&self, (one, text): (&str, &str), (other, other_text): (&str, &str)) -> bool {
        let (Some((table, key)), Some((same, other_key))) = (self.table(one), self.table(other))
        else {
            return false;
        };
        if table.name != same.name {
            return false;
        }
        if table.ignores_case && key == other_key {
            return true;
        }
        let row = |text| serde_json::from_str::<Map<String, Value>>(text).unwrap_or_default();
        let (row, other) = (row(text), row(other_text));
        let value = |row: &Map<String, Value>, column: &&str| row.get(*column).cloned();
        let is_equal = |column: &&str| {
            let value = value(&row, column).filter(|value| !value.is_null());
            value.is_some() && value == other.get(*column).cloned()
        };
        !table.unique.is_empty() && table.unique.iter().all(is_equal)
    }

    fn parent(&self, id: &str, text: &str) -> Option<String> {
        let (table, _) = self.table(id)?;
        let row = serde_json::from_str::<Map<String, Value>>(text).ok()?;
        let key = row.get("p").filter(|key| !key.is_null())?;
        let parent = Value::from(vec![Value::from(table.parent?), key.clone()]);
        Some(parent.to_string())
    }

    fn has_actions(&self) -> bool {
        self.0.tables.iter().any(|table| table.parent.is_some())
    }

    fn fault(&self, home: &Path) -> Option<String> {
        fault(&connect(home))
    }

    /// An edit wins over a delete, and of two edits the one whose text is greater.
    fn decide(&self, conflict: &Conflict) -> Resolution {
        match (&conflict.local, &conflict.remote) {
            (Some(local), Some(remote)) if local.bytes > remote.bytes => Resolution::KeepLocal,
            (Some(_), None) => Resolution::KeepLocal,
            _ => Resolution::TakeRemote,
        }
    }
}

fn all() -> Vec<Tables> {
    SCHEMAS.iter().map(Tables).collect()
}

#[test]
fn one_device_at_a_time_edits_tables() {
    play_all(&all(), Editors::One, 10, None);
}

#[test]
fn all_devices_edit_tables() {
    // Not keys that ignore case, of which docs/testing.md says what is open.
    let exact = |tables: &Tables| tables.0.tables.iter().all(|table| !table.ignores_case);
    play_all(&all().into_iter().filter(exact).collect::<Vec<_>>(), Editors::All, 10, None);
}

#[test]
fn a_list_longer_than_a_batch_is_renumbered() {
    play_all(&[Tables(&BIG)], Editors::One, 4, None);
}
