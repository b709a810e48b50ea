//! From what the triggers wrote to the records of the client state.
//!
//! A trigger only appends the id of the row. Whoever reads or writes the state puts what was
//! appended into the records first, in the same transaction: so it looks as if each edit had been
//! queued in full when it was made. That the index is written by the state alone makes it so: the
//! version that an edit was made on is still the indexed one when the edit comes here.

use std::collections::{HashMap, HashSet};

use db_to_cloud::DocumentId;
use db_to_cloud::state::{Table, Update, queue_change};
use rusqlite::{Connection, OptionalExtension, Row, params};

use crate::cell::Cell;
use crate::key::RowKey;
use crate::{attach, extra, records, taken};

/// Edits that are put into the records in one transaction: longer ones would keep the application
/// waiting.
const STEP: usize = 5000;

const AFTER: &str = "SELECT q.seq, q.moved, q.remote, q.source, t.name, t.width,
        q.made, q.k1, q.k2, q.k3, q.k4, q.k5, q.k6, q.k7, q.k8
    FROM db_to_cloud_queue q JOIN db_to_cloud_tables t ON t.id = q.source
    WHERE q.seq > ?1 ORDER BY q.seq LIMIT ?2";

/// What a trigger wrote.
pub(crate) struct Edit {
    pub seq: i64,
    /// The next edit is of the same row under its new id.
    pub moved: bool,
    remote: Option<i64>,
    pub source: i64,
    /// 1 if a row was inserted, -1 if one was deleted.
    pub made: Option<i64>,
    pub key: RowKey,
}

impl Edit {
    fn of(row: &Row<'_>) -> rusqlite::Result<Self> {
        let width: u8 = row.get(5)?;
        let cells = (0..usize::from(width)).map(|i| Ok(Cell::from(row.get_ref(7 + i)?)));
        let cells = cells.collect::<rusqlite::Result<_>>()?;
        let key = RowKey { table: row.get(4)?, cells };
        let (remote, source, made) = (row.get(2)?, row.get(3)?, row.get(6)?);
        Ok(Self { seq: row.get(0)?, moved: row.get(1)?, remote, source, made, key })
    }
}

/// Whether anything waits.
pub(crate) fn is_waiting(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_queue)";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Puts all that waits into the records, in transactions of a bounded length.
pub(crate) fn drain_all(connection: &mut Connection) -> rusqlite::Result<()> {
    let mut sources = HashSet::new();
    while is_waiting(connection)? {
        let transaction = crate::schema::immediate(connection)?;
        drain(&transaction, STEP, &mut sources)?;
        transaction.commit()?;
    }
    Ok(())
}

/// Puts all that waits into the records. It must be in a transaction.
pub(crate) fn drain_within(connection: &Connection) -> rusqlite::Result<()> {
    drain(connection, usize::MAX, &mut HashSet::new())
}

/// Puts up to this number of edits into the records, and notes of which tables they are. It must be in a
/// transaction.
fn drain(
    connection: &Connection,
    limit: usize,
    sources: &mut HashSet<i64>,
) -> rusqlite::Result<()> {
    let mut edits = edits(connection, 0, limit)?;
    if edits.len() == limit {
        // Both halves of a move come together.
        edits.pop_if(|last| last.moved);
    }
    let Some(last) = edits.last().map(|edit| edit.seq) else { return Ok(()) };
    let mut remotes = HashMap::new();
    for source in edits.iter().map(|edit| edit.source).collect::<HashSet<_>>() {
        remotes.insert(source, self::remotes(connection, source)?);
        sources.insert(source);
    }
    taken::count(connection, &edits, &remotes)?;
    move_extras(connection, &edits)?;
    let mut number = numbers(connection, edits.len())?;
    for edit in &edits {
        let id = edit.key.id();
        let replaced = look_at_extra(connection, &id, &edit.key, last)?;
        number += 1;
        let one = edit.remote.map(|remote| vec![remote]);
        for remote in one.as_ref().or(remotes.get(&edit.source)).into_iter().flatten() {
            queue_as(connection, *remote, &id.to_key(), number, replaced)?;
        }
    }
    let sql = "DELETE FROM db_to_cloud_queue WHERE seq <= ?1";
    connection.prepare_cached(sql)?.execute([last])?;
    match is_waiting(connection)? {
        true => Ok(()),
        false => taken::check(connection, sources),
    }
}

/// What is kept of a document goes along when its row gets another id, also by way of ids that it had for
/// a moment.
fn move_extras(connection: &Connection, edits: &[Edit]) -> rusqlite::Result<()> {
    for (edit, next) in edits.iter().zip(edits.iter().skip(1)).filter(|(edit, _)| edit.moved) {
        extra::rename(connection, &edit.key.id(), &next.key.id())?;
    }
    Ok(())
}

/// What is kept of a document goes with its row. A row that came by itself under the id of a held
/// document takes its place, not knowing of it; says whether.
fn look_at_extra(
    connection: &Connection,
    id: &DocumentId,
    key: &RowKey,
    last: i64,
) -> rusqlite::Result<bool> {
    let Some(is_held) = extra::is_held(connection, id)? else { return Ok(false) };
    let is_there = match is_row(connection, key) {
        // It is set aside, and so is what is kept of its rows.
        Err(error) if attach::is_schemas(&error) => return Ok(false),
        is_there => is_there?,
    };
    // A row that is not there may have got another id by an edit that is not looked at yet.
    if is_held == is_there && (is_held || !is_moved_later(connection, last)?) {
        extra::forget(connection, id)?;
    }
    Ok(is_held && is_there)
}

fn is_moved_later(connection: &Connection, last: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_queue WHERE seq > ?1 AND moved)";
    connection.prepare_cached(sql)?.query_row([last], |row| row.get(0))
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
        SELECT 1 FROM sqlite_schema s WHERE s.type = 'table' AND s.name = t.name COLLATE NOCASE)";
    let keys = connection.query_row(sql, [&key.table], |row| row.get::<_, String>(0)).optional()?;
    let Some(keys) = keys else { return Ok(false) };
    let keys: Vec<String> = serde_json::from_str(&keys).unwrap_or_default();
    key.is_there(connection, &key.table, &keys)
}

/// The remotes that a table is synced with.
pub(crate) fn remotes(connection: &Connection, source: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT remote FROM db_to_cloud_synced WHERE source = ?1";
    connection.prepare_cached(sql)?.query_map(params![source], |row| row.get(0))?.collect()
}
