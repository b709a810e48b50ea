//! The foreign keys of the file, as its schema describes them.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::Connection;

use crate::children::{Child, Children};
use crate::shape::Shape;

/// A foreign key of a table.
#[derive(Debug, Default)]
pub(crate) struct ForeignKey {
    /// The table it refers to.
    pub parent: String,
    pub from: Vec<String>,
    /// The columns it refers to.
    pub to: Vec<String>,
    on_update: String,
    on_delete: String,
}

/// Those of a table.
pub(crate) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Vec<ForeignKey>> {
    let sql = "SELECT id, \"table\", \"from\", \"to\", on_update, on_delete
        FROM pragma_foreign_key_list(?1) ORDER BY id, seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([table])?;
    let mut all: BTreeMap<i64, ForeignKey> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let key = all.entry(row.get(0)?).or_default();
        key.parent = row.get(1)?;
        key.from.push(row.get(2)?);
        key.to.extend(row.get::<_, Option<String>>(3)?);
        (key.on_update, key.on_delete) = (row.get(4)?, row.get(5)?);
    }
    let mut all: Vec<_> = all.into_values().collect();
    for key in &mut all {
        // Columns that are not named are those of the primary key.
        if key.to.len() < key.from.len() {
            key.to = primary_key(connection, &key.parent)?;
        }
    }
    // One that does not fit its parent is an error of the schema, for which SQLite refuses statements.
    all.retain(|key| key.to.len() == key.from.len());
    Ok(all)
}

/// Those that refer to each table, whether it is synced or not.
pub(crate) fn children(
    connection: &Connection,
    shapes: &HashMap<String, Arc<Shape>>,
) -> rusqlite::Result<Children> {
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'
        AND name NOT LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\' ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let tables = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let mut children = Children::new();
    for table in tables {
        let keys = shapes.get(&table.to_ascii_lowercase()).map(|shape| shape.keys.clone());
        for key in of(connection, &table)? {
            let parent = key.parent.to_ascii_lowercase();
            let shape = shapes.get(&parent);
            let collation = |to: &String| shape.and_then(|shape| shape.collation_of(to));
            let child = Child {
                collations: key.to.iter().map(collation).collect(),
                table: table.clone(),
                keys: keys.clone(),
                from: key.from,
                to: key.to,
                parent: key.parent,
                on_delete: key.on_delete,
                on_update: key.on_update,
            };
            children.entry(parent).or_default().push(Arc::new(child));
        }
    }
    Ok(children)
}

fn primary_key(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_xinfo(?1) WHERE pk > 0 ORDER BY pk";
    connection.prepare(sql)?.query_map([table], |row| row.get(0))?.collect()
}
