//! What the file says of a table that is synced.

use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use crate::cell::write_json;
use crate::shape::{Column, Shape};

/// A table that was synced before.
pub(crate) struct Known {
    /// Its number in the file.
    pub source: i64,
    /// The id columns, as JSON.
    pub keys: String,
    /// The columns besides them, by their names in documents.
    fields: Vec<String>,
    /// What the schema said of them; earlier releases did not note it.
    definitions: Option<Map<String, Value>>,
    /// Earlier releases left columns with their default out of documents: which.
    short: bool,
}

impl Known {
    pub(crate) fn of(connection: &Connection, table: &str) -> rusqlite::Result<Option<Self>> {
        let sql = "SELECT id, keys, fields, added <> '{}', columns FROM db_to_cloud_tables WHERE name = ?1";
        let known = connection.query_row(sql, [table], |row| {
            let fields = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
            let definitions = row.get::<_, Option<String>>(4)?;
            let definitions = definitions.and_then(|text| serde_json::from_str(&text).ok());
            let (source, keys, short) = (row.get(0)?, row.get(1)?, row.get(3)?);
            Ok(Self { source, keys, fields, definitions, short })
        });
        known.optional()
    }

    pub(crate) fn new(connection: &Connection, shape: &Shape) -> rusqlite::Result<Self> {
        let (keys, fields) = (json(&shape.keys), fields(shape));
        let sql = "INSERT INTO db_to_cloud_tables (name, keys, width, fields, added)
            VALUES (?1, ?2, ?3, ?4, '{}')";
        connection.execute(sql, params![shape.name, keys, shape.width(), json(&fields)])?;
        let source = connection.last_insert_rowid();
        let known = Self { source, keys, fields, definitions: None, short: false };
        known.renew(connection, shape)?;
        Ok(known)
    }

    /// Whether a column was there. As long as the triggers were, only a column that was dropped and made anew
    /// is defined in another way.
    pub(crate) fn has(&self, column: &Column, was_watched: bool) -> bool {
        let definition = self.definitions.as_ref().and_then(|all| all.get(&column.field));
        let is_same = definition.is_none_or(|definition| *definition == column.definition);
        self.fields.contains(&column.field) && (is_same || !was_watched)
    }

    /// Columns that went.
    pub(crate) fn dropped(&self, shape: &Shape) -> Vec<String> {
        let is_there = |field: &&String| shape.view.columns.iter().any(|c| c.field == **field);
        self.fields.iter().filter(|field| !is_there(field)).cloned().collect()
    }

    /// Whether earlier releases left columns with their default out of documents.
    pub(crate) fn had_short_documents(&self) -> bool {
        self.short
    }

    /// Whether columns came or went.
    pub(crate) fn is_other(&self, shape: &Shape) -> bool {
        let are_same = self.definitions.as_ref().is_none_or(|all| *all == definitions(shape));
        self.short || self.fields != fields(shape) || !are_same
    }

    /// Whether an earlier release noted less.
    pub(crate) fn is_old(&self) -> bool {
        self.definitions.is_none()
    }

    /// From now on the table is known as it is.
    pub(crate) fn renew(&self, connection: &Connection, shape: &Shape) -> rusqlite::Result<()> {
        let sql = "UPDATE db_to_cloud_tables SET keys = ?2, width = ?3, fields = ?4, added = '{}',
            columns = ?5 WHERE id = ?1";
        let (keys, fields) = (json(&shape.keys), json(&fields(shape)));
        let columns = json(&definitions(shape));
        let values = params![self.source, keys, shape.width(), fields, columns];
        connection.execute(sql, values).map(drop)
    }
}

fn fields(shape: &Shape) -> Vec<String> {
    shape.view.columns.iter().map(|column| column.field.clone()).collect()
}

fn definitions(shape: &Shape) -> Map<String, Value> {
    let columns = shape.view.columns.iter();
    columns.map(|column| (column.field.clone(), column.definition.clone().into())).collect()
}

pub(crate) fn json<T: serde::Serialize>(value: &T) -> String {
    let mut out = Vec::new();
    write_json(&mut out, value);
    String::from_utf8(out).unwrap_or_default()
}
