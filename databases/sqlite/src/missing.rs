//! Rows that a comparison did not find: nobody deleted them one by one, so a sync asks first (rule B1).

use db_to_cloud::{DocumentId, Missing};
use rusqlite::Connection;

use crate::attach::Shapes;
use crate::{drain, taken};

/// Notes that rows of a table may be missing.
pub(crate) fn note(connection: &Connection, source: i64) -> rusqlite::Result<()> {
    set(connection, source, true)
}

/// What is missing, table by table. A table of which nothing is missing any more is not looked at again.
pub(crate) fn found(connection: &Connection, shapes: &Shapes) -> rusqlite::Result<Vec<Missing>> {
    let sql = "SELECT id, name FROM db_to_cloud_tables WHERE unsure";
    let mut statement = connection.prepare_cached(sql)?;
    let unsure = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut found = Vec::new();
    for (source, table) in unsure.collect::<rusqlite::Result<Vec<(i64, String)>>>()? {
        let Some(shape) = shapes.get(&table) else { continue };
        let mut is_complete = true;
        for remote in drain::remotes(connection, source)? {
            let (keys, all) = taken::missing(connection, remote, &table, &shape.keys)?;
            let ids: Vec<_> = keys.iter().filter_map(|key| DocumentId::from_key(key)).collect();
            is_complete &= ids.is_empty();
            found.push(Missing { ids, all });
        }
        if is_complete {
            set(connection, source, false)?;
        }
    }
    Ok(found)
}

fn set(connection: &Connection, source: i64, is_unsure: bool) -> rusqlite::Result<()> {
    let sql = "UPDATE db_to_cloud_tables SET unsure = ?2 WHERE id = ?1";
    connection.prepare_cached(sql)?.execute((source, is_unsure)).map(drop)
}
