//! Opening the file: what marks it as ours, and its tables.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use crate::addresses;
use crate::problem::Problem;

/// Marks the file as a client state ("d2cs"), so that no other database is ever written into.
const APPLICATION_ID: i64 = 0x6432_6373;
/// The format of the tables. A file with a greater number is refused.
const VERSION: i64 = 1;
/// How long a statement waits for another process to finish its transaction.
pub(crate) const BUSY: Duration = Duration::from_secs(10);

/// Keys are BLOBs: SQLite compares those byte by byte, and they hold any string exactly. No rowid:
/// a record is one entry of one B-tree.
const TABLES: &str = "
    CREATE TABLE IF NOT EXISTS db_to_cloud_remotes (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
    CREATE TABLE IF NOT EXISTS db_to_cloud_records (
        remote INTEGER NOT NULL REFERENCES db_to_cloud_remotes (id),
        kind INTEGER NOT NULL,
        key BLOB NOT NULL,
        value BLOB NOT NULL,
        PRIMARY KEY (remote, kind, key)
    ) WITHOUT ROWID;
";

/// The format of the tables in an application's file.
pub(crate) const VERSION_WITHIN: i64 = 2;

/// What an application's file has besides: the queue of its triggers and what they are on. The queue
/// has no constraints and its values no types: a row's id is kept as it is.
const TABLES_WITHIN: &str = "
    CREATE TABLE IF NOT EXISTS db_to_cloud_tables (
        id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, keys TEXT NOT NULL, width INTEGER NOT NULL,
        fields TEXT NOT NULL, added TEXT NOT NULL, rows INTEGER, unsure INTEGER,
        columns TEXT
    );
    CREATE TABLE IF NOT EXISTS db_to_cloud_synced (
        remote INTEGER NOT NULL, source INTEGER NOT NULL, PRIMARY KEY (remote, source)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS db_to_cloud_queue (
        seq INTEGER PRIMARY KEY, source, moved, k1, k2, k3, k4, k5, k6, k7, k8, remote, made
    );
    CREATE TABLE IF NOT EXISTS db_to_cloud_extra (
        id BLOB NOT NULL UNIQUE, row BLOB, awaited TEXT, revision TEXT NOT NULL, document BLOB NOT NULL,
        inexact TEXT
    );
    CREATE INDEX IF NOT EXISTS db_to_cloud_awaited ON db_to_cloud_extra (awaited)
        WHERE awaited IS NOT NULL;
";

/// As it is made in the current format; an earlier one lacks the last column.
const FORMAT: &str = "CREATE TABLE IF NOT EXISTS db_to_cloud_format (
    version INTEGER NOT NULL, edits INTEGER NOT NULL DEFAULT 0
)";

/// Where the tables are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file of their own, marked as such.
    OwnFile,
    /// Among the application's tables, in its file.
    WithinAnother,
}

/// Opens or creates the file, and gives the number of the remote to which the address leads.
pub(crate) fn open(place: Place, path: &Path, address: &str) -> Result<(Connection, i64), Problem> {
    let failed = |e| Problem::sqlite("open", path, e);
    // Without URIs: a path is a path, even if it begins with `file:`.
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if place == Place::OwnFile {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let mut connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_timeout(BUSY).map_err(failed)?;
    match place {
        Place::OwnFile => {
            let new = check(&connection, path)?;
            configure(&connection).map_err(failed)?;
            if new {
                create(&mut connection, path)?;
            }
        }
        Place::WithinAnother => prepare_within(&mut connection, path)?,
    }
    let number = addresses::register(&mut connection, address).map_err(failed)?;
    Ok((connection, number))
}

/// Opens the application's file, which must exist, and makes the tables in it.
pub(crate) fn open_within(path: &Path) -> Result<Connection, Problem> {
    let mut connection = connect(path).map_err(|e| Problem::sqlite("open", path, e))?;
    prepare_within(&mut connection, path)?;
    Ok(connection)
}

/// Opens the application's file, which must exist. Nothing is written.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// The statements that make all tables in an application's file.
pub(crate) fn all_tables() -> String {
    [FORMAT, TABLES, TABLES_WITHIN, addresses::TABLE].join(";\n")
}

/// Whether there is such a table, in the file or in the TEMP schema.
pub(crate) fn has_table(connection: &Connection, name: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)
        OR EXISTS (SELECT 1 FROM sqlite_temp_schema WHERE type = 'table' AND name = ?1)";
    connection.prepare_cached(sql)?.query_row([name], |row| row.get(0))
}

/// The format of our tables in the file, if it has any.
pub(crate) fn check_format(connection: &Connection, path: &Path) -> Result<(), Problem> {
    let failed = |e| Problem::sqlite("open", path, e);
    if !has_table(connection, "db_to_cloud_format").map_err(failed)? {
        return Ok(());
    }
    let sql = "SELECT max(version) FROM db_to_cloud_format";
    let found: Option<i64> = connection.query_row(sql, [], |row| row.get(0)).map_err(failed)?;
    match found {
        Some(found) if found > VERSION_WITHIN => {
            Err(Problem::Newer { path: path.to_owned(), found, known: VERSION_WITHIN })
        }
        _ => Ok(()),
    }
}

/// For many rows at a time. In WAL mode a commit need not wait for the disk: rows and state are in one
/// file, and a power cut takes the file as a whole back to an earlier commit, which a sync mends.
pub(crate) fn hasten(connection: &Connection) -> rusqlite::Result<()> {
    let mode = |row: &rusqlite::Row<'_>| row.get::<_, String>(0);
    if connection.pragma_query_value(None, "journal_mode", mode)? == "wal" {
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        // Fewer check-points than by default: each page is written once for more commits.
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
    }
    // In KiB, if negative.
    connection.pragma_update(None, "cache_size", -16_384)
}

pub(crate) fn prepare_within(connection: &mut Connection, path: &Path) -> Result<(), Problem> {
    let failed = |e| Problem::sqlite("open", path, e);
    connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
    connection.pragma_update(None, "fullfsync", true).map_err(failed)?;
    connection.set_prepared_statement_cache_capacity(64);
    create_within(connection, path)
}

/// Whether the file is still empty; an error if it is not ours. It comes before anything is
/// written: not even the journal mode of another application's file may change.
fn check(connection: &Connection, path: &Path) -> Result<bool, Problem> {
    let pragma = |name| {
        let value = connection.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
        value.map_err(|e| Problem::sqlite("open", path, e))
    };
    // One after another: another process may create the tables in between, all at once.
    let (application, version) = (pragma("application_id")?, pragma("user_version")?);
    let objects = "SELECT count(*) FROM sqlite_schema";
    let objects: i64 = connection
        .query_row(objects, [], |row| row.get(0))
        .map_err(|e| Problem::sqlite("open", path, e))?;
    match application {
        APPLICATION_ID if version > VERSION => {
            Err(Problem::Newer { path: path.to_owned(), found: version, known: VERSION })
        }
        APPLICATION_ID => Ok(false),
        0 if objects == 0 => Ok(true),
        // It was created between the first and the last of these statements.
        0 if pragma("application_id")? == APPLICATION_ID => Ok(false),
        _ => Err(Problem::Foreign { path: path.to_owned() }),
    }
}

fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // A file system without shared memory keeps the old journal mode, which is as durable.
    let wal = || connection.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()));
    // The busy time-out does not cover this switch, which two first openers may race for.
    let mut result = wal();
    for _ in 0..100 {
        match &result {
            Err(e) if e.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
                std::thread::sleep(Duration::from_millis(20));
                result = wal();
            }
            _ => break,
        }
    }
    result?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    // On macOS only this reaches the disk; elsewhere it has no effect.
    connection.pragma_update(None, "fullfsync", true)?;
    connection.set_prepared_statement_cache_capacity(16);
    Ok(())
}

fn create(connection: &mut Connection, path: &Path) -> Result<(), Problem> {
    let failed = |e| Problem::sqlite("create", path, e);
    let transaction = immediate(connection).map_err(failed)?;
    // Another process may have been first.
    if check(&transaction, path)? {
        transaction.execute_batch(TABLES).map_err(failed)?;
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    }
    transaction.commit().map_err(failed)
}

/// Makes the tables in the application's file. Their format is in a table too, as the marks of the
/// file are the application's.
pub(crate) fn create_within(connection: &mut Connection, path: &Path) -> Result<(), Problem> {
    let failed = |e| Problem::sqlite("create", path, e);
    let transaction = immediate(connection).map_err(failed)?;
    let format = "CREATE TABLE IF NOT EXISTS db_to_cloud_format (version INTEGER NOT NULL)";
    transaction.execute_batch(format).map_err(failed)?;
    let found: Option<i64> = transaction
        .query_row("SELECT max(version) FROM db_to_cloud_format", [], |row| row.get(0))
        .map_err(failed)?;
    match found {
        Some(found) if found > VERSION_WITHIN => {
            let (path, known) = (path.to_owned(), VERSION_WITHIN);
            return Err(Problem::Newer { path, found, known });
        }
        Some(VERSION_WITHIN) => {
            complete(&transaction).map_err(failed)?;
            return transaction.commit().map_err(failed);
        }
        Some(_) => {}
        None => {
            let insert = "INSERT INTO db_to_cloud_format (version) VALUES (1)";
            transaction.execute(insert, []).map_err(failed)?;
        }
    }
    transaction.execute_batch(TABLES).map_err(failed)?;
    transaction.execute_batch(TABLES_WITHIN).map_err(failed)?;
    let counter = "ALTER TABLE db_to_cloud_format ADD COLUMN edits INTEGER NOT NULL DEFAULT 0";
    transaction.execute_batch(counter).map_err(failed)?;
    let version = "UPDATE db_to_cloud_format SET version = ?1";
    transaction.execute(version, [VERSION_WITHIN]).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// Adds the columns that the tables did not have at first. Earlier releases do not look at them.
fn complete(connection: &Connection) -> rusqlite::Result<()> {
    for (table, column) in [
        ("db_to_cloud_tables", "rows INTEGER"),
        ("db_to_cloud_tables", "unsure INTEGER"),
        ("db_to_cloud_tables", "columns TEXT"),
        ("db_to_cloud_queue", "made"),
        ("db_to_cloud_extra", "inexact TEXT"),
    ] {
        let name = column.split(' ').next();
        let sql = "SELECT EXISTS (SELECT 1 FROM pragma_table_info(?1) WHERE name = ?2)";
        let is_there: bool = connection.query_row(sql, (table, name), |row| row.get(0))?;
        if !is_there {
            connection.execute_batch(&format!("ALTER TABLE {table} ADD COLUMN {column}"))?;
        }
    }
    Ok(())
}

/// A transaction that takes the write lock at once: one that takes it later could fail half-way.
pub(crate) fn immediate(connection: &mut Connection) -> rusqlite::Result<Transaction<'_>> {
    connection.transaction_with_behavior(TransactionBehavior::Immediate)
}
