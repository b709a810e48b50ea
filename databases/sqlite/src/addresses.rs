//! Which state an address leads to (rule C6).
//!
//! A remote has the name of the address under which it was first opened, and that address leads to it. An
//! address that turned to another remote stands in a table of its own, which comes first. That table is made
//! when the first address turns: an earlier release, which does not look into it, finds all others as before.
//!
//! The number of a remote is never used again: one that is deleted keeps its row under another name.

use rusqlite::{Connection, OptionalExtension, params};

use crate::{revive, schema};

pub(crate) const TABLE: &str = "CREATE TABLE IF NOT EXISTS db_to_cloud_addresses (
    address TEXT PRIMARY KEY, remote INTEGER NOT NULL
) WITHOUT ROWID";

/// How the names of remotes begin that were opened under no address.
const UNNAMED: &str = "db_to_cloud:";
/// How the names of deleted remotes begin.
const DELETED: &str = "db_to_cloud:deleted:";

/// The number of the remote to which an address leads, if the file has one.
pub(crate) fn number(connection: &Connection, address: &str) -> rusqlite::Result<Option<i64>> {
    if has_any(connection)? {
        let sql = "SELECT remote FROM db_to_cloud_addresses WHERE address = ?1";
        let mut statement = connection.prepare_cached(sql)?;
        let turned = statement.query_row([address], |row| row.get(0)).optional()?;
        if turned.is_some() {
            return Ok(turned);
        }
    }
    let sql = "SELECT id FROM db_to_cloud_remotes WHERE name = ?1";
    connection.prepare_cached(sql)?.query_row([address], |row| row.get(0)).optional()
}

/// The same of an address that is open; an error without a row if another program detached the file.
pub(crate) fn known(connection: &Connection, address: &str) -> rusqlite::Result<i64> {
    number(connection, address)?.ok_or(rusqlite::Error::QueryReturnedNoRows)
}

/// The number of the remote to which an address leads, a new one if need be.
pub(crate) fn register(connection: &mut Connection, address: &str) -> rusqlite::Result<i64> {
    if let Some(number) = number(connection, address)? {
        return Ok(number);
    }
    let transaction = schema::immediate(connection)?;
    let number = match number(&transaction, address)? {
        Some(number) => number,
        None => {
            let sql = "INSERT INTO db_to_cloud_remotes (name) VALUES (?1)";
            transaction.execute(sql, [address])?;
            transaction.last_insert_rowid()
        }
    };
    transaction.commit()?;
    Ok(number)
}

/// A new remote, to which no address leads yet.
pub(crate) fn add(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "INSERT INTO db_to_cloud_remotes (id, name)
        SELECT n, ?1 || n FROM (SELECT coalesce(max(id), 0) + 1 AS n FROM db_to_cloud_remotes)
        RETURNING id";
    connection.query_row(sql, [UNNAMED], |row| row.get(0))
}

/// From now on the address leads to this remote.
pub(crate) fn lead(connection: &Connection, address: &str, remote: i64) -> rusqlite::Result<()> {
    make(connection)?;
    let sql = "INSERT INTO db_to_cloud_addresses (address, remote) VALUES (?1, ?2)
        ON CONFLICT DO UPDATE SET remote = excluded.remote";
    connection.execute(sql, params![address, remote]).map(drop)
}

/// Whether an address other than this one leads to the remote.
pub(crate) fn is_shared(
    connection: &Connection,
    address: &str,
    remote: i64,
) -> rusqlite::Result<bool> {
    // Without the table each remote has the one address that is its name.
    if !has_any(connection)? {
        return Ok(false);
    }
    let sql = "SELECT EXISTS (
            SELECT 1 FROM db_to_cloud_addresses WHERE remote = ?1 AND address <> ?2
        ) OR EXISTS (
            SELECT 1 FROM db_to_cloud_remotes
                WHERE id = ?1 AND name <> ?2 AND substr(name, 1, length(?3)) <> ?3
                AND name NOT IN (SELECT address FROM db_to_cloud_addresses)
        )";
    connection.query_row(sql, params![remote, address, UNNAMED], |row| row.get(0))
}

/// The numbers of all remotes but this one.
pub(crate) fn others(connection: &Connection, remote: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT id FROM db_to_cloud_remotes
        WHERE id <> ?1 AND substr(name, 1, length(?2)) <> ?2 ORDER BY id";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params![remote, DELETED], |row| row.get(0))?.collect()
}

/// Deletes a remote with all its records. Its addresses lead to another one.
pub(crate) fn delete(connection: &Connection, remote: i64, instead: i64) -> rusqlite::Result<()> {
    make(connection)?;
    let named = "INSERT OR IGNORE INTO db_to_cloud_addresses (address, remote)
        SELECT name, ?2 FROM db_to_cloud_remotes
            WHERE id = ?1 AND substr(name, 1, length(?3)) <> ?3";
    connection.execute(named, params![remote, instead, UNNAMED])?;
    let turned = "UPDATE db_to_cloud_addresses SET remote = ?2 WHERE remote = ?1";
    connection.execute(turned, [remote, instead])?;
    let sql = "UPDATE db_to_cloud_remotes SET name = ?2 || id WHERE id = ?1";
    connection.execute(sql, params![remote, DELETED])?;
    // Blocked deletes are noted with some remote, but are those of the file.
    let records = "DELETE FROM db_to_cloud_records WHERE remote = ?1 AND kind <> ?2";
    connection.execute(records, [remote, revive::KIND])?;
    if schema::has_table(connection, "db_to_cloud_synced")? {
        connection.execute("DELETE FROM db_to_cloud_synced WHERE remote = ?1", [remote])?;
        connection.execute("DELETE FROM db_to_cloud_queue WHERE remote = ?1", [remote])?;
    }
    Ok(())
}

/// A new remote with all the records of this one.
pub(crate) fn copy(connection: &Connection, remote: i64) -> rusqlite::Result<i64> {
    let new = add(connection)?;
    let records = "INSERT INTO db_to_cloud_records (remote, kind, key, value)
        SELECT ?2, kind, key, value FROM db_to_cloud_records WHERE remote = ?1 AND kind <> ?3";
    connection.execute(records, [remote, new, revive::KIND])?;
    if schema::has_table(connection, "db_to_cloud_synced")? {
        let synced = "INSERT INTO db_to_cloud_synced (remote, source)
            SELECT ?2, source FROM db_to_cloud_synced WHERE remote = ?1";
        connection.execute(synced, [remote, new])?;
    }
    Ok(new)
}

/// Whether an address ever turned in this file.
fn has_any(connection: &Connection) -> rusqlite::Result<bool> {
    schema::has_table(connection, "db_to_cloud_addresses")
}

fn make(connection: &Connection) -> rusqlite::Result<()> {
    if has_any(connection)? { Ok(()) } else { connection.execute_batch(TABLE) }
}
