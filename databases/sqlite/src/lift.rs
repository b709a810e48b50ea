//! Taking rows out of the way for a moment, whole, and putting them back.
//!
//! Rows that swap a unique value cannot be written one after another, whatever the order. So a row
//! is taken out while others are written in its place. Triggers see nothing of it: for them, as on the
//! device where the rows were edited, each row changes from what it was to what it becomes.

use std::sync::Arc;

use rusqlite::{Connection, params_from_iter};

use crate::cell::Cell;
use crate::guard;
use crate::key::RowKey;
use crate::parents::cells;
use crate::shape::Shape;
use crate::statements::marks;
use crate::write::{Unwritten, is_unique, silently};

/// A row that was taken out: all its columns, those too that are not synced.
#[derive(Debug)]
pub(crate) struct Lifted {
    shape: Arc<Shape>,
    cells: Vec<Cell>,
    insert: String,
}

/// Takes a row out, if it is there.
pub(crate) fn lift(
    connection: &Connection,
    shape: &Arc<Shape>,
    key: &RowKey,
) -> Result<Option<Lifted>, Unwritten> {
    let Shape { stored, view, .. } = &**shape;
    let (list, table, is_row) =
        (stored.join(", "), &view.statements.table, &view.statements.is_row);
    let select = format!("SELECT {list} FROM {table} WHERE {is_row}");
    let mut statement = connection.prepare_cached(&select)?;
    let mut rows = statement.query(params_from_iter(&key.cells))?;
    let Some(row) = rows.next()? else { return Ok(None) };
    let cells = cells(row, stored.len())?;
    drop(rows);
    silently(connection, || {
        let delete = || {
            connection
                .prepare_cached(&view.statements.delete)?
                .execute(params_from_iter(&key.cells))
        };
        Ok(guard::pass(connection, shape, delete).map(drop)?)
    })?;
    let marks = marks(1, stored.len());
    let insert = format!("INSERT OR ABORT INTO {table} ({list}) VALUES ({marks})");
    Ok(Some(Lifted { shape: shape.clone(), cells, insert }))
}

/// Puts a row back as it was.
pub(crate) fn put_back(connection: &Connection, row: &Lifted) -> Result<(), Unwritten> {
    silently(connection, || {
        let insert =
            || connection.prepare_cached(&row.insert)?.execute(params_from_iter(&row.cells));
        match guard::pass(connection, &row.shape, insert) {
            Ok(_) => Ok(()),
            // A trigger of the application wrote a row in its place.
            Err(source) if is_unique(&source) => Err(Unwritten::Constraint(source)),
            Err(source) => Err(source.into()),
        }
    })
}
