//! Whether one database cannot hold two documents.

use rusqlite::Connection;
use serde_json::{Map, Value};

use crate::drawn::cells::literal;
use crate::drawn::operations::parse;
use crate::drawn::schema::Schema;
use crate::drawn::shape::Role;

/// Asks SQLite, with an empty table of this schema. A document is its id and its text.
pub(super) fn clash(schema: &Schema, one: (&str, &str), other: (&str, &str)) -> bool {
    let (Some((i, keys)), Some((j, others))) = (parse(schema, one.0), parse(schema, other.0))
    else {
        return false;
    };
    if i != j {
        return false;
    }
    let scratch = Connection::open_in_memory().unwrap();
    scratch.pragma_update(None, "foreign_keys", false).unwrap();
    scratch.execute_batch(&schema.create_table(i, &schema.tables[i].name)).unwrap();
    schema.create_indexes(i).iter().for_each(|sql| scratch.execute_batch(sql).unwrap());
    let insert = |keys, text| scratch.execute_batch(&insert(schema, i, keys, text));
    insert(keys, one.1).is_ok() && insert(others, other.1).is_err()
}

fn insert(schema: &Schema, i: usize, keys: Vec<Value>, text: &str) -> String {
    let mut row: Map<String, Value> = serde_json::from_str(text).unwrap_or_default();
    let table = &schema.tables[i];
    let mut names: Vec<_> = table.of_role(Role::Key).collect();
    names.sort_by(|a, b| a.tag.cmp(&b.tag));
    let mut all: Vec<(&str, String)> =
        names.iter().map(|c| c.name.as_str()).zip(keys.iter().map(literal)).collect();
    for column in table.synced() {
        if let Some(value) = row.remove(&column.name.to_ascii_lowercase()) {
            all.push((&column.name, literal(&value)));
        }
    }
    let names: Vec<_> = all.iter().map(|(name, _)| format!("\"{name}\"")).collect();
    let values: Vec<_> = all.into_iter().map(|(_, value)| value).collect();
    format!(
        "INSERT OR ABORT INTO \"{}\"({}) VALUES ({})",
        table.name,
        names.join(", "),
        values.join(", ")
    )
}
