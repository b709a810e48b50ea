//! Attaching to tables, seeing to it that nothing was missed, and letting go of them.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, ffi};

use crate::children::Children;
use crate::error::SqliteError;
use crate::foreign_keys;
use crate::known::{Known, json};
use crate::migrate::Migration;
use crate::schema::immediate;
use crate::shape::{Shape, Unfit};
use crate::statements::quoted;
use crate::table::Table;
use crate::triggers::Installed;
use crate::{drain, guard, missing, taken};

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
    /// Tables that cannot be synced now, and why.
    aside: BTreeMap<String, String>,
}

impl Shapes {
    /// A table by its name in lower case.
    pub(crate) fn get(&self, name: &str) -> Option<&Arc<Shape>> {
        self.tables.get(name)
    }

    /// Tables that cannot be synced now, in lower case, and why.
    pub(crate) fn aside(&self) -> &BTreeMap<String, String> {
        &self.aside
    }

    fn set_aside(&mut self, name: &str, why: String) {
        self.aside.insert(name.to_ascii_lowercase(), why);
    }

    fn add(&mut self, shape: Shape) {
        for parent in &shape.parents {
            let referred = self.referred.entry(parent.table.clone()).or_default();
            referred.insert(parent.columns.clone());
        }
        self.tables.insert(shape.name.clone(), Arc::new(shape));
    }

    /// The tables, in the order of their names.
    pub(crate) fn all(&self) -> Vec<Arc<Shape>> {
        let mut all: Vec<_> = self.tables.values().cloned().collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all
    }
}

/// Whether tables are opened for the first time or looked at again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    First,
    Again,
    /// Without a trace in the file: see `look`.
    Only,
}

/// Looks at the tables and makes their triggers, in one transaction with queueing what may have been
/// missed without them.
///
/// A table that cannot be synced is an error at the first look, as somebody named it. Later, or if SQLite
/// cannot read it on this connection, it is set aside alone.
pub(crate) fn attach(
    connection: &mut Connection,
    path: &Path,
    wanted: &[Table],
    look: Look,
    is_lent: bool,
) -> Result<Shapes, SqliteError> {
    let failed = |source| SqliteError::Sqlite { operation: "attach", path: path.into(), source };
    let mut transaction = immediate(connection).map_err(failed)?;
    let (mut shapes, mut all) = (Shapes::default(), Vec::new());
    for table in wanted {
        match Shape::of(&transaction, table) {
            Ok(shape) => all.push(shape),
            Err(Unfit::Why(why)) if look != Look::Again => {
                return Err(SqliteError::Table { table: table.name.clone(), why });
            }
            Err(Unfit::Why(why)) => shapes.set_aside(&table.name, why),
            Err(Unfit::Sqlite(error)) if is_schemas(&error) => {
                shapes.set_aside(&table.name, error.to_string());
            }
            Err(Unfit::Sqlite(error)) => return Err(failed(error)),
        }
    }
    if look != Look::Only {
        guard::install(&transaction, &mut all, is_lent).map_err(failed)?;
    }
    for shape in all {
        let mut savepoint = transaction.savepoint().map_err(failed)?;
        match begin(&savepoint, &shape, look) {
            Ok(()) => shapes.add(shape),
            Err(error) if is_schemas(&error) => {
                savepoint.rollback().map_err(failed)?;
                shapes.set_aside(&shape.name, error.to_string());
            }
            Err(error) => return Err(failed(error)),
        }
        savepoint.commit().map_err(failed)?;
    }
    shapes.children = foreign_keys::children(&transaction, &shapes.tables).map_err(failed)?;
    shapes.version = version(&transaction).map_err(failed)?;
    transaction.commit().map_err(failed)?;
    Ok(shapes)
}

/// Whether an error is one of the schema: a function, a collation or a table that is not there.
pub(crate) fn is_schemas(error: &rusqlite::Error) -> bool {
    error.sqlite_error().is_some_and(|e| e.extended_code & 0xff == ffi::SQLITE_ERROR)
}

/// Makes the triggers of a table that can be read.
fn begin(connection: &Connection, shape: &Shape, look: Look) -> rusqlite::Result<()> {
    let statements = &shape.view.statements;
    for sql in [&statements.select, &statements.first, &statements.after] {
        connection.prepare(sql)?;
    }
    match look {
        Look::Only if Known::of(connection, &shape.name)?.is_some() => Ok(()),
        Look::Only => Known::new(connection, shape).map(drop),
        Look::First | Look::Again => keep_watch(connection, shape),
    }
}

/// Whether each of these tables can be synced.
pub(crate) fn check(
    connection: &Connection,
    path: &Path,
    wanted: &[Table],
) -> Result<(), SqliteError> {
    for table in wanted {
        match Shape::of(connection, table) {
            Err(Unfit::Why(why)) => {
                return Err(SqliteError::Table { table: table.name.clone(), why });
            }
            Err(Unfit::Sqlite(source)) if !is_schemas(&source) => {
                return Err(SqliteError::Sqlite { operation: "open", path: path.into(), source });
            }
            _ => {}
        }
    }
    Ok(())
}

/// A number that changes with the schema.
pub(crate) fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.prepare_cached("PRAGMA schema_version")?.query_row([], |row| row.get(0))
}

/// Makes the triggers of a table, and looks at its rows if they may be others than those that are known.
fn keep_watch(connection: &Connection, shape: &Shape) -> rusqlite::Result<()> {
    let Some(known) = Known::of(connection, &shape.name)? else {
        let known = Known::new(connection, shape)?;
        Installed::of(connection, shape, known.source)?.renew(connection)?;
        return count(connection, shape, known.source);
    };
    let triggers = Installed::of(connection, shape, known.source)?;
    let is_counted = taken::is_counted(connection, known.source)?;
    let has_other_ids = known.keys != json(&shape.keys);
    let is_other = known.is_other(shape) || has_other_ids;
    if known.is_old() {
        known.renew(connection, shape)?;
    }
    if triggers.is_same && !is_other && is_counted == shape.is_counted() {
        return Ok(());
    }
    // What is queued goes into the records by what was known: it is of the rows as they were.
    drain::drain_within(connection)?;
    triggers.renew(connection)?;
    let was_watched = triggers.is_complete && !has_other_ids;
    if is_other {
        known.renew(connection, shape)?;
    }
    if is_other || !was_watched {
        let remotes = drain::remotes(connection, known.source)?;
        Migration::new(connection, shape, &known, &remotes, was_watched).run()?;
    }
    match was_watched {
        false => missing::note(connection, known.source)?,
        // Rows may have been replaced while nobody counted.
        true if !is_counted && shape.is_counted() => {
            taken::queue_missing(connection, known.source, &shape.name, &shape.keys)?;
        }
        true => {}
    }
    count(connection, shape, known.source)
}

/// Counts the rows from now on, if that is needed.
fn count(connection: &Connection, shape: &Shape, source: i64) -> rusqlite::Result<()> {
    taken::begin(connection, source, Some(&*shape.table).filter(|_| shape.is_counted()))
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
