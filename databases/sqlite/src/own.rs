//! What a sync writes itself is no edit.
//!
//! The triggers queue it like anything else. At the end of its transaction the sync takes it out of the
//! queue again.
//!
//! If the tables are synced with several storages, all of it stays queued: for the other storages it is an
//! edit (rule T4). For the storage of this sync it leaves the queue when it is marked as synced.

use std::collections::HashMap;

use db_to_cloud::{Document, DocumentId};
use rusqlite::Connection;

use crate::drain::queue;
use crate::key::RowKey;
use crate::taken;

/// The end of the queue.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM db_to_cloud_queue";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Takes out what was queued after this: only what was `written` can have been, see `guard`.
pub(crate) fn forget(
    connection: &Connection,
    after: i64,
    written: &HashMap<DocumentId, Option<Document>>,
) -> rusqlite::Result<()> {
    if has_several_remotes(connection)? {
        return queue_for_others(connection, written.keys());
    }
    taken::count_own(connection, after)?;
    let sql = "DELETE FROM db_to_cloud_queue WHERE seq > ?1";
    connection.prepare_cached(sql)?.execute([after]).map(drop)
}

/// Also what no trigger has queued: a document without a row, or one that changed beside its row.
fn queue_for_others<'a>(
    connection: &Connection,
    written: impl Iterator<Item = &'a DocumentId>,
) -> rusqlite::Result<()> {
    let sql = "SELECT DISTINCT remote FROM db_to_cloud_synced WHERE source = (
            SELECT id FROM db_to_cloud_tables WHERE name = ?1)
        OR NOT EXISTS (SELECT 1 FROM db_to_cloud_tables WHERE name = ?1)";
    let mut statement = connection.prepare_cached(sql)?;
    for id in written {
        let table = RowKey::parse(id).map(|key| key.table);
        let remotes = statement.query_map([table], |row| row.get(0))?;
        for remote in remotes.collect::<rusqlite::Result<Vec<_>>>()? {
            queue(connection, remote, &id.to_key())?;
        }
    }
    Ok(())
}

/// Whether any table is synced with more than one remote.
fn has_several_remotes(connection: &Connection) -> rusqlite::Result<bool> {
    let sql =
        "SELECT EXISTS (SELECT 1 FROM db_to_cloud_synced GROUP BY source HAVING count(*) > 1)";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}
