//! Finds the rows that have what must be unique in a row which could not be written.
//!
//! TEMP triggers look for them with the values that the new row would have, defaults and generated columns
//! included, and with the very terms of the indexes. They do so only during a probe.

use rusqlite::Connection;

use crate::key::RowKey;
use crate::parents::cells;
use crate::shape::Shape;
use crate::statements::quoted;
use crate::triggers::over;
use crate::write::Unwritten;

/// The statements that make the TEMP triggers of a table.
pub(crate) fn triggers(shape: &Shape, number: u64) -> String {
    let uniques = shape.contested();
    if uniques.is_empty() {
        return String::new();
    }
    let columns = (1..=shape.keys.len()).map(|i| format!("k{i}")).collect::<Vec<_>>().join(", ");
    let into = format!("INSERT INTO db_to_cloud_taken ({columns}) SELECT ");
    let table = format!("main.{}", quoted(&shape.table));
    let [insert, update] = over(shape, &uniques, &into, &table);
    let trigger = |event: &str, body: &str| {
        let name = quoted(&format!("db_to_cloud_guard_{number}_{}_{event}over", shape.name));
        format!(
            "CREATE TEMP TRIGGER {name} BEFORE {event} ON {table} WHEN db_to_cloud_is_probing()
                BEGIN {body} END;"
        )
    };
    let taken =
        "CREATE TEMP TABLE IF NOT EXISTS db_to_cloud_taken (k1, k2, k3, k4, k5, k6, k7, k8);";
    [taken, &trigger("INSERT", &insert), &trigger("UPDATE", &update)].concat()
}

/// The rows in the way of a statement. All is as it was afterwards.
pub(crate) fn found(
    connection: &Connection,
    shape: &Shape,
    statement: impl FnOnce() -> Result<(), Unwritten>,
) -> Result<Vec<RowKey>, Unwritten> {
    if shape.contested().is_empty() {
        return Ok(Vec::new());
    }
    let probe = |on: bool| {
        let sql = "SELECT db_to_cloud_probe(?1)";
        connection.prepare_cached(sql)?.query_row([on], |row| row.get::<_, i64>(0))
    };
    connection.execute_batch("SAVEPOINT db_to_cloud_probe")?;
    probe(true)?;
    let done = statement();
    probe(false)?;
    done?;
    let width = shape.keys.len();
    let sql = "SELECT * FROM temp.db_to_cloud_taken";
    let mut taken = connection.prepare_cached(sql)?;
    let taken = taken
        .query_map([], |row| Ok(RowKey { table: shape.name.clone(), cells: cells(row, width)? }))?;
    let taken = taken.collect::<rusqlite::Result<Vec<_>>>()?;
    let end = "ROLLBACK TO db_to_cloud_probe; RELEASE db_to_cloud_probe";
    connection.execute_batch(end)?;
    Ok(taken)
}
