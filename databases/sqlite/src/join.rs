//! Beginning to sync tables with a storage.

use rusqlite::{Connection, params};

use crate::attach::Shapes;
use crate::schema::immediate;
use crate::shape::Shape;
use crate::statements::quoted;
use crate::{drain, extra, taken};

/// Begins to sync the opened tables with a remote: all their rows are queued for it.
pub(crate) fn join(
    connection: &mut Connection,
    shapes: &Shapes,
    remote: i64,
) -> rusqlite::Result<()> {
    let transaction = immediate(connection)?;
    join_all(&transaction, shapes, remote)?;
    transaction.commit()
}

/// The same, if any of them is not synced with it yet: such as one that was set aside before.
pub(crate) fn join_new(
    connection: &mut Connection,
    shapes: &Shapes,
    remote: i64,
) -> rusqlite::Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_synced s
        JOIN db_to_cloud_tables t ON t.id = s.source WHERE s.remote = ?1 AND t.name = ?2)";
    let mut is_new = false;
    for shape in shapes.all() {
        let mut statement = connection.prepare_cached(sql)?;
        is_new |= !statement.query_row((remote, &shape.name), |row| row.get::<_, bool>(0))?;
    }
    if is_new { join(connection, shapes, remote) } else { Ok(()) }
}

/// The same within a transaction.
pub(crate) fn join_all(
    connection: &Connection,
    shapes: &Shapes,
    remote: i64,
) -> rusqlite::Result<()> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_synced WHERE remote = ?1)";
    let is_known: bool = connection.query_row(sql, [remote], |row| row.get(0))?;
    for shape in shapes.all() {
        let (source, is_new) = add(connection, &shape, remote)?;
        if is_new {
            queue_all(connection, &shape, source, Some(remote))?;
        }
    }
    // What came from another remote and has no row here goes on all the same (rule T4).
    let held = if is_known { Vec::new() } else { extra::held(connection)? };
    held.iter().try_for_each(|id| drain::queue(connection, remote, &id.to_key()))
}

/// The same; if the tables were synced with the remote before, all that is and all that was is queued for it.
pub(crate) fn requeue(
    connection: &Connection,
    shapes: &Shapes,
    remote: i64,
) -> rusqlite::Result<()> {
    for shape in shapes.all() {
        let (source, _) = add(connection, &shape, remote)?;
        queue_all(connection, &shape, source, Some(remote))?;
        queue_indexed(connection, &shape, remote)?;
    }
    Ok(())
}

/// The table is synced with the remote from now on. Answers its number, and whether it was not before.
fn add(connection: &Connection, shape: &Shape, remote: i64) -> rusqlite::Result<(i64, bool)> {
    let source = source(connection, shape)?;
    let sql = "INSERT OR IGNORE INTO db_to_cloud_synced (remote, source) VALUES (?1, ?2)";
    Ok((source, connection.execute(sql, [remote, source])? > 0))
}

fn source(connection: &Connection, shape: &Shape) -> rusqlite::Result<i64> {
    let sql = "SELECT id FROM db_to_cloud_tables WHERE name = ?1";
    connection.query_row(sql, [&shape.name], |row| row.get(0))
}

/// Queues all rows of a table, for one remote or for all.
fn queue_all(
    connection: &Connection,
    shape: &Shape,
    source: i64,
    remote: Option<i64>,
) -> rusqlite::Result<()> {
    let columns = (1..=shape.keys.len()).map(|i| format!("k{i}")).collect::<Vec<_>>().join(", ");
    let keys = shape.keys.iter().map(|key| quoted(key)).collect::<Vec<_>>().join(", ");
    let sql = format!(
        "INSERT INTO db_to_cloud_queue (source, moved, remote, {columns})
            SELECT ?1, 0, ?2, {keys} FROM {}",
        quoted(&shape.table)
    );
    connection.execute(&sql, params![source, remote]).map(drop)
}

/// Queues all documents of a table that a remote is known to have: what is no row any more is then
/// found to be deleted.
fn queue_indexed(connection: &Connection, shape: &Shape, remote: i64) -> rusqlite::Result<()> {
    taken::each_synced(connection, remote, &shape.name, |key| drain::queue(connection, remote, key))
}
