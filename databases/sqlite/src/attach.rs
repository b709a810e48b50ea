//! Attaching to tables, seeing to it that nothing was missed, and letting go of them.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use db_to_cloud::state::Table as Records;
use rusqlite::{Connection, params};

use crate::children::Children;
use crate::error::SqliteError;
use crate::foreign_keys;
use crate::migrate::{Known, json, migrate};
use crate::schema::immediate;
use crate::shape::{Shape, Unfit};
use crate::statements::quoted;
use crate::table::Table;
use crate::{drain, extra, guard, triggers};

/// The tables as they are now.
#[derive(Debug, Default)]
pub(crate) struct Shapes {
    tables: HashMap<String, Arc<Shape>>,
    /// By which columns others refer to a table.
    pub referred: HashMap<String, BTreeSet<Vec<String>>>,
    /// Which rows refer to a table's.
    pub children: Children,
    /// Changes with the schema.
    pub version: i64,
}

impl Shapes {
    /// A table by its name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Shape>> {
        self.tables.get(name)
    }

    /// The tables, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<Shape>> {
        let mut all: Vec<_> = self.tables.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// Looks at the tables and makes their triggers, in one transaction with queueing what may have been
/// missed without them.
pub(crate) fn attach(
    connection: &mut Connection,
    path: &Path,
    wanted: &[Table],
) -> Result<Shapes, SqliteError> {
    let failed = |source| SqliteError::Sqlite { operation: "attach", path: path.into(), source };
    let transaction = immediate(connection).map_err(failed)?;
    let mut all = Vec::new();
    for table in wanted {
        let shape = Shape::of(&transaction, table).map_err(|unfit| match unfit {
            Unfit::Why(why) => SqliteError::Table { table: table.name.clone(), why },
            Unfit::Sqlite(source) => failed(source),
        })?;
        all.push(shape);
    }
    guard::install(&transaction, &mut all).map_err(failed)?;
    let mut shapes = Shapes::default();
    for mut shape in all {
        keep_watch(&transaction, &mut shape).map_err(failed)?;
        for parent in &shape.parents {
            let referred = shapes.referred.entry(parent.table.clone()).or_default();
            referred.insert(parent.columns.clone());
        }
        shapes.tables.insert(shape.name.clone(), Arc::new(shape));
    }
    shapes.children = foreign_keys::children(&transaction, &shapes.tables).map_err(failed)?;
    shapes.version = version(&transaction).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(shapes)
}

/// A number that changes with the schema.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA schema_version")?.query_row([], |row| row.get(0))
}

/// Makes the triggers of a table. If they were there once and are not any more, such as after the
/// table was made anew, anything may have happened: all that is and all that was is queued.
fn keep_watch(connection: &Connection, shape: &mut Shape) -> rusqlite::Result<()> {
    let known = match Known::of(connection, &shape.name)? {
        Some(known) => known,
        None => Known::new(connection, shape)?,
    };
    let keys = json(&shape.keys);
    if known.keys != keys {
        // What is queued has the old ids: it goes into the records as what it is.
        crate::drain::drain(connection, usize::MAX)?;
        let sql = "UPDATE db_to_cloud_tables SET keys = ?2, width = ?3 WHERE id = ?1";
        connection.execute(sql, params![known.source, keys, shape.width()])?;
    }
    let has_changed = migrate(connection, shape, &known)?;
    if triggers::install(connection, shape, known.source)? || has_changed {
        queue_all(connection, shape, known.source, None)?;
        for remote in remotes_of(connection, known.source)? {
            queue_indexed(connection, shape, remote)?;
        }
    }
    Ok(())
}

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
    let prefix = crate::key::RowKey { table: shape.name.clone(), cells: Vec::new() }.id().to_key();
    let prefix = format!("{},", prefix.trim_end_matches(']'));
    let mut after = Some(prefix.clone());
    while let Some(start) = after.take() {
        let page = crate::records::scan(connection, remote, Records::Index, Some(&start), 1000)?;
        for (key, _) in page {
            let Some(key) = String::from_utf8(key).ok().filter(|key| key.starts_with(&prefix))
            else {
                break;
            };
            crate::drain::queue(connection, remote, &key)?;
            after = Some(key);
        }
    }
    Ok(())
}

fn remotes_of(connection: &Connection, source: i64) -> rusqlite::Result<Vec<i64>> {
    let sql = "SELECT remote FROM db_to_cloud_synced WHERE source = ?1";
    connection.prepare_cached(sql)?.query_map([source], |row| row.get(0))?.collect()
}

/// Drops all that db-to-cloud made in the file. Rows stay as they are.
pub(crate) fn detach(connection: &mut Connection) -> rusqlite::Result<()> {
    let transaction = immediate(connection)?;
    for kind in ["trigger", "table"] {
        let sql = "SELECT name FROM sqlite_schema WHERE type = ?1
            AND name LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\' ORDER BY name = 'db_to_cloud_remotes'";
        let names: Vec<String> = transaction
            .prepare(sql)?
            .query_map([kind], |row| row.get(0))?
            .collect::<Result<_, _>>()?;
        for name in names {
            transaction.execute_batch(&format!("DROP {kind} {}", quoted(&name)))?;
        }
    }
    transaction.commit()
}
