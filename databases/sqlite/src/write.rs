//! One document into its row.

use db_to_cloud::{Document, DocumentId};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, params_from_iter};
use serde_json::Map;

use crate::cell::Cell;
use crate::document::{decode, document, encode};
use crate::error::SqliteError;
use crate::extra;
use crate::key::RowKey;
use crate::parents::Awaited;
use crate::read::{Current, row};
use crate::shape::Shape;

/// Why a write did not come about. What it did must be rolled back.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// It refers to a row that is not there.
    Awaits(Awaited, String),
    /// It is this one's own trouble.
    Document(SqliteError),
    /// The whole transaction failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unwritten {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// A row that is to be written.
pub(crate) struct Row<'a> {
    pub connection: &'a Connection,
    pub shape: &'a Shape,
    pub key: &'a RowKey,
    pub id: &'a DocumentId,
}

impl Row<'_> {
    /// Makes the row what the document says.
    pub(crate) fn put(&self, current: &Current, wanted: &Document) -> Result<(), Unwritten> {
        let (present, values) = self.values(wanted)?;
        let sql = match current.has_row {
            true => self.shape.view.statements.update(&present, &self.shape.view.columns),
            false => self.shape.view.statements.insert(&present),
        };
        let values: Vec<_> = self.key.cells.iter().chain(&values).collect();
        self.execute(&sql, &values)?;
        let mut cells = self.read_back()?;
        if self.shape.has_triggers && !holds(&present, &values[self.key.cells.len()..], &cells) {
            // The application's triggers are to see the row, but not to edit it as if on this device:
            // two devices would then answer each other for ever.
            let sql = self.shape.view.statements.update(&present, &self.shape.view.columns);
            self.without_triggers(|| self.execute(&sql, &values))?;
            cells = self.read_back()?;
        }
        let own = encode(&self.shape.view, &cells, &Map::new());
        if own[..] != wanted.bytes[..]
            || document(&self.shape.view, &cells, own.clone()).revision != wanted.revision
        {
            extra::keep(self.connection, self.id, &own, wanted)?;
        } else if current.has_extra {
            extra::forget(self.connection, self.id)?;
        }
        Ok(())
    }

    /// Which columns the document has, and their values.
    fn values(&self, wanted: &Document) -> Result<(Vec<bool>, Vec<Cell>), Unwritten> {
        let malformed =
            |why| Unwritten::Document(SqliteError::Malformed { id: self.id.clone(), why });
        let fields = decode(&wanted.bytes).ok_or_else(|| malformed("it is not a JSON object"))?;
        let fields = self.shape.view.columns.iter().map(|column| fields.get(&column.field));
        let present = fields.clone().map(|field| field.is_some()).collect();
        let cells: Option<_> = fields.flatten().map(Cell::from_json).collect();
        Ok((present, cells.ok_or_else(|| malformed("a field holds what is no value of SQLite"))?))
    }

    pub(crate) fn delete(&self) -> Result<(), Unwritten> {
        let keys: Vec<_> = self.key.cells.iter().collect();
        self.execute(&self.shape.view.statements.delete, &keys)?;
        match row(self.connection, &self.shape.view, self.key)? {
            None => Ok(()),
            Some(_) => Err(self.ignored()),
        }
    }

    /// For which rows it waits.
    pub(crate) fn check_parents(&self) -> Result<(), Unwritten> {
        for parent in &self.shape.parents {
            if let Some(awaited) = parent.missing(self.connection, self.key)? {
                return Err(Unwritten::Awaits(awaited, parent.table.clone()));
            }
        }
        Ok(())
    }

    fn execute(&self, sql: &str, values: &[&Cell]) -> Result<(), Unwritten> {
        let mut statement = self.connection.prepare_cached(sql)?;
        match statement.execute(params_from_iter(values)) {
            Ok(_) => Ok(()),
            Err(source) if is_rows_own(&source) && !self.connection.is_autocommit() => {
                Err(Unwritten::Document(SqliteError::Refused { id: self.id.clone(), source }))
            }
            Err(source) => Err(source.into()),
        }
    }

    fn read_back(&self) -> Result<Vec<Cell>, Unwritten> {
        row(self.connection, &self.shape.view, self.key)?.ok_or_else(|| self.ignored())
    }

    fn ignored(&self) -> Unwritten {
        Unwritten::Document(SqliteError::Ignored { id: self.id.clone() })
    }

    fn without_triggers<T>(
        &self,
        write: impl FnOnce() -> Result<T, Unwritten>,
    ) -> Result<T, Unwritten> {
        let enable = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
        self.connection.set_db_config(enable, false)?;
        let written = write();
        self.connection.set_db_config(enable, true)?;
        written
    }
}

/// Whether the row has the values that were written.
fn holds(present: &[bool], values: &[&Cell], cells: &[Cell]) -> bool {
    let present = cells.iter().zip(present).filter(|(_, present)| **present);
    present.map(|(cell, _)| cell).eq(values.iter().copied())
}

/// Errors that say something of one row.
fn is_rows_own(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch))
}
