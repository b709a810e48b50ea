//! The triggers that queue each edit in its own transaction, whoever makes it.
//!
//! They use nothing that a stock `sqlite3` does not have, and only append to a table without
//! constraints: an `ON CONFLICT` of the application's statement would overrule one of theirs. They name no
//! column that can be dropped, or the application's own `ALTER TABLE` would fail.
//!
//! | trigger | queues |
//! |---|---|
//! | `db_to_cloud_<table>_insert`, `_update`, `_delete` | the row |
//! | `db_to_cloud_<table>_moved` | both ids of a row whose id was changed |
//! | `db_to_cloud_<table>_insertover`, `_updateover` | rows that a REPLACE may delete, see `unique` |

use rusqlite::Connection;

use crate::shape::Shape;
use crate::statements::quoted;
use crate::unique::Unique;

/// A trigger: its name, and the statement that makes it.
pub(crate) struct Trigger {
    pub name: String,
    pub sql: String,
}

/// Those of a table, which has this number in the file.
pub(crate) fn of(shape: &Shape, source: i64) -> Vec<Trigger> {
    let queue = |row: &str, moved: u8, made: &str| {
        format!("{}VALUES ({source}, {moved}, {made}, {});", into(shape), ids(shape, row))
    };
    let change = is_moved(shape);
    let trigger = |kind: &str, event: &str, when: &str, body: &str| {
        let name = format!("db_to_cloud_{}_{kind}", shape.name);
        let (trigger, table) = (quoted(&name), quoted(&shape.table));
        let when = if when.is_empty() { String::new() } else { format!(" WHEN {when}") };
        let sql = format!("CREATE TRIGGER {trigger} {event} ON {table}{when} BEGIN {body} END");
        Trigger { name, sql }
    };
    let new = queue("NEW", 0, "NULL");
    let moved = format!("{} {new}", queue("OLD", 1, "NULL"));
    let mut triggers = vec![
        trigger("insert", "AFTER INSERT", "", &queue("NEW", 0, "1")),
        trigger("update", "AFTER UPDATE", &format!("NOT ({change})"), &new),
        trigger("moved", "AFTER UPDATE", &change, &moved),
        trigger("delete", "AFTER DELETE", "", &queue("OLD", 0, "-1")),
    ];
    let uniques = shape.lasting();
    let into = format!("{}SELECT {source}, 0, NULL, ", into(shape));
    if let Some((insert, update)) = when(&uniques) {
        let [on_insert, on_update] = over(shape, &uniques, &into, &quoted(&shape.table));
        triggers.push(trigger("insertover", "BEFORE INSERT", &insert, &on_insert));
        triggers.push(trigger("updateover", "BEFORE UPDATE", &update, &on_update));
    }
    triggers
}

/// The statements that find the rows in the way of an insert, and of an update: `into` and their ids.
pub(crate) fn over(shape: &Shape, uniques: &[&Unique], into: &str, table: &str) -> [String; 2] {
    let list = ids(shape, "");
    let over = |not_itself: &str| {
        let taken = uniques.iter().map(|unique| {
            let taken = unique.is_taken(&shape.all);
            format!("{into}{list} FROM {table} WHERE {taken}{not_itself};")
        });
        taken.collect::<Vec<_>>().join(" ")
    };
    let is_old = shape.keys.iter().map(|key| format!("{0} IS OLD.{0}", quoted(key)));
    let is_old = is_old.collect::<Vec<_>>().join(" AND ");
    [over(""), over(&format!(" AND NOT ({is_old})"))]
}

/// When rows may be replaced by an insert and by an update; `None` if never.
fn when(uniques: &[&Unique]) -> Option<(String, String)> {
    match uniques {
        [] => None,
        // A rowid that is not named in the insert is new, and until then it is -1.
        [one] if one.is_rowid => {
            let rowid = one.columns().into_iter().flatten().map(|name| quoted(name));
            let rowid = rowid.collect::<String>();
            Some((format!("NEW.{rowid} IS NOT -1"), format!("NEW.{rowid} IS NOT OLD.{rowid}")))
        }
        uniques => {
            let columns = uniques.iter().filter_map(|unique| unique.columns()).flatten();
            let changed = columns.map(|c| format!("NEW.{0} IS NOT OLD.{0}", quoted(c)));
            Some((String::new(), changed.collect::<Vec<_>>().join(" OR ")))
        }
    }
}

fn into(shape: &Shape) -> String {
    let columns = (1..=shape.keys.len()).map(|i| format!("k{i}")).collect::<Vec<_>>().join(", ");
    format!("INSERT INTO db_to_cloud_queue (source, moved, made, {columns}) ")
}

fn ids(shape: &Shape, row: &str) -> String {
    let dot = if row.is_empty() { "" } else { "." };
    let id = |key: &String| format!("{row}{dot}{}", quoted(key));
    shape.keys.iter().map(id).collect::<Vec<_>>().join(", ")
}

/// Whether the id is another one, to the type and the last bit: a collation may say otherwise.
fn is_moved(shape: &Shape) -> String {
    shape.keys.iter().map(|key| differs(key)).collect::<Vec<_>>().join(" OR ")
}

/// Whether an update changes a column, to the type and the last bit.
pub(crate) fn differs(column: &str) -> String {
    let name = quoted(column);
    format!(
        "NEW.{name} IS NOT OLD.{name} COLLATE BINARY OR typeof(NEW.{name}) <> typeof(OLD.{name})"
    )
}

/// A trigger of ours in the file.
struct There {
    name: String,
    /// The table it is on, in lower case.
    table: String,
    sql: String,
}

/// The triggers that a table must have, and those that are there.
pub(crate) struct Installed {
    wanted: Vec<Trigger>,
    there: Vec<There>,
    /// Whether there is nothing to do.
    pub is_same: bool,
    /// Whether all of them are on the table: then no edit was made without them.
    pub is_complete: bool,
}

impl Installed {
    /// They are found by their names too: a table that is renamed takes its triggers along, and another one
    /// may have its name now.
    pub(crate) fn of(
        connection: &Connection,
        shape: &Shape,
        source: i64,
    ) -> rusqlite::Result<Self> {
        let (wanted, there) = (of(shape, source), there(connection, shape)?);
        let has = |w: &Trigger| there.iter().find(|t| t.name == w.name && t.table == shape.name);
        let is_complete = wanted.iter().all(|w| has(w).is_some());
        let is_same = there.len() == wanted.len()
            && wanted.iter().all(|w| has(w).is_some_and(|t| t.sql == w.sql));
        Ok(Self { wanted, there, is_same, is_complete })
    }

    /// Makes them what they must be.
    pub(crate) fn renew(&self, connection: &Connection) -> rusqlite::Result<()> {
        if self.is_same {
            return Ok(());
        }
        for trigger in &self.there {
            connection.execute_batch(&format!("DROP TRIGGER {}", quoted(&trigger.name)))?;
        }
        self.wanted.iter().try_for_each(|trigger| connection.execute_batch(&trigger.sql))
    }
}

/// Our triggers that are on a table, or have the names of its triggers.
fn there(connection: &Connection, shape: &Shape) -> rusqlite::Result<Vec<There>> {
    let sql = "SELECT name, tbl_name, sql FROM sqlite_schema WHERE type = 'trigger'
        AND name LIKE 'db\\_to\\_cloud\\_%' ESCAPE '\\'";
    let mut statement = connection.prepare(sql)?;
    let all = statement.query_map([], |row| {
        let table = row.get::<_, String>(1)?.to_ascii_lowercase();
        Ok(There { name: row.get(0)?, table, sql: row.get(2)? })
    })?;
    let kinds = ["insert", "update", "moved", "delete", "insertover", "updateover"];
    let names = kinds.map(|kind| format!("db_to_cloud_{}_{kind}", shape.name));
    let mut there = all.collect::<rusqlite::Result<Vec<_>>>()?;
    there.retain(|trigger| trigger.table == shape.name || names.contains(&trigger.name));
    Ok(there)
}
