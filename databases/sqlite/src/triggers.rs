//! The triggers that queue each edit in its own transaction, whoever makes it.
//!
//! They use nothing that a stock `sqlite3` does not have, and only append to a table without
//! constraints: an `ON CONFLICT` of the application's statement would overrule one of theirs.
//!
//! | trigger | queues |
//! |---|---|
//! | `db_to_cloud_<table>_insert`, `_update`, `_delete` | the row |
//! | `db_to_cloud_<table>_moved` | both ids of a row whose id was changed |
//! | `db_to_cloud_<table>_insertover`, `_updateover` | rows that a REPLACE may delete, see `unique` |

use rusqlite::Connection;

use crate::shape::Shape;
use crate::statements::quoted;

/// A trigger: its name, and the statement that makes it.
pub(crate) struct Trigger {
    pub name: String,
    pub sql: String,
}

/// Those of a table, which has this number in the file.
pub(crate) fn of(shape: &Shape, source: i64) -> Vec<Trigger> {
    let queue = |row: &str| format!("{}VALUES ({source}, 0, {});", into(shape), ids(shape, row));
    let (new, old) = (queue("NEW"), queue("OLD"));
    let moved = format!("{}VALUES ({source}, 1, {}); {new}", into(shape), ids(shape, "OLD"));
    let change = is_moved(shape);
    let trigger = |kind: &str, event: &str, body: &str| {
        let name = format!("db_to_cloud_{}_{kind}", shape.name);
        let (trigger, table) = (quoted(&name), quoted(&shape.table));
        let (event, when) = event.split_once(" WHEN ").unwrap_or((event, ""));
        let when = if when.is_empty() { String::new() } else { format!(" WHEN {when}") };
        let sql = format!("CREATE TRIGGER {trigger} {event} ON {table}{when} BEGIN {body} END");
        Trigger { name, sql }
    };
    let mut triggers = vec![
        trigger("insert", "AFTER INSERT", &new),
        trigger("update", &format!("AFTER UPDATE WHEN NOT ({change})"), &new),
        trigger("moved", &format!("AFTER UPDATE WHEN {change}"), &moved),
        trigger("delete", "AFTER DELETE", &old),
    ];
    let over = |not_itself: &str| {
        let taken = shape.contested().into_iter().map(|unique| {
            let (list, table) = (ids(shape, ""), quoted(&shape.table));
            let taken = unique.is_taken(&shape.all);
            format!(
                "{}SELECT {source}, 0, {list} FROM {table} WHERE {taken}{not_itself};",
                into(shape)
            )
        });
        taken.collect::<Vec<_>>().join(" ")
    };
    let is_old = shape.keys.iter().map(|key| format!("{0} IS OLD.{0}", quoted(key)));
    let is_old = is_old.collect::<Vec<_>>().join(" AND ");
    if let Some((insert, update)) = when(shape) {
        triggers.push(trigger("insertover", &format!("BEFORE INSERT{insert}"), &over("")));
        let others = over(&format!(" AND NOT ({is_old})"));
        triggers.push(trigger("updateover", &format!("BEFORE UPDATE{update}"), &others));
    }
    triggers
}

/// When rows may be replaced by an insert and by an update; `None` if never.
fn when(shape: &Shape) -> Option<(String, String)> {
    match &shape.contested()[..] {
        [] => None,
        // A rowid that is not named in the insert is new, and until then it is -1.
        [one] if one.is_rowid => {
            let rowid = one.columns().into_iter().flatten().map(|name| quoted(name));
            let rowid = rowid.collect::<String>();
            let insert = format!(" WHEN NEW.{rowid} IS NOT -1");
            Some((insert, format!(" WHEN NEW.{rowid} IS NOT OLD.{rowid}")))
        }
        uniques => {
            let columns = uniques.iter().map(|unique| unique.columns()).collect::<Option<Vec<_>>>();
            // With an expression or a condition any column may matter.
            let Some(columns) = columns else { return Some((String::new(), String::new())) };
            let changed =
                columns.into_iter().flatten().map(|c| format!("NEW.{0} IS NOT OLD.{0}", quoted(c)));
            let changed = changed.collect::<Vec<_>>().join(" OR ");
            Some((String::new(), format!(" WHEN {changed}")))
        }
    }
}

fn into(shape: &Shape) -> String {
    let columns = (1..=shape.keys.len()).map(|i| format!("k{i}")).collect::<Vec<_>>().join(", ");
    format!("INSERT INTO db_to_cloud_queue (source, moved, {columns}) ")
}

fn ids(shape: &Shape, row: &str) -> String {
    let dot = if row.is_empty() { "" } else { "." };
    let id = |key: &String| format!("{row}{dot}{}", quoted(key));
    shape.keys.iter().map(id).collect::<Vec<_>>().join(", ")
}

/// Whether the id is another one, to the type and the last bit: a collation may say otherwise.
fn is_moved(shape: &Shape) -> String {
    let differs = |key: &String| {
        let key = quoted(key);
        format!(
            "NEW.{key} IS NOT OLD.{key} COLLATE BINARY OR typeof(NEW.{key}) <> typeof(OLD.{key})"
        )
    };
    shape.keys.iter().map(differs).collect::<Vec<_>>().join(" OR ")
}

/// Makes a table's triggers what they must be; answers whether one of them was not there: edits may
/// have been made without it.
pub(crate) fn install(
    connection: &Connection,
    shape: &Shape,
    source: i64,
) -> rusqlite::Result<bool> {
    let wanted = of(shape, source);
    let there = existing(connection, &shape.table)?;
    let complete = wanted.iter().all(|w| there.iter().any(|t| t.name == w.name && t.sql == w.sql));
    if complete && there.len() == wanted.len() {
        return Ok(false);
    }
    for trigger in &there {
        connection.execute_batch(&format!("DROP TRIGGER {}", quoted(&trigger.name)))?;
    }
    for trigger in &wanted {
        connection.execute_batch(&trigger.sql)?;
    }
    Ok(!complete)
}

/// Our triggers on a table.
fn existing(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Trigger>> {
    let sql = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1
        AND name LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(sql)?;
    let triggers =
        statement.query_map([table], |row| Ok(Trigger { name: row.get(0)?, sql: row.get(1)? }))?;
    triggers.collect()
}
