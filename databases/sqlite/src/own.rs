//! What a sync writes itself is no edit.
//!
//! The triggers queue it like anything else. At the end of its transaction the sync takes it out of the
//! queue again.
//!
//! If the tables are synced with several storages, all of it is queued: for the other storages it is an
//! edit (rule T4). For the storage of this sync it leaves the queue when it is marked as synced, unless that
//! happens in the same transaction.

use db_to_cloud::DocumentId;
use rusqlite::Connection;

use crate::drain::queue;
use crate::key::RowKey;
use crate::taken;

/// The end of the queue.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM db_to_cloud_queue";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Takes out what was queued after this: only what was `written` can have been, see `guard`. `synced` is
/// the remote for which it is marked as synced in this transaction.
pub(crate) fn forget<'a>(
    connection: &Connection,
    after: i64,
    written: impl Iterator<Item = &'a DocumentId>,
    synced: Option<i64>,
) -> rusqlite::Result<()> {
    if has_several_remotes(connection)? {
        queue_for_others(connection, written, synced)?;
    }
    taken::count_own(connection, after)?;
    let sql = "DELETE FROM db_to_cloud_queue WHERE seq > ?1";
    connection.prepare_cached(sql)?.execute([after]).map(drop)
}

/// Also what no trigger has queued: a document without a row, or one that changed beside its row.
fn queue_for_others<'a>(
    connection: &Connection,
    written: impl Iterator<Item = &'a DocumentId>,
    synced: Option<i64>,
) -> rusqlite::Result<()> {
    let sql = "SELECT DISTINCT remote FROM db_to_cloud_synced WHERE source = (
            SELECT id FROM db_to_cloud_tables WHERE name = ?1)
        OR NOT EXISTS (SELECT 1 FROM db_to_cloud_tables WHERE name = ?1)";
    let mut statement = connection.prepare_cached(sql)?;
    for id in written {
        let table = RowKey::parse(id).map(|key| key.table);
        let remotes = statement.query_map([table], |row| row.get(0))?;
        for remote in remotes.collect::<rusqlite::Result<Vec<_>>>()? {
            if Some(remote) != synced {
                queue(connection, remote, &id.to_key())?;
            }
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
