//! The statements behind each call, all of them synchronous.

use std::collections::HashMap;

use db_to_cloud::state::{Table, Update, Written};
use rusqlite::{Connection, OptionalExtension, params};

const READ: &str =
    "SELECT value FROM db_to_cloud_records WHERE remote = ?1 AND kind = ?2 AND key = ?3";
const SCAN: &str = "SELECT key, value FROM db_to_cloud_records
    WHERE remote = ?1 AND kind = ?2 AND key >= ?3 ORDER BY key LIMIT ?4";
const COUNT: &str = "SELECT count(*) FROM db_to_cloud_records WHERE remote = ?1 AND kind = ?2";
const IS_EMPTY: &str =
    "SELECT NOT EXISTS (SELECT 1 FROM db_to_cloud_records WHERE remote = ?1 AND kind = ?2)";
const PUT: &str =
    "INSERT INTO db_to_cloud_records (remote, kind, key, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET value = excluded.value";
const REMOVE: &str = "DELETE FROM db_to_cloud_records WHERE remote = ?1 AND kind = ?2 AND key = ?3";

/// The number of a table in the file. Never change one.
pub(crate) fn number(table: Table) -> i64 {
    match table {
        Table::Metadata => 1,
        Table::Index => 2,
        Table::Tombstones => 3,
        Table::Dirty => 4,
        Table::Pending => 5,
        Table::Intents => 6,
        Table::GcSeen => 7,
    }
}

/// The values of the keys. One look-up a key in one transaction: all are of one moment, and a
/// prepared look-up costs SQLite less than a list of keys would.
pub(crate) fn read(
    transaction: &Connection,
    remote: i64,
    table: Table,
    keys: &[String],
) -> rusqlite::Result<Vec<Option<Vec<u8>>>> {
    if is_empty(transaction, remote, table)? {
        return Ok(vec![None; keys.len()]);
    }
    keys.iter().map(|key| get(transaction, remote, table, key)).collect()
}

/// Records after a key, in the order of their keys.
pub(crate) fn scan(
    connection: &Connection,
    remote: i64,
    table: Table,
    after: Option<&str>,
    limit: usize,
) -> rusqlite::Result<Vec<(Vec<u8>, Vec<u8>)>> {
    // The least key that is greater than `after` is `after` and a zero byte.
    let start = after.map(|key| [key.as_bytes(), b"\0"].concat()).unwrap_or_default();
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(SCAN)?;
    let rows = statement.query_map(params![remote, number(table), start, limit], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })?;
    rows.collect()
}

/// How many records a table holds.
pub(crate) fn count(connection: &Connection, remote: i64, table: Table) -> rusqlite::Result<u64> {
    let mut statement = connection.prepare_cached(COUNT)?;
    let count: i64 = statement.query_row(params![remote, number(table)], |row| row.get(0))?;
    Ok(count.unsigned_abs())
}

/// Makes all updates, if all the expected records are as given. It must be in a transaction, which is
/// rolled back if they are not.
pub(crate) fn write(
    transaction: &Connection,
    remote: i64,
    expected: &[Update],
    updates: &[Update],
) -> rusqlite::Result<Written> {
    for Update { table, key, value } in expected {
        if get(transaction, remote, *table, key)? != *value {
            return Ok(Written::Changed);
        }
    }
    set_all(transaction, remote, updates)?;
    Ok(Written::Done)
}

/// Writes or removes records, in this order. It must be in a transaction.
pub(crate) fn set_all<'a>(
    transaction: &Connection,
    remote: i64,
    updates: impl IntoIterator<Item = &'a Update>,
) -> rusqlite::Result<()> {
    // Most updates of a sync remove what is not there, from tables without any record.
    let mut filled = HashMap::new();
    for update in updates {
        let is_filled = match (filled.get(&update.table), &update.value) {
            (_, Some(_)) => true,
            (Some(is_filled), None) => *is_filled,
            (None, None) => !is_empty(transaction, remote, update.table)?,
        };
        filled.insert(update.table, is_filled);
        if is_filled {
            set(transaction, remote, update)?;
        }
    }
    Ok(())
}

/// Whether the table has no record.
fn is_empty(connection: &Connection, remote: i64, table: Table) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare_cached(IS_EMPTY)?;
    statement.query_row(params![remote, number(table)], |row| row.get(0))
}

/// One record's value.
pub(crate) fn get(
    connection: &Connection,
    remote: i64,
    table: Table,
    key: &str,
) -> rusqlite::Result<Option<Vec<u8>>> {
    let mut statement = connection.prepare_cached(READ)?;
    let row = params![remote, number(table), key.as_bytes()];
    statement.query_row(row, |row| row.get(0)).optional()
}

/// Writes or removes one record.
pub(crate) fn set(connection: &Connection, remote: i64, update: &Update) -> rusqlite::Result<()> {
    let Update { table, key, value } = update;
    let (table, key) = (number(*table), key.as_bytes());
    match value {
        Some(value) => {
            connection.prepare_cached(PUT)?.execute(params![remote, table, key, value])?
        }
        None => connection.prepare_cached(REMOVE)?.execute(params![remote, table, key])?,
    };
    Ok(())
}
