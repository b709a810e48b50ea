//! What there is in a database, without attaching to it.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use crate::database::SqliteDatabase;
use crate::error::SqliteError;
use crate::schema::BUSY;
use crate::shape::{Shape, Unfit};
use crate::table::Table;

/// A table that was found in a database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// As the schema spells it.
    pub name: String,
    /// Why it cannot be synced as it is; `None` if it can.
    pub unfit: Option<String>,
}

impl SqliteDatabase {
    /// The tables and views of a database, sorted by name, without those of SQLite and of
    /// db-to-cloud. Nothing is written.
    ///
    /// # Errors
    /// [`SqliteError::Sqlite`] if the file cannot be read.
    pub fn survey(path: impl AsRef<Path>) -> Result<Vec<Found>, SqliteError> {
        look(path.as_ref(), "survey", survey)
    }

    /// How many edits a [`detach`](Self::detach) would forget before they are synced, added up over
    /// all remotes; `None` if the file is not attached. Several edits of one row may count as
    /// several. Nothing is written.
    ///
    /// # Errors
    /// [`SqliteError::Sqlite`] if the file cannot be read.
    pub fn unsynced(path: impl AsRef<Path>) -> Result<Option<u64>, SqliteError> {
        look(path.as_ref(), "count the edits of", unsynced)
    }
}

fn look<T>(
    path: &Path,
    operation: &'static str,
    work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
) -> Result<T, SqliteError> {
    // Not read-only: what a killed program left in the WAL could not be read.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let looked = Connection::open_with_flags(path, flags).and_then(|connection| {
        connection.busy_timeout(BUSY)?;
        work(&connection)
    });
    looked.map_err(|source| SqliteError::Sqlite { operation, path: path.into(), source })
}

fn survey(connection: &Connection) -> rusqlite::Result<Vec<Found>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main'
        AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND name NOT LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\'
        ORDER BY name";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?.collect::<Result<Vec<String>, _>>()?;
    let found = names.into_iter().map(|name| {
        let unfit = match Shape::of(connection, &Table::new(&name)) {
            Ok(_) => None,
            Err(Unfit::Why(why)) => Some(why),
            Err(Unfit::Sqlite(source)) => return Err(source),
        };
        Ok(Found { name, unfit })
    });
    found.collect()
}

fn unsynced(connection: &Connection) -> rusqlite::Result<Option<u64>> {
    let has = |name| connection.table_exists(Some("main"), name);
    if !has("db_to_cloud_format")? {
        return Ok(None);
    }
    let count = |sql| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    let mut edits: i64 = 0;
    if has("db_to_cloud_queue")? {
        edits += count("SELECT count(*) FROM db_to_cloud_queue")?;
    }
    if has("db_to_cloud_records")? {
        let kind = crate::records::number(db_to_cloud::state::Table::Dirty);
        let sql = format!("SELECT count(*) FROM db_to_cloud_records WHERE kind = {kind}");
        edits += count(&sql)?;
    }
    Ok(Some(edits.unsigned_abs()))
}
