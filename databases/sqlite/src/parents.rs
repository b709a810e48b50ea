//! Foreign keys: which row a row refers to, and whether it is there.

use rusqlite::{Connection, OptionalExtension, params_from_iter};

use crate::cell::Cell;
use crate::foreign_keys;
use crate::key::RowKey;
use crate::statements::{marks, quoted};

/// A foreign key of a table.
#[derive(Debug)]
pub(crate) struct Parent {
    /// The table it refers to, in lower case.
    pub table: String,
    /// The columns it refers to.
    pub columns: Vec<String>,
    /// Gives the values with which a row refers to a row that is not there.
    missing: String,
}

impl Parent {
    /// The foreign keys of a table whose rows are found by these columns.
    pub(crate) fn of(
        connection: &Connection,
        table: &str,
        keys: &[String],
    ) -> rusqlite::Result<Vec<Self>> {
        let foreign = foreign_keys::of(connection, table)?.into_iter();
        Ok(foreign.map(|key| Self::new(table, keys, &key.parent, &key.from, key.to)).collect())
    }

    fn new(table: &str, keys: &[String], parent: &str, from: &[String], to: Vec<String>) -> Self {
        let child = |name: &String| format!("child.{}", quoted(name));
        let from: Vec<_> = from.iter().map(child).collect();
        let is_row = keys.iter().enumerate().map(|(i, key)| format!("{} = ?{}", child(key), i + 1));
        let is_set = from.iter().map(|from| format!("{from} IS NOT NULL"));
        let is_there = to.iter().zip(&from).map(|(to, from)| format!("p.{} = {from}", quoted(to)));
        let missing = format!(
            "SELECT {} FROM {} AS child WHERE {} AND {}
                AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
            from.join(", "),
            quoted(table),
            is_row.collect::<Vec<_>>().join(" AND "),
            is_set.collect::<Vec<_>>().join(" AND "),
            quoted(parent),
            is_there.collect::<Vec<_>>().join(" AND "),
        );
        Self { table: parent.to_ascii_lowercase(), columns: lower(&to), missing }
    }

    /// For which row this one waits; `None` if all is there.
    pub(crate) fn missing(
        &self,
        connection: &Connection,
        key: &RowKey,
    ) -> rusqlite::Result<Option<Awaited>> {
        let mut statement = connection.prepare_cached(&self.missing)?;
        let count = statement.column_count();
        let values = statement.query_row(params_from_iter(&key.cells), |row| cells(row, count));
        Ok(values.optional()?.map(|values| Awaited::new(&self.table, &self.columns, values)))
    }
}

/// A row that others refer to by these values, as text. What may be equal to a column, by its type
/// or its collation, is the same text: who waits for one of them looks again when another one comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Awaited(pub String);

impl Awaited {
    fn new(table: &str, columns: &[String], values: Vec<Cell>) -> Self {
        let table = format!("{table} ({})", columns.join(", "));
        let cells = values.into_iter().map(alike).collect();
        Self(RowKey { table, cells }.id().to_string())
    }

    /// What others may wait for when this row comes.
    pub(crate) fn by(
        connection: &Connection,
        columns: &[String],
        table: &str,
        keys: &[String],
        key: &RowKey,
    ) -> rusqlite::Result<Option<Self>> {
        let list: Vec<_> = columns.iter().map(|name| quoted(name)).collect();
        let sql = format!(
            "SELECT {} FROM {} WHERE ({}) = ({})",
            list.join(", "),
            quoted(table),
            keys.iter().map(|key| quoted(key)).collect::<Vec<_>>().join(", "),
            marks(1, keys.len())
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let values =
            statement.query_row(params_from_iter(&key.cells), |row| cells(row, columns.len()));
        Ok(values.optional()?.map(|values| Self::new(&key.table, columns, values)))
    }
}

fn alike(cell: Cell) -> Cell {
    let text = |text: &[u8]| Cell::Text(text.trim_ascii_end().to_ascii_lowercase());
    match cell {
        Cell::Text(bytes) => text(&bytes),
        Cell::Integer(i) => text(i.to_string().as_bytes()),
        Cell::Real(f) => text(f.to_string().as_bytes()),
        cell => cell,
    }
}

/// The values of a row.
pub(crate) fn cells(row: &rusqlite::Row<'_>, count: usize) -> rusqlite::Result<Vec<Cell>> {
    (0..count).map(|i| Ok(Cell::from(row.get_ref(i)?))).collect()
}

fn lower(names: &[String]) -> Vec<String> {
    names.iter().map(|name| name.to_ascii_lowercase()).collect()
}
