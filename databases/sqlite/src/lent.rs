//! A connection of the application: made ready for our work, and given back as it was.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, ffi};

use crate::guard;

/// What is set otherwise while it is lent.
pub(crate) struct Before {
    pragmas: Vec<(&'static str, bool)>,
    triggers: bool,
}

/// Pragmas that are off while it is lent: actions of foreign keys would change rows that no other device
/// changed; what another connection has not committed may be rolled back after it was pushed.
const OFF: [&str; 2] = ["foreign_keys", "read_uncommitted"];

/// Makes it ready.
pub(crate) fn prepare(connection: &Connection) -> rusqlite::Result<Before> {
    if !connection.is_autocommit() {
        let why =
            "the connection is in a transaction of the application: end it, or lend another one";
        return Err(unusable(why.to_owned()));
    }
    refuse_no_rollback(connection)?;
    refuse_hidden(connection)?;
    let mut pragmas = Vec::new();
    for name in OFF {
        pragmas.push((name, connection.pragma_query_value(None, name, |row| row.get(0))?));
    }
    let triggers = connection.db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER)?;
    let before = Before { pragmas, triggers };
    match make_ready(connection) {
        Ok(()) => Ok(before),
        Err(error) => {
            give_back(connection, before)?;
            Err(error)
        }
    }
}

/// A batch that fails is rolled back. Without a journal SQLite leaves the database damaged then.
fn refuse_no_rollback(connection: &Connection) -> rusqlite::Result<()> {
    let mode: String = connection.pragma_query_value(None, "journal_mode", |row| row.get(0))?;
    if !mode.eq_ignore_ascii_case("off") {
        return Ok(());
    }
    let why = "its journal_mode is OFF, so that SQLite cannot roll back: set MEMORY or another one, or lend a \
               connection that has one";
    Err(unusable(why.to_owned()))
}

/// SQLite looks for a name in the TEMP schema first. Rows of a TEMP table would be taken for those of the
/// table of the same name in the file, and the rows that it lacks for deleted.
fn refuse_hidden(connection: &Connection) -> rusqlite::Result<()> {
    let sql = "SELECT t.name FROM sqlite_temp_schema t
        JOIN main.sqlite_schema m ON m.name = t.name COLLATE NOCASE
        WHERE t.type IN ('table', 'view') AND m.type IN ('table', 'view') LIMIT 1";
    let hidden: Option<String> = connection.query_row(sql, [], |row| row.get(0)).optional()?;
    hidden.map_or(Ok(()), |name| {
        let why = format!(
            "the TEMP table or view {name:?} on the connection hides the table of that name in the database: \
             drop or rename it, or lend a connection without it"
        );
        Err(unusable(why))
    })
}

fn unusable(why: String) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_MISUSE), Some(why))
}

fn make_ready(connection: &Connection) -> rusqlite::Result<()> {
    OFF.iter().try_for_each(|name| set(connection, name, false))?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true)?;
    guard::register(connection)
}

/// Sets a pragma if it is not so already: to set one has all cached statements prepared anew.
fn set(connection: &Connection, name: &str, value: bool) -> rusqlite::Result<()> {
    let is: bool = connection.pragma_query_value(None, name, |row| row.get(0))?;
    if is == value { Ok(()) } else { connection.pragma_update(None, name, value) }
}

/// Gives it back as it was. All of that is tried, whatever fails; the first failure is the answer.
pub(crate) fn give_back(connection: &Connection, before: Before) -> rusqlite::Result<()> {
    let Before { pragmas, triggers } = before;
    let cleared = guard::unregister(connection);
    let triggers = connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, triggers);
    let pragmas = pragmas.into_iter().map(|(name, value)| set(connection, name, value));
    pragmas.fold(cleared.and(triggers.map(drop)), rusqlite::Result::and)
}

/// The number of a database in memory: all connections to it find the same one. A copy of the database has it
/// too, also in another process, and counts as the same one.
pub(crate) fn number(connection: &Connection) -> rusqlite::Result<i64> {
    connection.execute_batch("CREATE TABLE IF NOT EXISTS db_to_cloud_memory (number INTEGER)")?;
    let insert = "INSERT INTO db_to_cloud_memory SELECT random() & 0xffffffffffff
        WHERE NOT EXISTS (SELECT 1 FROM db_to_cloud_memory)";
    connection.execute(insert, [])?;
    connection.query_row("SELECT number FROM db_to_cloud_memory", [], |row| row.get(0))
}
