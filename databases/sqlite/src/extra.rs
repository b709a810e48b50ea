//! What the rows of this device cannot hold, kept beside them.
//!
//! - The document of a row that does not say all of it: it has columns that this device does not
//!   know, or lacks columns that it has, or another program wrote it in its own way. As long as the
//!   row is as the sync left it, that document stands, to the byte; once it is edited, the columns that
//!   are unknown here go on in the new document, and values that a column holds in another form.
//! - A document without a row, *held*: its table does not exist here, or a row that it refers to
//!   has not come yet.

use db_to_cloud::{ContentHash, Document, DocumentId, Revision};
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Map, Value};

use crate::cell::Cell;
use crate::document::{decode, encode};
use crate::parents::Awaited;
use crate::shape::View;

/// What is kept of one document.
#[derive(Debug)]
pub(crate) struct Extra {
    /// The hash of what the row alone would be as a document; `None` if there is no row.
    pub row: Option<Vec<u8>>,
    pub document: Document,
    /// Fields of the document that the row has as another value, such as a text that a column took as a
    /// number: that value. As long as the row has it, the document's stands.
    pub inexact: Map<String, Value>,
}

impl Extra {
    /// Whether the row is as the sync left it.
    pub(crate) fn is_of(&self, row: &[u8]) -> bool {
        self.row.as_deref() == Some(ContentHash::of(row).as_bytes())
    }

    /// The values of an edited row, with those of the document that the row only has in another form.
    pub(crate) fn exact(&self, view: &View, cells: &[Cell]) -> Vec<Cell> {
        let mut cells = cells.to_vec();
        if self.inexact.is_empty() {
            return cells;
        }
        let fields = decode(&self.document.bytes).unwrap_or_default();
        for (column, cell) in view.columns.iter().zip(&mut cells) {
            let kept = self.inexact.get(&column.field).and_then(Cell::from_json);
            if kept.as_ref() == Some(cell)
                && let Some(exact) = fields.get(&column.field).and_then(Cell::from_json)
            {
                *cell = exact;
            }
        }
        cells
    }
}

/// What is kept of a document.
pub(crate) fn get(connection: &Connection, id: &DocumentId) -> rusqlite::Result<Option<Extra>> {
    let sql = "SELECT row, revision, document, inexact FROM db_to_cloud_extra WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let extra = statement.query_row([id.to_key().as_bytes()], |row| {
        let revision = Revision::new(row.get::<_, String>(1)?);
        let document = Document::new(revision, row.get::<_, Vec<u8>>(2)?);
        let inexact = row.get::<_, Option<String>>(3)?.map(|text| serde_json::from_str(&text).ok());
        Ok(Extra { row: row.get(0)?, document, inexact: inexact.flatten().unwrap_or_default() })
    });
    extra.optional()
}

/// Keeps the document of a row that has these values.
pub(crate) fn keep(
    connection: &Connection,
    id: &DocumentId,
    view: &View,
    cells: &[Cell],
    document: &Document,
) -> rusqlite::Result<()> {
    let own = encode(view, cells, &Map::new());
    let (fields, mut inexact) = (decode(&document.bytes).unwrap_or_default(), Map::new());
    for (column, cell) in view.columns.iter().zip(cells) {
        let wanted = fields.get(&column.field).and_then(Cell::from_json);
        if wanted.is_some_and(|wanted| wanted != *cell) {
            inexact.insert(column.field.clone(), cell.to_json());
        }
    }
    set(connection, id, Some(ContentHash::of(&own).as_bytes()), document, None)?;
    if inexact.is_empty() {
        return Ok(());
    }
    let sql = "UPDATE db_to_cloud_extra SET inexact = ?2 WHERE id = ?1";
    let inexact = serde_json::to_string(&inexact).unwrap_or_default();
    connection.prepare_cached(sql)?.execute(params![id.to_key().as_bytes(), inexact]).map(drop)
}

/// Holds a document without a row.
pub(crate) fn hold(
    connection: &Connection,
    id: &DocumentId,
    document: &Document,
    awaited: Option<&Awaited>,
) -> rusqlite::Result<()> {
    set(connection, id, None, document, awaited)
}

fn set(
    connection: &Connection,
    id: &DocumentId,
    row: Option<&[u8; 32]>,
    document: &Document,
    awaited: Option<&Awaited>,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO db_to_cloud_extra (id, row, awaited, revision, document)
        VALUES (?1, ?2, ?3, ?4, ?5)";
    connection.prepare_cached(sql)?.execute(params![
        id.to_key().as_bytes(),
        row.map(|row| &row[..]),
        awaited.map(|awaited| &awaited.0),
        document.revision.as_str(),
        &document.bytes[..],
    ])?;
    Ok(())
}

/// Forgets what is kept of a document.
pub(crate) fn forget(connection: &Connection, id: &DocumentId) -> rusqlite::Result<()> {
    let sql = "DELETE FROM db_to_cloud_extra WHERE id = ?1";
    connection.prepare_cached(sql)?.execute([id.to_key().as_bytes()]).map(drop)
}

/// Whether the document is held; `None` if nothing is kept of it.
pub(crate) fn is_held(connection: &Connection, id: &DocumentId) -> rusqlite::Result<Option<bool>> {
    let sql = "SELECT row IS NULL FROM db_to_cloud_extra WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_row([id.to_key().as_bytes()], |row| row.get(0)).optional()
}

/// A row got another id: what is kept of it goes along, in the place of what was kept of the row that had
/// that id.
pub(crate) fn rename(
    connection: &Connection,
    from: &DocumentId,
    to: &DocumentId,
) -> rusqlite::Result<()> {
    let [from, to] = [from, to].map(|id| id.to_key().into_bytes());
    if from == to {
        return Ok(());
    }
    let old = "DELETE FROM db_to_cloud_extra WHERE id = ?1 AND row IS NOT NULL";
    connection.prepare_cached(old)?.execute([&to])?;
    let sql = "UPDATE OR IGNORE db_to_cloud_extra SET id = ?2 WHERE id = ?1 AND row IS NOT NULL";
    connection.prepare_cached(sql)?.execute([&from, &to]).map(drop)
}

/// Whether anything is kept.
pub(crate) fn is_any(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_extra)";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// Whether any held document waits for a row.
pub(crate) fn is_any_awaited(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT EXISTS (SELECT 1 FROM db_to_cloud_extra WHERE awaited IS NOT NULL)";
    connection.prepare_cached(sql)?.query_row([], |row| row.get(0))
}

/// The held documents that wait for a row.
pub(crate) fn awaiting(
    connection: &Connection,
    awaited: &Awaited,
) -> rusqlite::Result<Vec<DocumentId>> {
    let sql = "SELECT id FROM db_to_cloud_extra WHERE awaited = ?1 AND awaited IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    ids(statement.query([&awaited.0])?)
}

/// All held documents.
pub(crate) fn held(connection: &Connection) -> rusqlite::Result<Vec<DocumentId>> {
    let mut statement = connection.prepare("SELECT id FROM db_to_cloud_extra WHERE row IS NULL")?;
    ids(statement.query([])?)
}

/// Those that wait for a row.
pub(crate) fn held_for_others(connection: &Connection) -> rusqlite::Result<Vec<DocumentId>> {
    let sql = "SELECT id FROM db_to_cloud_extra WHERE row IS NULL AND awaited IS NOT NULL";
    ids(connection.prepare(sql)?.query([])?)
}

fn ids(mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Vec<DocumentId>> {
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        ids.extend(DocumentId::from_key(&String::from_utf8_lossy(&key)));
    }
    Ok(ids)
}
