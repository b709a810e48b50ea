//! From what the triggers wrote to the records of the client state.
//!
//! A trigger only appends the id of the row. Whoever reads or writes the state puts what was
//! appended into the records first, in the same transaction: so it looks as if each edit had been
//! queued in full when it was made. That the index is written by the state alone makes it so: the
//! version that an edit was made on is still the indexed one when the edit comes here.

use std::collections::HashMap;

use db_to_cloud::DocumentId;
use db_to_cloud::state::{Table, Update, queue_change};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::cell::Cell;
use crate::key::RowKey;
use crate::{extra, records};

/// Edits that are put into the records in one transaction: longer ones would keep the application
/// waiting.
const STEP: usize = 5000;

const AFTER: &str = "SELECT q.seq, q.moved, q.remote, q.source, t.name, t.width,
        q.k1, q.k2, q.k3, q.k4, q.k5, q.k6, q.k7, q.k8
    FROM db_to_cloud_queue q JOIN db_to_cloud_tables t ON t.id = q.source
    WHERE q.seq > ?1 ORDER BY q.seq LIMIT ?2";

/// What a trigger wrote.
pub(crate) struct Edit {
    pub seq: i64,
    /// The next edit is of the same row under its new id.
    pub moved: bool,
    remote: Option<i64>,
    source: i64,
    pub key: RowKey,
}

impl Edit {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let width: u8 = row.get(5)?;
        let cells = (0..usize::from(width)).map(|i| Ok(Cell::from(row.get_ref(6 + i)?)));
        let cells = cells.collect::<rusqlite::Result<_>>()?;
        let (moved, table) = (row.get(1)?, row.get(4)?);
        let key = RowKey { table, cells };
        Ok(Self { seq: row.get(0)?, moved, remote: row.get(2)?, source: row.get(3)?, key })
    }
}

/// Whether anything waits.
pub(crate) fn is_waiting(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_queue)";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Puts all that waits into the records, in transactions of a bounded length.
pub(crate) fn drain_all(connection: &mut Connection) -> rusqlite::Result<()> {
    while is_waiting(connection)? {
        let transaction = crate::schema::immediate(connection)?;
        drain(&transaction, STEP)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Puts the first so many edits into the records. It must be in a transaction.
pub(crate) fn drain(connection: &Connection, limit: usize) -> rusqlite::Result<()> {
    let mut edits = edits(connection, 0, limit)?;
    if edits.len() == limit {
        // Both halves of a move come together.
        edits.pop_if(|last| last.moved);
    }
    let Some(last) = edits.last().map(|edit| edit.seq) else { return Ok(()) };
    let mut synced: HashMap<i64, Vec<i64>> = HashMap::new();
    let mut number = numbers(connection, edits.len())?;
    for (i, edit) in edits.iter().enumerate() {
        if let Some(next) = edits.get(i + 1).filter(|_| edit.moved) {
            extra::copy(connection, &edit.key.id(), &next.key.id())?;
        }
        let remotes = match (edit.remote, synced.get(&edit.source)) {
            (Some(remote), _) => vec![remote],
            (None, Some(remotes)) => remotes.clone(),
            (None, None) => {
                let remotes = remotes(connection, edit.source)?;
                synced.insert(edit.source, remotes.clone());
                remotes
            }
        };
        let id = edit.key.id();
        let replaced = look_at_extra(connection, &id, &edit.key)?;
        number += 1;
        for remote in remotes {
            queue_as(connection, remote, &id.to_key(), number, replaced)?;
        }
    }
    let sql = "DELETE FROM db_to_cloud_queue WHERE seq <= ?1";
    connection.prepare_cached(sql)?.execute([last]).map(drop)
}

/// What is kept of a document goes with its row. A row that came by itself under the id of a held
/// document takes its place, not knowing of it; says whether.
fn look_at_extra(connection: &Connection, id: &DocumentId, key: &RowKey) -> rusqlite::Result<bool> {
    let Some(is_held) = extra::is_held(connection, id)? else { return Ok(false) };
    let is_there = is_row(connection, key)?;
    if is_held == is_there {
        extra::forget(connection, id)?;
    }
    Ok(is_held && is_there)
}

/// What the triggers wrote after this.
pub(crate) fn edits_after(connection: &Connection, after: i64) -> rusqlite::Result<Vec<Edit>> {
    edits(connection, after, usize::MAX)
}

fn edits(connection: &Connection, after: i64, limit: usize) -> rusqlite::Result<Vec<Edit>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(AFTER)?;
    statement.query_map([after, limit], Edit::of)?.collect()
}

/// Queues one document for one remote.
pub(crate) fn queue(connection: &Connection, remote: i64, key: &str) -> rusqlite::Result<()> {
    let number = numbers(connection, 1)? + 1;
    queue_as(connection, remote, key, number, false)
}

/// QueueChange (rule C3). An edit that did not know of the indexed version is an edit on none: it
/// becomes a conflict.
fn queue_as(
    connection: &Connection,
    remote: i64,
    key: &str,
    number: u64,
    unaware: bool,
) -> rusqlite::Result<()> {
    let record = |table| records::get(connection, remote, table, key);
    let queued = record(Table::Dirty)?;
    let indexed = match (&queued, unaware) {
        (Some(_), _) | (None, true) => None,
        (None, false) => match record(Table::Index)? {
            None => record(Table::Tombstones)?,
            indexed => indexed,
        },
    };
    let value = queue_change(queued.as_deref(), indexed.as_deref(), number)
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    let update = Update { table: Table::Dirty, key: key.to_owned(), value: Some(value) };
    records::set(connection, remote, &update)
}

/// Takes so many numbers for edits, none of which was ever used; the first is one more than this.
fn numbers(connection: &Connection, count: usize) -> rusqlite::Result<u64> {
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    let sql = "UPDATE db_to_cloud_format SET edits = edits + ?1 RETURNING edits - ?1";
    let first: i64 = connection.prepare_cached(sql)?.query_row([count], |row| row.get(0))?;
    Ok(first.unsigned_abs())
}

/// Whether there is such a row, by what was known of its table when its triggers were made.
fn is_row(connection: &Connection, key: &RowKey) -> rusqlite::Result<bool> {
    // The application may have dropped it since.
    let sql = "SELECT keys FROM db_to_cloud_tables t WHERE name = ?1 AND EXISTS (
        SELECT 1 FROM sqlite_schema s WHERE s.type = 'table' AND lower(s.name) = t.name)";
    let keys = connection.query_row(sql, [&key.table], |row| row.get::<_, String>(0)).optional()?;
    let Some(keys) = keys else { return Ok(false) };
    let keys: Vec<String> = serde_json::from_str(&keys).unwrap_or_default();
    key.is_there(connection, &key.table, &keys)
}

fn remotes(connection: &Connection, source: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT remote FROM db_to_cloud_synced WHERE source = ?1";
    connection.prepare_cached(sql)?.query_map(params![source], |row| row.get(0))?.collect()
}
