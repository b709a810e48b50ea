//! Documents as they are now.

use std::sync::Arc;

use db_to_cloud::{Document, DocumentId};
use rusqlite::{Connection, OptionalExtension, params_from_iter};
use serde_json::Map;

use crate::attach::Shapes;
use crate::cell::Cell;
use crate::document::{document, encode, unknown};
use crate::error::SqliteError;
use crate::extra::{self, Extra};
use crate::key::RowKey;
use crate::parents::cells;
use crate::shape::{Shape, View};

/// A document, and what it is made of.
#[derive(Debug, Default)]
pub(crate) struct Current {
    pub document: Option<Document>,
    pub has_row: bool,
    pub has_extra: bool,
}

/// Why a document could not be read.
#[derive(Debug)]
pub(crate) enum Unread {
    /// It is this one's own trouble.
    Document(SqliteError),
    /// SQLite failed.
    Sqlite(rusqlite::Error),
}

impl From<rusqlite::Error> for Unread {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

/// The table of a row that can be looked up.
pub(crate) fn place<'a>(shapes: &'a Shapes, id: &DocumentId) -> Option<(RowKey, &'a Arc<Shape>)> {
    let key = RowKey::parse(id)?;
    let shape = shapes.get(&key.table)?;
    (key.cells.len() == shape.keys.len()).then_some((key, shape))
}

/// A document as it is now.
pub(crate) fn read(
    connection: &Connection,
    shapes: &Shapes,
    id: &DocumentId,
) -> Result<Current, Unread> {
    read_at(connection, shapes, id, place(shapes, id).as_ref(), true)
}

/// The documents of the first of these ids, until they have this many bytes together.
pub(crate) fn read_some(
    connection: &Connection,
    shapes: &Shapes,
    ids: &[DocumentId],
    enough: u64,
) -> rusqlite::Result<Vec<Result<Option<Document>, Unread>>> {
    let has_extras = extra::is_any(connection)?;
    let (mut documents, mut bytes) = (Vec::with_capacity(ids.len()), 0);
    for id in ids {
        let place = place(shapes, id);
        let current = read_at(connection, shapes, id, place.as_ref(), has_extras);
        let document = current.map(|current| current.document);
        if let Ok(Some(document)) = &document {
            bytes += document.bytes.len() as u64;
        }
        documents.push(document);
        if bytes >= enough {
            break;
        }
    }
    Ok(documents)
}

/// A document as it is now, if its place is known already, and whether anything is kept beside rows.
pub(crate) fn read_at(
    connection: &Connection,
    shapes: &Shapes,
    id: &DocumentId,
    place: Option<&(RowKey, &Arc<Shape>)>,
    has_extras: bool,
) -> Result<Current, Unread> {
    let table = RowKey::parse(id).filter(|_| place.is_none()).map(|key| key.table);
    if let Some(why) = table.and_then(|table| shapes.aside().get(&table)) {
        let (id, why) = (id.clone(), why.clone());
        return Err(Unread::Document(SqliteError::SetAside { id, why }));
    }
    let extra = if has_extras { extra::get(connection, id)? } else { None };
    let Some((key, shape)) = place else {
        return match extra {
            None if is_known(connection, id)? => {
                Err(Unread::Document(SqliteError::NotOpened { id: id.clone() }))
            }
            extra => Ok(without_row(extra)),
        };
    };
    if key.has_null() {
        let is_there = key.is_there(connection, &shape.table, &shape.keys)?;
        return match is_there {
            true => Err(Unread::Document(SqliteError::NullKey { id: id.clone() })),
            false => Ok(without_row(extra)),
        };
    }
    Ok(read_row(connection, &shape.view, key, extra)?)
}

/// The document of a row, as far as this view of it goes.
pub(crate) fn read_row(
    connection: &Connection,
    view: &View,
    key: &RowKey,
    extra: Option<Extra>,
) -> rusqlite::Result<Current> {
    Ok(match row(connection, view, key)? {
        None => without_row(extra),
        Some(cells) => with_row(view, &cells, extra),
    })
}

fn without_row(extra: Option<Extra>) -> Current {
    let has_extra = extra.is_some();
    let held = extra.filter(|extra| extra.row.is_none());
    Current { document: held.map(|held| held.document), has_row: false, has_extra }
}

pub(crate) fn with_row(view: &View, cells: &[Cell], extra: Option<Extra>) -> Current {
    let own = encode(view, cells, &Map::new());
    let has_extra = extra.is_some();
    let bytes = match extra {
        None => own,
        Some(extra) if extra.is_of(&own) => {
            return Current { document: Some(extra.document), has_row: true, has_extra };
        }
        Some(extra) => {
            let cells = extra.exact(view, cells);
            let bytes = encode(view, &cells, &unknown(view, &extra.document.bytes));
            let document = Some(document(view, &cells, bytes));
            return Current { document, has_row: true, has_extra };
        }
    };
    Current { document: Some(document(view, cells, bytes)), has_row: true, has_extra }
}

/// The values of a row, if it has this very id: a collation may find another one.
pub(crate) fn row(
    connection: &Connection,
    view: &View,
    key: &RowKey,
) -> rusqlite::Result<Option<Vec<Cell>>> {
    let mut statement = connection.prepare_cached(&view.statements.select)?;
    let width = key.cells.len();
    let all = width + view.columns.len();
    let found = statement.query_row(params_from_iter(&key.cells), |row| cells(row, all));
    let Some(mut all) = found.optional()? else { return Ok(None) };
    let values = all.split_off(width);
    Ok((all == key.cells).then_some(values))
}

/// Whether the id is that of a table that is synced by some program, though not opened now.
fn is_known(connection: &Connection, id: &DocumentId) -> rusqlite::Result<bool> {
    let Some(key) = RowKey::parse(id) else { return Ok(false) };
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_tables WHERE name = ?1 AND width = ?2)";
    let mut statement = connection.prepare_cached(sql)?;
    statement
        .query_row((&key.table, u8::try_from(key.cells.len()).unwrap_or(u8::MAX)), |row| row.get(0))
}
