//! The rows of a file, read past the library.

use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;
use serde_json::{Map, Value};

use crate::application::Tree;
use crate::drawn::cells::json;
use crate::drawn::operations::parse;
use crate::drawn::schema::Schema;
use crate::drawn::shape::Role;

pub(super) fn file(home: &Path) -> PathBuf {
    home.join("app.db")
}

/// The application's own connection.
pub(super) fn connect(home: &Path, is_recursive: bool) -> Connection {
    let app = Connection::open(file(home)).unwrap();
    app.busy_timeout(Duration::from_secs(20)).unwrap();
    app.pragma_update(None, "foreign_keys", true).unwrap();
    app.pragma_update(None, "recursive_triggers", is_recursive).unwrap();
    app
}

/// The version of the application that wrote the file last.
pub(super) fn version(app: &Connection) -> usize {
    app.query_row("PRAGMA user_version", [], |row| row.get::<_, u32>(0)).unwrap() as usize
}

/// The documents of all rows.
pub(super) fn read(app: &Connection, schema: &Schema) -> Tree {
    let mut tree = Tree::new();
    for table in &schema.tables {
        let mut keys: Vec<_> = table.of_role(Role::Key).collect();
        keys.sort_by(|a, b| a.tag.cmp(&b.tag));
        let synced: Vec<_> = table.synced().collect();
        let names = keys.iter().chain(&synced).map(|column| format!("\"{}\"", column.name));
        let names = names.collect::<Vec<_>>().join(", ");
        let mut rows = app.prepare(&format!("SELECT {names} FROM \"{}\"", table.name)).unwrap();
        let mut rows = rows.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let mut id = vec![Value::from(table.name.to_lowercase())];
            id.extend((0..keys.len()).map(|i| json(row.get_ref(i).unwrap())));
            let fields = synced.iter().enumerate().map(|(i, column)| {
                (column.name.to_ascii_lowercase(), json(row.get_ref(keys.len() + i).unwrap()))
            });
            let document: Map<String, Value> = fields.collect();
            tree.insert(Value::from(id).to_string(), Value::from(document).to_string());
        }
    }
    tree
}

/// A document as a device with this schema has it as a row: with its columns and no others.
pub(super) fn fitted(schema: &Schema, id: &str, text: &str) -> String {
    let Some((i, _)) = parse(schema, id) else { return text.to_owned() };
    let mut there: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let fields = schema.tables[i].synced().map(|column| {
        let field = column.name.to_ascii_lowercase();
        let value = there.remove(&field).unwrap_or_else(|| column.default.clone());
        (field, value)
    });
    let fitted: Map<String, Value> = fields.collect();
    Value::from(fitted).to_string()
}

/// Without the fields that another schema does not have.
pub(super) fn common(schema: &Schema, id: &str, text: &str) -> String {
    let Some((i, _)) = parse(schema, id) else { return text.to_owned() };
    let mut row: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let is_there =
        |field: &str| schema.tables[i].synced().any(|c| c.name.to_ascii_lowercase() == field);
    row.retain(|field, _| is_there(field));
    Value::from(row).to_string()
}

/// What else an application sees, and what changes by itself is left out.
pub(super) fn read_all(app: &Connection, schema: &Schema) -> Tree {
    let mut tree = read(app, schema);
    tree.retain(|id, _| parse(schema, id).is_none_or(|(i, _)| !schema.tables[i].is_log));
    let times = schema.tables.iter().filter_map(|table| table.column("at"));
    let times: Vec<String> = times.map(|column| column.name.to_ascii_lowercase()).collect();
    for text in tree.values_mut() {
        let mut document: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
        document.retain(|field, _| !times.contains(field));
        *text = Value::from(document).to_string();
    }
    for (name, _) in schema.others.iter().filter(|(name, _)| name.starts_with("mirror")) {
        let mut rows = app.prepare(&format!("SELECT quote(k), quote(v) FROM {name}")).unwrap();
        let rows = rows.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).unwrap();
        tree.extend(
            rows.map(|row| row.unwrap()).map(|(key, text)| (format!("{name} {key}"), text)),
        );
    }
    tree
}

/// What is wrong with a file.
pub(super) fn fault(app: &Connection, schema: &Schema) -> Option<String> {
    let integrity: String = app.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    if integrity != "ok" {
        return Some(integrity);
    }
    let dangling = "SELECT \"table\", parent FROM pragma_foreign_key_check";
    let row = app.query_row(dangling, [], |row| {
        let names = (row.get::<_, String>(0)?, row.get::<_, String>(1)?);
        Ok(format!("a row of {} has no parent in {}", names.0, names.1))
    });
    if let Ok(dangling) = row {
        return Some(dangling);
    }
    for name in &schema.indexes {
        // With a rank of 1 it is compared with its table.
        let check = format!("INSERT INTO {name}({name}, rank) VALUES ('integrity-check', 1)");
        if let Err(error) = app.execute_batch(&check) {
            return Some(format!("the search index {name}: {error}"));
        }
    }
    for check in &schema.checks {
        let sql = schema.render(check);
        let wrong: i64 = app.query_row(&sql, [], |row| row.get(0)).unwrap();
        if wrong > 0 {
            return Some(format!("{wrong} rows are wrong by {sql}"));
        }
    }
    None
}
