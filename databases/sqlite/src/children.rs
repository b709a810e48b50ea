//! Foreign keys, seen from the row that is referred to.
//!
//! SQLite does not enforce them for what a sync writes: its actions would change rows that the other
//! device did not change. Instead each row that is deleted, or loses a value that others refer to, is
//! looked after here. Rows of synced tables are in the way of it: they have writes of their own or
//! were made on this device. In tables that are not synced the action of the foreign key is done, as
//! there is nobody else to do it.

use std::collections::HashMap;
use std::sync::Arc;

use db_to_cloud::DocumentId;
use rusqlite::{Connection, params_from_iter};

use crate::cell::Cell;
use crate::key::RowKey;
use crate::parents::cells;
use crate::statements::quoted;

/// The foreign keys of the file, by the table that they refer to, in lower case.
pub(crate) type Children = HashMap<String, Vec<Arc<Child>>>;

/// A foreign key.
#[derive(Debug, Default)]
pub(crate) struct Child {
    /// The table that has it.
    pub table: String,
    pub from: Vec<String>,
    /// The columns that it refers to.
    pub to: Vec<String>,
    /// Their collations, if they have any.
    pub collations: Vec<Option<String>>,
    /// The table that they are in.
    pub parent: String,
    pub on_delete: String,
    pub on_update: String,
    /// The id columns of the table, if it is synced.
    pub keys: Option<Vec<String>>,
}

/// Values that a row had and has no more.
#[derive(Debug)]
pub(crate) struct Left {
    pub child: Arc<Child>,
    pub values: Vec<Cell>,
    /// What the row has instead; `None` if it was deleted.
    pub new: Option<Vec<Cell>>,
}

/// Rows that refer to what is not there any more, and would go on to.
#[derive(Debug)]
pub(crate) struct Dangling {
    /// Their documents; none if they are in a table that is not synced.
    pub ids: Vec<DocumentId>,
    pub table: String,
}

impl Child {
    /// Whether the table is synced.
    pub(crate) fn is_synced(&self) -> bool {
        self.keys.is_some()
    }

    fn from(&self, name: &str) -> String {
        format!("{}.{}", quoted(&self.table), quoted(name))
    }

    /// Which rows of the table have these values.
    fn has(&self) -> String {
        let has = self.from.iter().zip(&self.collations).enumerate().map(|(i, (name, c))| {
            let collation = c.as_ref().map_or(String::new(), |c| format!(" COLLATE {}", quoted(c)));
            format!("{}{collation} = ?{}", self.from(name), i + 1)
        });
        has.collect::<Vec<_>>().join(" AND ")
    }

    /// Which of them refer to no row.
    fn dangling(&self) -> String {
        let is_there = self.to.iter().zip(&self.from);
        let is_there = is_there.map(|(to, name)| format!("p.{} = {}", quoted(to), self.from(name)));
        let is_there = is_there.collect::<Vec<_>>().join(" AND ");
        let parent = quoted(&self.parent);
        format!("{} AND NOT EXISTS (SELECT 1 FROM {parent} AS p WHERE {is_there})", self.has())
    }

    fn select(&self, columns: &str, condition: &str) -> String {
        format!("SELECT {columns} FROM {} WHERE {condition}", quoted(&self.table))
    }

    /// Rows of a synced table that refer to these values, `most` of them.
    pub(crate) fn standing(
        &self,
        connection: &Connection,
        left: &Left,
        most: usize,
    ) -> rusqlite::Result<Vec<DocumentId>> {
        match (&self.keys, left.values.contains(&Cell::Null)) {
            (Some(keys), false) => self.rows(connection, left, keys, &self.has(), most),
            _ => Ok(Vec::new()),
        }
    }

    /// The rows of a synced table of which this is true, `most` of them.
    fn rows(
        &self,
        connection: &Connection,
        left: &Left,
        keys: &[String],
        condition: &str,
        most: usize,
    ) -> rusqlite::Result<Vec<DocumentId>> {
        let list = keys.iter().map(|key| quoted(key)).collect::<Vec<_>>().join(", ");
        let place = left.values.len() + 1;
        let sql = format!("{} LIMIT ?{place}", self.select(&list, condition));
        let mut statement = connection.prepare_cached(&sql)?;
        let table = self.table.to_ascii_lowercase();
        let id = |row: &rusqlite::Row<'_>| {
            Ok(RowKey { table: table.clone(), cells: cells(row, keys.len())? }.id())
        };
        let most = Cell::Integer(i64::try_from(most).unwrap_or(i64::MAX));
        let values = left.values.iter().chain(std::iter::once(&most));
        statement.query_map(params_from_iter(values), id)?.collect()
    }
}

/// Sees to what refers to these values: the rows that are in the way, `most` of them; `None` if
/// nothing refers to them any more.
pub(crate) fn settle(
    connection: &Connection,
    children: &Children,
    left: &Left,
    most: usize,
) -> rusqlite::Result<Option<Dangling>> {
    let child = &*left.child;
    let dangling = |ids| Some(Dangling { ids, table: child.table.clone() });
    if left.values.contains(&Cell::Null) {
        return Ok(None);
    }
    if let Some(keys) = &child.keys {
        let ids = child.rows(connection, left, keys, &child.dangling(), most)?;
        return Ok(if ids.is_empty() { None } else { dangling(ids) });
    }
    let exists = format!("SELECT EXISTS ({})", child.select("1", &child.dangling()));
    let mut exists = connection.prepare_cached(&exists)?;
    if !exists.query_row(params_from_iter(&left.values), |row| row.get(0))? {
        return Ok(None);
    }
    match act(connection, children, left)? {
        Acted::Done => Ok(None),
        Acted::Not => Ok(dangling(Vec::new())),
        // Rows below it are in the way: nobody but this device changes what leads to them.
        Acted::Dangling(table) => Ok(Some(Dangling { ids: Vec::new(), table })),
    }
}

enum Acted {
    Done,
    Not,
    Dangling(String),
}

/// Does what the foreign key of a table that is not synced says.
fn act(connection: &Connection, children: &Children, left: &Left) -> rusqlite::Result<Acted> {
    let child = &*left.child;
    let (table, condition) = (quoted(&child.table), child.dangling());
    let set = |value: &dyn Fn(usize) -> String| {
        let set =
            child.from.iter().enumerate().map(|(i, c)| format!("{} = {}", quoted(c), value(i)));
        let set = set.collect::<Vec<_>>().join(", ");
        format!("UPDATE {table} SET {set} WHERE {condition}")
    };
    let action = left.new.as_ref().map_or(&child.on_delete, |_| &child.on_update);
    let count = child.from.len();
    let sql = match (action.as_str(), &left.new) {
        ("CASCADE", None) => format!("DELETE FROM {table} WHERE {condition}"),
        ("CASCADE", Some(_)) => set(&|i| format!("?{}", count + i + 1)),
        ("SET NULL", _) => set(&|_| "NULL".to_owned()),
        _ => return Ok(Acted::Not),
    };
    let below = below(connection, children, left)?;
    let new = left.new.iter().flatten().filter(|_| action == "CASCADE");
    connection.prepare_cached(&sql)?.execute(params_from_iter(left.values.iter().chain(new)))?;
    for left in below {
        if let Some(Dangling { table, .. }) = settle(connection, children, &left, 1)? {
            return Ok(Acted::Dangling(table));
        }
    }
    Ok(Acted::Done)
}

/// What refers to the rows that are about to be changed.
fn below(connection: &Connection, children: &Children, left: &Left) -> rusqlite::Result<Vec<Left>> {
    let mut all = Vec::new();
    let name = left.child.table.to_ascii_lowercase();
    for child in children.get(&name).into_iter().flatten() {
        let list = child.to.iter().map(|to| quoted(to)).collect::<Vec<_>>().join(", ");
        let mut statement =
            connection.prepare_cached(&left.child.select(&list, &left.child.dangling()))?;
        let rows = statement.query_map(params_from_iter(&left.values), |row| {
            let values = cells(row, child.to.len())?;
            Ok(Left { child: child.clone(), values, new: None })
        })?;
        for row in rows {
            all.push(row?);
        }
    }
    Ok(all)
}
