//! Rows that a REPLACE deleted for the sake of a unique index.
//!
//! SQLite calls no trigger for them, and the triggers in the file must not name the columns of an index,
//! which can be dropped. So the rows are counted: the triggers say how many were inserted and deleted
//! since the last count. If there are fewer than that, some were replaced, and then all
//! synced documents are looked up. A row that was replaced by one with its own id is not missing: as far
//! as it is sure that it was there, it is taken off.

use std::collections::{BTreeSet, HashMap, HashSet};

use db_to_cloud::DocumentId;
use db_to_cloud::state::Table;
use rusqlite::{Connection, params};

use crate::attach;
use crate::drain::{self, Edit};
use crate::extra;
use crate::key::RowKey;
use crate::records;
use crate::statements::quoted;

/// Counts edits that are about to be put into the records.
pub(crate) fn count(
    connection: &Connection,
    edits: &[Edit],
    remotes: &HashMap<i64, Vec<i64>>,
) -> rusqlite::Result<()> {
    let (mut more, mut there) = (HashMap::<i64, i64>::new(), HashMap::<DocumentId, bool>::new());
    for edit in edits {
        let id = edit.key.id();
        if edit.made == Some(1) {
            let was_there = match there.get(&id) {
                Some(was_there) => *was_there,
                None => is_sure(connection, remotes.get(&edit.source), &id)?,
            };
            *more.entry(edit.source).or_default() += i64::from(!was_there);
        } else if edit.made == Some(-1) {
            *more.entry(edit.source).or_default() -= 1;
        }
        there.insert(id, edit.made != Some(-1) && !edit.moved);
    }
    let sql = "UPDATE db_to_cloud_tables SET rows = rows + ?2 WHERE id = ?1 AND rows IS NOT NULL";
    more.into_iter().try_for_each(|more| {
        connection.prepare_cached(sql)?.execute(<[i64; 2]>::from(more)).map(drop)
    })
}

/// Counts what a sync wrote itself and takes out of the queue again.
pub(crate) fn count_own(connection: &Connection, after: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE db_to_cloud_tables SET rows = rows + (
            SELECT coalesce(sum(made), 0) FROM db_to_cloud_queue
                WHERE seq > ?1 AND source = db_to_cloud_tables.id)
        WHERE rows IS NOT NULL";
    connection.prepare_cached(sql)?.execute([after]).map(drop)
}

/// Whether a document surely had a row before these edits: it is synced, and nothing was queued since.
fn is_sure(
    connection: &Connection,
    remotes: Option<&Vec<i64>>,
    id: &DocumentId,
) -> rusqlite::Result<bool> {
    let key = id.to_key();
    for remote in remotes.into_iter().flatten() {
        let has = |table| {
            Ok::<_, rusqlite::Error>(records::get(connection, *remote, table, &key)?.is_some())
        };
        if has(Table::Index)? {
            return Ok(!has(Table::Dirty)?);
        }
    }
    Ok(false)
}

/// Queues what is missing of these tables, if rows of them were replaced. The queue of the triggers must be
/// empty.
pub(crate) fn check(connection: &Connection, sources: &HashSet<i64>) -> rusqlite::Result<()> {
    let sql = "SELECT name, keys, rows FROM db_to_cloud_tables t WHERE id = ?1 AND rows IS NOT NULL
        AND EXISTS (SELECT 1 FROM sqlite_schema s WHERE s.type = 'table' AND s.name = t.name COLLATE NOCASE)";
    for source in sources {
        let mut statement = connection.prepare_cached(sql)?;
        let mut found = statement.query([source])?;
        let Some(row) = found.next()? else { continue };
        let (name, keys, rows): (String, String, i64) = (row.get(0)?, row.get(1)?, row.get(2)?);
        drop(found);
        let keys: Vec<String> = serde_json::from_str(&keys).unwrap_or_default();
        let actual = size(connection, &name)?;
        if actual != rows {
            match queue_missing(connection, *source, &name, &keys) {
                // It is set aside, and is looked at when it can be read again.
                Err(error) if attach::is_schemas(&error) => continue,
                done => done?,
            }
            set_size(connection, *source, Some(actual))?;
        }
    }
    Ok(())
}

/// Queues the synced documents of a table that have no row any more.
pub(crate) fn queue_missing(
    connection: &Connection,
    source: i64,
    table: &str,
    keys: &[String],
) -> rusqlite::Result<()> {
    for remote in drain::remotes(connection, source)? {
        for key in missing(connection, remote, table, keys)?.0 {
            drain::queue(connection, remote, &key)?;
        }
    }
    Ok(())
}

/// Begins to count the rows of a table, or ends it. The queue of the triggers must be empty.
pub(crate) fn begin(
    connection: &Connection,
    source: i64,
    table: Option<&str>,
) -> rusqlite::Result<()> {
    let size = table.map(|table| size(connection, table)).transpose()?;
    set_size(connection, source, size)
}

/// Whether the rows of a table are counted.
pub(crate) fn is_counted(connection: &Connection, source: i64) -> rusqlite::Result<bool> {
    let sql = "SELECT rows IS NOT NULL FROM db_to_cloud_tables WHERE id = ?1";
    connection.prepare_cached(sql)?.query_row([source], |row| row.get(0))
}

fn size(connection: &Connection, table: &str) -> rusqlite::Result<i64> {
    let sql = format!("SELECT count(*) FROM {}", quoted(table));
    connection.prepare_cached(&sql)?.query_row([], |row| row.get(0))
}

fn set_size(connection: &Connection, source: i64, rows: Option<i64>) -> rusqlite::Result<()> {
    let sql = "UPDATE db_to_cloud_tables SET rows = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute(params![source, rows]).map(drop)
}

/// The synced documents of a table that have no row any more, their keys among the records; and how many
/// documents there are.
pub(crate) fn missing(
    connection: &Connection,
    remote: i64,
    table: &str,
    keys: &[String],
) -> rusqlite::Result<(Vec<String>, u64)> {
    let (mut missing, mut all) = (Vec::new(), 0);
    each_synced(connection, remote, table, |key| {
        all += 1;
        let row = DocumentId::from_key(key).and_then(|id| RowKey::parse(&id));
        let is_row = |row: &RowKey| row.cells.len() == keys.len() && !row.has_null();
        let Some(row) = row.filter(is_row) else { return Ok(()) };
        // A document that is held never had a row.
        if !row.exists(connection, table, keys)?
            && extra::is_held(connection, &row.id())? != Some(true)
        {
            missing.push(key.to_owned());
        }
        Ok(())
    })?;
    Ok((missing, all))
}

/// The documents of a table that are synced with any remote.
pub(crate) fn all_synced(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<BTreeSet<DocumentId>> {
    let sql = "SELECT remote FROM db_to_cloud_synced s JOIN db_to_cloud_tables t ON t.id = s.source
        WHERE t.name = ?1";
    let remotes = connection.prepare_cached(sql)?.query_map([table], |row| row.get(0))?.collect();
    let (remotes, mut all): (rusqlite::Result<Vec<i64>>, _) = (remotes, BTreeSet::new());
    for remote in remotes? {
        each_synced(connection, remote, table, |key| {
            all.extend(DocumentId::from_key(key));
            Ok(())
        })?;
    }
    Ok(all)
}

/// Goes through the synced documents of a table: their keys among the records.
pub(crate) fn each_synced(
    connection: &Connection,
    remote: i64,
    table: &str,
    mut work: impl FnMut(&str) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let prefix = RowKey { table: table.to_owned(), cells: Vec::new() }.id().to_key();
    let prefix = format!("{},", prefix.trim_end_matches(']'));
    let mut after = Some(prefix.clone());
    while let Some(start) = after.take() {
        for (key, _) in records::scan(connection, remote, Table::Index, Some(&start), 1000)? {
            let key = String::from_utf8(key).ok().filter(|key| key.starts_with(&prefix));
            let Some(key) = key else { return Ok(()) };
            work(&key)?;
            after = Some(key);
        }
    }
    Ok(())
}
