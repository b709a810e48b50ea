//! What a sync writes itself is no edit.
//!
//! The triggers do not know who writes: they queue it like anything else. At the end of its
//! transaction the sync takes out of the queue again what it came to write, and leaves what followed
//! from it: rows that a foreign key or a trigger of the application changed along.
//!
//! If the tables are synced with several storages, all of it stays queued: for the other storages it is an
//! edit (rule T4). For the storage of this sync it leaves the queue when it is marked as synced.

use std::collections::{HashMap, HashSet};

use db_to_cloud::{Document, DocumentId};
use rusqlite::Connection;

use crate::attach::Shapes;
use crate::drain::{Edit, edits_after, queue};
use crate::key::RowKey;
use crate::read::{Unread, read};

/// The end of the queue.
pub(crate) fn last(connection: &Connection) -> rusqlite::Result<i64> {
    let sql = "SELECT coalesce(max(seq), 0) FROM db_to_cloud_queue";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Takes out what was queued after this and is as it was `written`.
pub(crate) fn forget(
    connection: &Connection,
    shapes: &Shapes,
    after: i64,
    written: &HashMap<DocumentId, Option<Document>>,
) -> rusqlite::Result<()> {
    if has_several_remotes(connection)? {
        return queue_for_others(connection, written.keys());
    }
    let edits = edits_after(connection, after)?;
    let mut times: HashMap<DocumentId, usize> = HashMap::new();
    for edit in &edits {
        *times.entry(edit.key.id()).or_default() += 1;
    }
    let mut followed = HashSet::new();
    for (id, times) in times {
        let is_own = match written.get(&id) {
            // Once is the write itself; more often, and something else may have come after.
            Some(_) if times == 1 => true,
            Some(document) => match read(connection, shapes, &id) {
                Ok(current) => current.document == *document,
                Err(Unread::Document(_)) => false,
                Err(Unread::Sqlite(error)) => return Err(error),
            },
            None => false,
        };
        if !is_own {
            followed.insert(id);
        }
    }
    if followed.is_empty() {
        let sql = "DELETE FROM db_to_cloud_queue WHERE seq > ?1";
        return connection.prepare_cached(sql)?.execute([after]).map(drop);
    }
    if edits.iter().any(|edit| edit.moved) {
        // The halves of a move stay together: one edit too many is found to be none when it is pushed.
        return Ok(());
    }
    let own = edits.into_iter().filter(|edit| !followed.contains(&edit.key.id()));
    for Edit { seq, .. } in own {
        let sql = "DELETE FROM db_to_cloud_queue WHERE seq = ?1";
        connection.prepare_cached(sql)?.execute([seq])?;
    }
    Ok(())
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
