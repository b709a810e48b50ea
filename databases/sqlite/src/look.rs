//! A look at a file that writes nothing into it.
//!
//! What a sync would keep in the file goes into the TEMP schema of the connection, which no other program
//! sees: the names of our tables lead there before they lead to those of the file. No triggers are
//! made. What the file has already of our tables is copied.

use rusqlite::{Connection, OptionalExtension};

use crate::statements::quoted;
use crate::table::Table;
use crate::{addresses, schema};

/// Whether the file has the state for this remote, and these tables are synced with it: then a look may use
/// what is there.
pub(crate) fn is_attached(
    connection: &Connection,
    remote: &str,
    tables: &[Table],
) -> rusqlite::Result<bool> {
    if !schema::has_table(connection, "db_to_cloud_synced")? {
        return Ok(false);
    }
    let Some(remote) = addresses::number(connection, remote)? else { return Ok(false) };
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_synced s
        JOIN db_to_cloud_tables t ON t.id = s.source WHERE s.remote = ?1 AND t.name = ?2 COLLATE NOCASE)";
    let mut statement = connection.prepare(sql)?;
    for table in tables {
        if !statement.query_row((remote, &table.name), |row| row.get::<_, bool>(0))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Puts our tables into the TEMP schema.
pub(crate) fn begin(connection: &Connection) -> rusqlite::Result<()> {
    let temp = schema::all_tables()
        .replace("CREATE TABLE IF NOT EXISTS ", "CREATE TEMP TABLE ")
        .replace("CREATE INDEX IF NOT EXISTS ", "CREATE INDEX temp.");
    connection.execute_batch(&temp)?;
    let sql = "SELECT name FROM sqlite_temp_schema WHERE type = 'table'
        AND name LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(sql)?;
    let names = statement.query_map([], |row| row.get(0))?;
    for name in names.collect::<rusqlite::Result<Vec<String>>>()? {
        copy(connection, &name)?;
    }
    let format = "INSERT INTO db_to_cloud_format (version, edits)
        SELECT ?1, 0 WHERE NOT EXISTS (SELECT 1 FROM db_to_cloud_format)";
    connection.execute(format, [schema::VERSION_WITHIN]).map(drop)
}

/// Copies what the file has of a table.
fn copy(connection: &Connection, name: &str) -> rusqlite::Result<()> {
    let sql = "SELECT group_concat('\"' || name || '\"') FROM pragma_table_info(?1, 'main')
        WHERE name IN (SELECT name FROM pragma_table_info(?1, 'temp'))";
    let columns: Option<Option<String>> =
        connection.query_row(sql, [name], |row| row.get(0)).optional()?;
    let Some(columns) = columns.flatten() else { return Ok(()) };
    let table = quoted(name);
    connection.execute_batch(&format!(
        "INSERT INTO temp.{table} ({columns}) SELECT {columns} FROM main.{table}"
    ))
}
