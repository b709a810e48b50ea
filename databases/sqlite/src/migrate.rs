//! Columns that came or went since the table was last looked at.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use crate::cell::{Cell, write_json};
use crate::extra;
use crate::read::read_row;
use crate::shape::{Column, Shape, View};
use crate::write::{Row, Unwritten};

/// What the file says of a table that is synced.
pub(crate) struct Known {
    /// Its number in the file.
    pub source: i64,
    /// The id columns, as JSON.
    pub keys: String,
    fields: Vec<String>,
    /// Columns that were added, and the value that all rows had then.
    added: Map<String, Value>,
}

impl Known {
    pub(crate) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT id, keys, fields, added FROM db_to_cloud_tables WHERE name = ?1";
        let known = connection.query_row(sql, [table], |row| {
            Ok(Self {
                source: row.get(0)?,
                keys: row.get(1)?,
                fields: serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default(),
                added: serde_json::from_str(&row.get::<_, String>(3)?).unwrap_or_default(),
            })
        });
        known.optional()
    }

    pub(crate) fn new(connection: &Connection, shape: &Shape) -> rusqlite::Result<Self> {
        let (keys, fields) = (json(&shape.keys), fields(shape));
        let sql = "INSERT INTO db_to_cloud_tables (name, keys, width, fields, added)
            VALUES (?1, ?2, ?3, ?4, '{}')";
        connection.execute(sql, params![shape.name, keys, shape.width(), json(&fields)])?;
        Ok(Self { source: connection.last_insert_rowid(), keys, fields, added: Map::new() })
    }

    fn cell(&self, field: &str) -> Option<Cell> {
        self.added.get(field).and_then(Cell::from_json)
    }
}

/// Gives new columns what was kept for them; says whether any came or went.
pub(crate) fn migrate(
    connection: &Connection,
    shape: &mut Shape,
    known: &Known,
) -> rusqlite::Result<bool> {
    let is_known = |column: &Column| known.fields.contains(&column.field);
    let mut before = shape.view.columns.clone();
    before.retain(is_known);
    before.iter_mut().for_each(|column| column.added = known.cell(&column.field));
    let mut added = Map::new();
    for column in &mut shape.view.columns {
        column.added = match is_known(column) {
            true => known.cell(&column.field),
            false => Some(default_of(connection, column)?),
        };
        if let Some(cell) = &column.added {
            let mut value = Vec::new();
            cell.write_json(&mut value);
            let value = serde_json::from_slice(&value).unwrap_or_default();
            added.insert(column.field.clone(), value);
        }
    }
    let fields = fields(shape);
    if fields == known.fields {
        return Ok(false);
    }
    let sql = "UPDATE db_to_cloud_tables SET fields = ?2, added = ?3 WHERE id = ?1";
    connection.execute(sql, params![known.source, json(&fields), json(&added)])?;
    fill_in(connection, shape, before)?;
    Ok(true)
}

/// Rows of which more was kept than they could hold: they may hold it now.
fn fill_in(connection: &Connection, shape: &Shape, before: Vec<Column>) -> rusqlite::Result<()> {
    let revision = shape.view.revision.clone();
    let before = View::new(&shape.table, &shape.keys, before, revision);
    for (id, key) in extra::kept_of(connection, &shape.name)? {
        let was = read_row(connection, &before, &key, extra::get(connection, &id)?)?;
        let Some(document) = was.document.as_ref().filter(|_| was.has_row) else { continue };
        let row = Row { connection, shape, key: &key, id: &id };
        // What the table does not accept stays beside it.
        if let Err(Unwritten::Sqlite(error)) = row.put(&was, document) {
            return Err(error);
        }
    }
    Ok(())
}

/// The value that a column has in rows that were there before it.
fn default_of(connection: &Connection, column: &Column) -> rusqlite::Result<Cell> {
    let sql = format!("SELECT {}", column.default);
    connection.query_row(&sql, [], |row| Ok(Cell::from(row.get_ref(0)?)))
}

fn fields(shape: &Shape) -> Vec<String> {
    shape.view.columns.iter().map(|column| column.field.clone()).collect()
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    write_json(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}
