//! All documents, page by page.

use db_to_cloud::DocumentId;
use rusqlite::{Connection, params_from_iter};

use crate::attach::Shapes;
use crate::cell::Cell;
use crate::key::RowKey;
use crate::parents::cells;
use crate::{extra, taken};

/// Where a listing is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Place {
    table: usize,
    /// The last row of the table that was listed.
    after: Option<Vec<Cell>>,
}

/// The next ids, and where to go on.
pub(crate) fn page(
    connection: &mut Connection,
    shapes: &Shapes,
    place: Place,
) -> rusqlite::Result<(Vec<DocumentId>, Option<Place>)> {
    let tables = shapes.all();
    let Some(shape) = tables.get(place.table) else {
        // Documents of tables that cannot be read are there: what is not listed would be taken for deleted.
        let mut others = extra::held(connection)?;
        for table in shapes.aside().keys() {
            others.extend(taken::all_synced(connection, table)?);
        }
        return Ok((others, None));
    };
    let width = shape.keys.len();
    let mut rows = Vec::new();
    let mut read = |sql: &str, after: &[Cell]| -> rusqlite::Result<()> {
        let mut statement = connection.prepare_cached(sql)?;
        let found = statement.query_map(params_from_iter(after), |row| cells(row, width))?;
        for row in found {
            rows.push(row?);
        }
        Ok(())
    };
    match &place.after {
        // Rows without an id come first in any order, and no row comes after them.
        None => {
            read(&shape.view.statements.null, &[])?;
            read(&shape.view.statements.first, &[])?;
        }
        Some(after) => read(&shape.view.statements.after, after)?,
    }
    let next = match rows.last() {
        Some(last) => Place { table: place.table, after: Some(last.clone()) },
        None => Place { table: place.table + 1, after: None },
    };
    let id = |cells| RowKey { table: shape.name.clone(), cells }.id();
    Ok((rows.into_iter().map(id).collect(), Some(next)))
}
