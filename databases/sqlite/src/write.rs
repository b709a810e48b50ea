//! One document into its row.

use std::collections::BTreeSet;

use db_to_cloud::{Document, DocumentId};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, ffi, params_from_iter};
use serde_json::Map;

use crate::attach::is_schemas;
use crate::cell::Cell;
use crate::document::{decode, document, encode};
use crate::error::SqliteError;
use crate::key::RowKey;
use crate::parents::{Awaited, cells};
use crate::read::{Current, row};
use crate::shape::{Column, Shape, View};
use crate::statements::{Set, or};
use crate::{extra, guard, probe};

/// Why a write did not come about. What it did must be rolled back.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// It refers to a row that is not there.
    Awaits(Awaited, String),
    /// SQLite refused the statement for what the row is.
    Constraint(rusqlite::Error),
    /// These rows have a value that must be unique.
    Taken(Vec<DocumentId>, Box<SqliteError>),
    /// These rows refer to it.
    Referred(Vec<DocumentId>, Box<SqliteError>),
    /// It is a delete, and others need the room that it makes.
    MakesRoom,
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

/// How a document is written.
struct Statement {
    sql: String,
    /// The id and the columns that the document has.
    values: Vec<Cell>,
}

impl Row<'_> {
    /// Makes the row what the document says; answers whether anything is kept beside it.
    pub(crate) fn put(&self, current: &Current, wanted: &Document) -> Result<bool, Unwritten> {
        let before = current.document.as_ref().filter(|_| current.has_row);
        let Statement { sql, values } = self.statement(current.has_row, before, wanted)?;
        if self.shape.has_conflict_clause {
            self.try_out(&sql, &values)?;
        }
        self.execute(&sql, &values)?;
        let cells = self.read_back()?;
        let own = encode(&self.shape.view, &cells, &Map::new());
        if own[..] != wanted.bytes[..]
            || document(&self.shape.view, &cells, own.clone()).revision != wanted.revision
        {
            extra::keep(self.connection, self.id, &self.shape.view, &cells, wanted)?;
            return Ok(true);
        }
        if current.has_extra {
            extra::forget(self.connection, self.id)?;
        }
        Ok(false)
    }

    /// Where the schema says `ON CONFLICT REPLACE`, `IGNORE` or the like, a statement that meets a
    /// conflict would take another row along or do nothing: so it is tried without triggers in a way
    /// that fails then. It cannot be the real one: the policy of a statement is that of the
    /// triggers which it fires, too.
    fn try_out(&self, sql: &str, values: &[Cell]) -> Result<(), Unwritten> {
        self.connection.execute_batch("SAVEPOINT db_to_cloud_trial")?;
        let tried = silently(self.connection, || self.execute(&or("ABORT", sql), values));
        let end = "ROLLBACK TO db_to_cloud_trial; RELEASE db_to_cloud_trial";
        tried.and_then(|()| Ok(self.connection.execute_batch(end)?))
    }

    /// How a document is written, in the place of the one `before`.
    ///
    /// A column that the document lacks gets its default if the one before had it: the row is as its document
    /// says, on all devices. If that one lacked it too, the row keeps what it has: a default may be another
    /// one each time, such as a random number.
    fn statement(
        &self,
        has_row: bool,
        before: Option<&Document>,
        wanted: &Document,
    ) -> Result<Statement, Unwritten> {
        let malformed =
            |why| Unwritten::Document(SqliteError::Malformed { id: self.id.clone(), why });
        let fields = decode(&wanted.bytes).ok_or_else(|| malformed("it is not a JSON object"))?;
        let View { columns, statements, .. } = &self.shape.view;
        let values = columns.iter().map(|column| fields.get(&column.field));
        let cells: Option<Vec<_>> = values.clone().flatten().map(Cell::from_json).collect();
        let cells = cells.ok_or_else(|| malformed("a field holds what is no value of SQLite"))?;
        let before = before.filter(|_| values.clone().any(|value| value.is_none()));
        let before = before.and_then(|before| decode(&before.bytes));
        let had = |column: &Column| before.as_ref().is_some_and(|b| b.contains_key(&column.field));
        let set = columns.iter().zip(values).map(|(column, value)| match value {
            Some(_) => Set::Value,
            None if had(column) => Set::Default,
            None => Set::Not,
        });
        let sql = match has_row {
            true => statements.update(&set.collect::<Vec<_>>(), columns),
            false => statements.insert(&set.collect::<Vec<_>>()),
        };
        Ok(Statement { sql, values: [self.key.cells.clone(), cells].concat() })
    }

    /// The documents of the rows that have what must be unique in the row that is wanted. All is as it
    /// was afterwards.
    ///
    /// TEMP triggers find them, see `probe`: they run before the statement fails, and `OR FAIL` leaves what
    /// they wrote.
    pub(crate) fn in_the_way(
        &self,
        current: Option<&Document>,
        wanted: &Document,
    ) -> Result<Vec<DocumentId>, Unwritten> {
        let mut found = BTreeSet::new();
        found.extend(self.alike()?.map(|key| key.id()));
        let has_row = row(self.connection, &self.shape.view, self.key)?.is_some();
        let Ok(Statement { sql, values, .. }) = self.statement(has_row, current, wanted) else {
            return Ok(Vec::new());
        };
        let found_here = probe::found(self.connection, self.shape, || {
            match self.execute(&or("FAIL", &sql), &values) {
                Ok(()) | Err(Unwritten::Constraint(_) | Unwritten::Document(_)) => Ok(()),
                Err(error) => Err(error),
            }
        })?;
        found.extend(found_here.into_iter().map(|key| key.id()));
        found.remove(self.id);
        Ok(found.into_iter().collect())
    }

    /// The id of the row that the table takes for this one; it may be spelled in another way.
    pub(crate) fn alike(&self) -> rusqlite::Result<Option<RowKey>> {
        let mut statement = self.connection.prepare_cached(&self.shape.view.statements.alike)?;
        let width = self.key.cells.len();
        let found = statement.query_row(params_from_iter(&self.key.cells), |row| cells(row, width));
        let key = |cells| RowKey { table: self.key.table.clone(), cells };
        Ok(found.optional()?.map(key))
    }

    /// Gives this id to a row that has another one.
    pub(crate) fn rename_from(&self, old: &RowKey) -> Result<(), Unwritten> {
        let ids = [old.cells.clone(), self.key.cells.clone()].concat();
        self.execute(&self.shape.view.statements.rename, &ids)
    }

    pub(crate) fn delete(&self) -> Result<(), Unwritten> {
        self.execute(&self.shape.view.statements.delete, &self.key.cells)
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

    fn execute(&self, sql: &str, values: &[Cell]) -> Result<(), Unwritten> {
        // What a trigger of the application lacks, such as a function, is found when the statement
        // is prepared.
        let execute = || self.connection.prepare_cached(sql)?.execute(params_from_iter(values));
        match guard::pass(self.connection, self.shape, execute) {
            Ok(0) => Err(self.ignored()),
            Ok(_) => Ok(()),
            Err(source) if is_schemas(&source) && !self.connection.is_autocommit() => {
                let id = self.id.clone();
                Err(Unwritten::Document(SqliteError::Unprepared { id, source }))
            }
            Err(source) if is_rows_own(&source) && !self.connection.is_autocommit() => {
                Err(Unwritten::Constraint(source))
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
}

/// Does what no trigger is to see.
pub(crate) fn silently<T>(
    connection: &Connection,
    work: impl FnOnce() -> Result<T, Unwritten>,
) -> Result<T, Unwritten> {
    let enable = DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER;
    connection.set_db_config(enable, false)?;
    let done = work();
    connection.set_db_config(enable, true)?;
    done
}

/// Whether a value that must be unique is another row's; it may be one of another table, to which a
/// trigger of the application writes.
pub(crate) fn is_unique(error: &rusqlite::Error) -> bool {
    use ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE};
    let codes = [SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE];
    error.sqlite_error().is_some_and(|error| codes.contains(&error.extended_code))
}

/// Errors that say something of one row.
fn is_rows_own(error: &rusqlite::Error) -> bool {
    use rusqlite::ErrorCode::{ConstraintViolation, TooBig, TypeMismatch};
    matches!(error.sqlite_error_code(), Some(ConstraintViolation | TooBig | TypeMismatch))
}
