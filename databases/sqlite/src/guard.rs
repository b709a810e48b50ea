//! While a sync writes, triggers of the application change no row of a synced table.
//!
//! Such a trigger keeps a counter, a log or a time of the last change. On the device where the row was
//! edited it ran already, and what it did there arrives as documents of their own. Done again for the
//! write of a sync it would count twice, and be an edit of this device. In tables that are not synced,
//! such as a search index, triggers go on working.
//!
//! TEMP triggers, which exist on the connection of the sync alone, run before each change of a row of a
//! synced table. They pass over the row (`RAISE(IGNORE)`), unless it is the very row that the sync
//! writes: [`pass`] lets one change of a table through. SQLite runs TEMP triggers before those of the
//! file, so the first change that comes is the one of the sync. The change of a trigger may pass, too, if it
//! changes nothing that is synced.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;

use crate::attach::Shapes;
use crate::probe;
use crate::shape::Shape;
use crate::statements::quoted;
use crate::triggers::differs;

/// The names of TEMP triggers differ each time: one whose table was dropped keeps its name.
static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The functions, and how many arguments each has.
const FUNCTIONS: [(&str, i32); 4] = [
    ("db_to_cloud_pass", 1),
    ("db_to_cloud_may_change", 2),
    ("db_to_cloud_probe", 1),
    ("db_to_cloud_is_probing", 0),
];

/// What the TEMP triggers ask for.
#[derive(Debug, Default)]
struct Asked {
    /// The table of which one row may be changed.
    awaited: Option<String>,
    /// Whether rows in the way are looked for, see `probe`.
    is_probing: bool,
    /// Whether the connection was given back: TEMP triggers that are still there pass over nothing.
    is_over: bool,
}

/// What the functions of one connection share.
pub(crate) struct Guarding(Arc<Mutex<Asked>>);

/// Gives a connection the functions that the TEMP triggers call.
pub(crate) fn register(connection: &Connection) -> rusqlite::Result<Guarding> {
    let asked = Arc::new(Mutex::new(Asked::default()));
    let locked = |asked: &Arc<Mutex<Asked>>| {
        let asked = asked.clone();
        move |work: &mut dyn FnMut(&mut Asked)| {
            work(&mut asked.lock().unwrap_or_else(PoisonError::into_inner))
        }
    };
    let flags = FunctionFlags::SQLITE_UTF8;
    let with = locked(&asked);
    connection.create_scalar_function("db_to_cloud_pass", 1, flags, move |arguments| {
        let mut table = arguments.get(0)?;
        with(&mut |asked| asked.awaited = Option::take(&mut table));
        Ok(0)
    })?;
    let with = locked(&asked);
    connection.create_scalar_function("db_to_cloud_may_change", 2, flags, move |arguments| {
        let (table, is_synced): (String, bool) = (arguments.get(0)?, arguments.get(1)?);
        let mut may = !is_synced;
        with(&mut |asked| {
            may |= asked.is_over || asked.awaited.take_if(|awaited| *awaited == table).is_some();
        });
        Ok(may)
    })?;
    let with = locked(&asked);
    connection.create_scalar_function("db_to_cloud_probe", 1, flags, move |arguments| {
        let is_probing = arguments.get(0)?;
        with(&mut |asked| asked.is_probing = is_probing);
        Ok(0)
    })?;
    let with = locked(&asked);
    connection.create_scalar_function("db_to_cloud_is_probing", 0, flags, move |_| {
        let mut is_probing = false;
        with(&mut |asked| is_probing = asked.is_probing && !asked.is_over);
        Ok(is_probing)
    })?;
    Ok(Guarding(asked))
}

/// Takes the functions and all TEMP objects away again. If SQLite cannot drop a TEMP trigger, it stays without
/// an effect on what the application writes, and so do the functions, without which it would be an error.
pub(crate) fn unregister(connection: &Connection, guarding: &Guarding) -> rusqlite::Result<()> {
    guarding.0.lock().unwrap_or_else(PoisonError::into_inner).is_over = true;
    drop_triggers(connection)?;
    connection.execute_batch("DROP TABLE IF EXISTS temp.db_to_cloud_taken")?;
    for (name, arguments) in FUNCTIONS {
        connection.remove_function(name, arguments)?;
    }
    Ok(())
}

fn drop_triggers(connection: &Connection) -> rusqlite::Result<()> {
    let old = "SELECT name FROM sqlite_temp_schema
        WHERE type = 'trigger' AND name LIKE 'db\\_to\\_cloud\\_guard\\_%' ESCAPE '\\'";
    let mut names = connection.prepare(old)?;
    let names =
        names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    for name in names {
        // One whose table was dropped is in the schema, and yet there is no such trigger.
        connection.execute_batch(&format!("DROP TRIGGER IF EXISTS temp.{}", quoted(&name)))?;
    }
    Ok(())
}

/// Makes the TEMP triggers for these tables, if there is any trigger of the application. On a connection that
/// it lends there may be TEMP ones at any time.
pub(crate) fn install(
    connection: &Connection,
    shapes: &mut [Shape],
    is_lent: bool,
) -> rusqlite::Result<()> {
    drop_triggers(connection)?;
    let is_guarded = is_lent || has_triggers(connection)?;
    for shape in shapes.iter_mut() {
        shape.is_guarded = is_guarded;
    }
    shapes.iter().try_for_each(|shape| make(connection, shape))
}

/// Makes them again on a connection that was given back meanwhile.
pub(crate) fn install_again(connection: &Connection, shapes: &Shapes) -> rusqlite::Result<()> {
    drop_triggers(connection)?;
    shapes.all().iter().try_for_each(|shape| make(connection, shape))
}

fn make(connection: &Connection, shape: &Shape) -> rusqlite::Result<()> {
    let number = NUMBER.fetch_add(1, Relaxed);
    if shape.is_guarded {
        connection.execute_batch(&triggers(shape, number))?;
    }
    connection.execute_batch(&probe::triggers(shape, number))
}

/// Whether the application has any trigger, in whatever table: one may lead to another.
fn has_triggers(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (
        SELECT 1 FROM (SELECT type, name FROM sqlite_schema UNION ALL SELECT type, name FROM sqlite_temp_schema)
            WHERE type = 'trigger' AND name NOT LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\')";
    connection.query_row(sql, [], |row| row.get(0))
}

fn triggers(shape: &Shape, number: u64) -> String {
    let table = format!("main.{}", quoted(&shape.table));
    let name = shape.name.replace('\'', "''");
    let trigger = |event: &str, is_synced: &str| {
        let trigger = quoted(&format!("db_to_cloud_guard_{number}_{}_{event}", shape.name));
        format!(
            "CREATE TEMP TRIGGER {trigger} BEFORE {event} ON {table}
                WHEN NOT db_to_cloud_may_change('{name}', {is_synced})
                BEGIN SELECT RAISE(IGNORE); END;"
        )
    };
    [trigger("INSERT", "1"), trigger("UPDATE", &changes(shape)), trigger("DELETE", "1")].concat()
}

/// Whether an update changes anything that is synced.
fn changes(shape: &Shape) -> String {
    let columns = shape.view.columns.iter().map(|column| &column.name);
    let changes = shape.keys.iter().chain(columns).map(|name| differs(name));
    changes.collect::<Vec<_>>().join(" OR ")
}

/// Does what changes one row of a table, and lets that change pass.
pub(crate) fn pass<T>(
    connection: &Connection,
    shape: &Shape,
    change: impl FnOnce() -> rusqlite::Result<T>,
) -> rusqlite::Result<T> {
    if !shape.is_guarded {
        return change();
    }
    let pass = |table: Option<&str>| {
        let sql = "SELECT db_to_cloud_pass(?1)";
        connection.prepare_cached(sql)?.query_row([table], |row| row.get::<_, i64>(0))
    };
    pass(Some(&shape.name))?;
    let done = change();
    // A statement that met no row leaves it.
    pass(None)?;
    done
}
