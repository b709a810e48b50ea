//! Deleted rows that rows of this device still refer to.
//!
//! The other device deleted a row, and here a row refers to it of which that device did not know. Neither
//! is lost: the delete counts as made, and the row as made anew on this device: so it comes back on
//! the other devices, and all are equal. If the storage knows the row that refers to it, the delete is
//! blocked and reported at first, as a later part of the same sync may delete that row too. A
//! foreign key that forbids the delete (`RESTRICT`, `NO ACTION`) keeps it blocked and reported until the
//! rows that refer to it are gone.

use db_to_cloud::DocumentId;
use db_to_cloud::state::Table;
use rusqlite::{Connection, OptionalExtension, params, params_from_iter};

use crate::key::RowKey;
use crate::records;

/// The kind of these records among those of the client state. The value is the number of the sync in
/// which a delete was blocked.
pub(crate) const KIND: i64 = 100;
const REMOTE: &str = "(SELECT min(id) FROM db_to_cloud_remotes)";

/// Whether there are any.
pub(crate) fn is_any(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT EXISTS (SELECT 1 FROM db_to_cloud_records WHERE remote = {REMOTE} AND kind = ?1)"
    );
    connection.prepare_cached(&sql)?.query_row([KIND], |row| row.get(0))
}

/// Whether no storage knows a document: then no sync deletes it.
pub(crate) fn is_new(connection: &Connection, id: &DocumentId) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_remotes) AND NOT EXISTS (
        SELECT 1 FROM db_to_cloud_remotes r JOIN db_to_cloud_records d ON d.remote = r.id
            WHERE d.kind IN (?1, ?2, ?3) AND d.key = ?4)";
    let [index, tombstones, pending] =
        [Table::Index, Table::Tombstones, Table::Pending].map(records::number);
    let key = id.to_key();
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row(params![index, tombstones, pending, key.as_bytes()], |row| row.get(0))
}

/// Notes that a delete is blocked; says whether it was so in another sync.
pub(crate) fn note(connection: &Connection, id: &DocumentId, sync: i64) -> rusqlite::Result<bool> {
    let sql = format!(
        "SELECT value FROM db_to_cloud_records WHERE remote = {REMOTE} AND kind = ?1 AND key = ?2"
    );
    let key = id.to_key();
    let mut statement = connection.prepare_cached(&sql)?;
    let noted = statement.query_row(params![KIND, key.as_bytes()], |row| row.get::<_, i64>(0));
    if let Some(noted) = noted.optional()? {
        return Ok(noted != sync);
    }
    let sql = "INSERT INTO db_to_cloud_records (remote, kind, key, value)
        SELECT id, ?1, ?2, ?3 FROM db_to_cloud_remotes ORDER BY id LIMIT 1";
    connection.prepare_cached(sql)?.execute(params![KIND, key.as_bytes(), sync])?;
    Ok(false)
}

/// Forgets a delete that was made or is not wanted any more.
pub(crate) fn forget(connection: &Connection, id: &DocumentId) -> rusqlite::Result<()> {
    let sql = format!(
        "DELETE FROM db_to_cloud_records WHERE remote = {REMOTE} AND kind = ?1 AND key = ?2"
    );
    let key = id.to_key();
    connection.prepare_cached(&sql)?.execute(params![KIND, key.as_bytes()]).map(drop)
}

/// Queues a row as one that was edited here.
pub(crate) fn queue(connection: &Connection, key: &RowKey) -> rusqlite::Result<()> {
    let columns = (1..=key.cells.len()).map(|i| format!("k{i}")).collect::<Vec<_>>().join(", ");
    let marks = crate::statements::marks(1, key.cells.len());
    let name = key.cells.len() + 1;
    let sql = format!(
        "INSERT INTO db_to_cloud_queue (source, moved, {columns})
            SELECT id, 0, {marks} FROM db_to_cloud_tables WHERE name = ?{name}"
    );
    let table = crate::cell::Cell::Text(key.table.clone().into_bytes());
    let values = key.cells.iter().chain(std::iter::once(&table));
    connection.prepare_cached(&sql)?.execute(params_from_iter(values)).map(drop)
}
