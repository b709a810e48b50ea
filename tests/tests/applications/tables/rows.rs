//! The database file, read past the library.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use serde_json::{Map, Value};

use crate::application::Tree;
use crate::tables::schemas::Schema;

pub(super) fn file(home: &Path) -> PathBuf {
    home.join("app.db")
}

/// The application's own connection.
pub(super) fn connect(home: &Path) -> Connection {
    let app = Connection::open(file(home)).unwrap();
    app.busy_timeout(Duration::from_secs(20)).unwrap();
    app.pragma_update(None, "foreign_keys", true).unwrap();
    app
}

/// All rows, of one moment.
pub(super) fn read(app: &Connection, schema: &Schema) -> Tree {
    let mut tree = Tree::new();
    let transaction = app.unchecked_transaction().unwrap();
    for table in schema.tables {
        read_into(&mut tree, &transaction, table.name);
    }
    tree
}

/// What SQLite finds wrong.
pub(super) fn fault(app: &Connection) -> Option<String> {
    let integrity: String = app.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if integrity != "ok" {
        return Some(integrity);
    }
    let dangling = "SELECT \"table\", rowid, parent FROM pragma_foreign_key_check";
    let row = app.query_row(dangling, [], |row| {
        let names = (row.get::<_, String>(0)?, row.get::<_, String>(2)?);
        Ok(format!("a row of {} has no parent in {}", names.0, names.1))
    });
    row.ok()
}

/// Every row as the JSON that the documentation of the library gives: sorted columns without the key.
fn read_into(tree: &mut Tree, app: &Connection, table: &str) {
    let mut rows = app.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let columns: Vec<String> = rows.column_names().map(str::to_owned).collect();
    let mut rows = rows.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let mut document = Map::new();
        for (i, column) in columns.iter().enumerate() {
            let value = match row.get_ref(i).unwrap() {
                ValueRef::Integer(number) => number.into(),
                ValueRef::Text(text) => String::from_utf8_lossy(text).into(),
                _ => Value::Null,
            };
            document.insert(column.clone(), value);
        }
        let key = document.remove("id").unwrap_or_default();
        let id = Value::from(vec![Value::from(table), key]).to_string();
        tree.insert(id, Value::Object(document).to_string());
    }
}
