//! What the file says of a table that is synced.

use rusqlite::{Connection, OptionalExtension, params};

use crate::cell::write_json;
use crate::shape::Shape;

/// A table that was synced before.
pub(crate) struct Known {
    /// Its number in the file.
    pub source: i64,
    /// The id columns, as JSON.
    pub keys: String,
    /// The columns besides them, by their names in documents.
    fields: Vec<String>,
    /// Earlier releases left columns with their default out of documents: which.
    short: bool,
}

impl Known {
    pub(crate) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT id, keys, fields, added <> '{}' FROM db_to_cloud_tables WHERE name = ?1";
        let known = connection.query_row(sql, [table], |row| {
            let fields = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
            Ok(Self { source: row.get(0)?, keys: row.get(1)?, fields, short: row.get(3)? })
        });
        known.optional()
    }

    pub(crate) fn new(connection: &Connection, shape: &Shape) -> rusqlite::Result<Self> {
        let (keys, fields) = (json(&shape.keys), fields(shape));
        let sql = "INSERT INTO db_to_cloud_tables (name, keys, width, fields, added)
            VALUES (?1, ?2, ?3, ?4, '{}')";
        connection.execute(sql, params![shape.name, keys, shape.width(), json(&fields)])?;
        Ok(Self { source: connection.last_insert_rowid(), keys, fields, short: false })
    }

    /// Whether a column was there.
    pub(crate) fn has(&self, field: &str) -> bool {
        self.fields.iter().any(|known| known == field)
    }

    /// Whether a column went.
    pub(crate) fn misses(&self, shape: &Shape) -> bool {
        let is_there = |field: &String| shape.view.columns.iter().any(|c| c.field == *field);
        !self.fields.iter().all(is_there)
    }

    /// Whether earlier releases left columns with their default out of documents.
    pub(crate) fn had_short_documents(&self) -> bool {
        self.short
    }

    /// Whether columns came or went.
    pub(crate) fn is_other(&self, shape: &Shape) -> bool {
        self.short || self.fields != fields(shape)
    }

    /// From now on the table is known as it is.
    pub(crate) fn renew(&self, connection: &Connection, shape: &Shape) -> rusqlite::Result<()> {
        let sql = "UPDATE db_to_cloud_tables SET keys = ?2, width = ?3, fields = ?4, added = '{}'
            WHERE id = ?1";
        let (keys, fields) = (json(&shape.keys), json(&fields(shape)));
        connection.execute(sql, params![self.source, keys, shape.width(), fields]).map(drop)
    }
}

fn fields(shape: &Shape) -> Vec<String> {
    shape.view.columns.iter().map(|column| column.field.clone()).collect()
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    write_json(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}
