//! The statements behind each call, all of them synchronous.

use db_to_cloud::state::{Table, Update};
use rusqlite::{CachedStatement, Connection, OptionalExtension, params};

use crate::schema::immediate;

const READ: &str = "SELECT value FROM records WHERE remote = ?1 AND kind = ?2 AND key = ?3";
const SCAN: &str = "SELECT key, value FROM records
    WHERE remote = ?1 AND kind = ?2 AND key >= ?3 ORDER BY key LIMIT ?4";
const COUNT: &str = "SELECT count(*) FROM records WHERE remote = ?1 AND kind = ?2";
const PUT: &str = "INSERT INTO records (remote, kind, key, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT DO UPDATE SET value = excluded.value";
const REMOVE: &str = "DELETE FROM records WHERE remote = ?1 AND kind = ?2 AND key = ?3";

/// The number of a table in the file. Never change one.
fn number(table: Table) -> i64 {
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
    connection: &mut Connection,
    remote: i64,
    table: Table,
    keys: &[String],
) -> rusqlite::Result<Vec<Option<Vec<u8>>>> {
    let transaction = connection.transaction()?;
    let mut statement = transaction.prepare_cached(READ)?;
    let mut find = |key: &String| {
        let row = params![remote, number(table), key.as_bytes()];
        statement.query_row(row, |row| row.get(0)).optional()
    };
    keys.iter().map(&mut find).collect()
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

/// Makes all updates in one transaction.
pub(crate) fn write(
    connection: &mut Connection,
    remote: i64,
    updates: &[Update],
) -> rusqlite::Result<()> {
    let transaction = immediate(connection)?;
    {
        let mut put: CachedStatement<'_> = transaction.prepare_cached(PUT)?;
        let mut remove = transaction.prepare_cached(REMOVE)?;
        for Update { table, key, value } in updates {
            let (table, key) = (number(*table), key.as_bytes());
            match value {
                Some(value) => put.execute(params![remote, table, key, value])?,
                None => remove.execute(params![remote, table, key])?,
            };
        }
    }
    transaction.commit()
}
