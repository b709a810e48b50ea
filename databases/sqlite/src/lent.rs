//! A connection of the application: made ready for our work, and given back as it was.

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OptionalExtension, ffi};

use crate::guard::{self, Guarding};

/// What is set otherwise while it is lent.
pub(crate) struct Before {
    pragmas: Vec<(&'static str, bool)>,
    triggers: bool,
    guarding: Guarding,
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
    let guarding = guard::register(connection)?;
    let before = Before { pragmas, triggers, guarding };
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
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, true).map(drop)
}

/// Sets a pragma if it is not so already: to set one has all cached statements prepared anew.
fn set(connection: &Connection, name: &str, value: bool) -> rusqlite::Result<()> {
    let is: bool = connection.pragma_query_value(None, name, |row| row.get(0))?;
    if is == value { Ok(()) } else { connection.pragma_update(None, name, value) }
}

/// Gives it back as it was. All of that is tried, whatever fails; the first failure is the answer.
pub(crate) fn give_back(connection: &Connection, before: Before) -> rusqlite::Result<()> {
    let Before { pragmas, triggers, guarding } = before;
    let cleared = guard::unregister(connection, &guarding);
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

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

    use rusqlite::hooks::{AuthAction, AuthContext, Authorization};

    use super::*;
    use crate::{shape::Shape, table::Table};

    fn count(connection: &Connection, sql: &str) -> i64 {
        connection.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    /// SQLite cannot drop them if it must read the schema again and the file is locked.
    #[test]
    fn temp_triggers_that_cannot_be_dropped_let_the_application_write() {
        let mut connection = Connection::open_in_memory().unwrap();
        let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, n UNIQUE); PRAGMA foreign_keys = ON";
        connection.execute_batch(schema).unwrap();
        let before = prepare(&connection).unwrap();
        let shape = Shape::of(&connection, &Table::new("notes")).ok().unwrap();
        guard::install(&connection, &mut [shape], true).unwrap();
        let deny = |context: AuthContext<'_>| match context.action {
            AuthAction::DropTempTrigger { .. } => Authorization::Deny,
            _ => Authorization::Allow,
        };
        connection.authorizer(Some(deny)).unwrap();
        give_back(&connection, before).unwrap_err();
        connection.authorizer(None::<fn(AuthContext<'_>) -> Authorization>).unwrap();
        assert_eq!(count(&connection, "PRAGMA foreign_keys"), 1);
        let write = |sql| connection.execute(sql, []).unwrap();
        assert_eq!(write("INSERT INTO notes VALUES ('a', 1), ('b', 2)"), 2);
        assert_eq!(write("UPDATE notes SET n = 3 WHERE id = 'a'"), 1);
        assert_eq!(write("DELETE FROM notes WHERE id = 'b'"), 1);
        let row = "SELECT count(*) FROM notes WHERE id = 'a' AND n = 3";
        assert_eq!(count(&connection, row), 1);
        // The next use drops them.
        let before = prepare(&connection).unwrap();
        give_back(&connection, before).unwrap();
        assert_eq!(count(&connection, "SELECT count(*) FROM sqlite_temp_schema"), 0);
    }
}
