//! What the rows of this device cannot hold, kept beside them.
//!
//! - The document of a row that does not say all of it: it has columns that this device does not
//!   know, or lacks columns that it has, or another program wrote it in its own way. As long as the
//!   row is as the sync left it, that document stands, to the byte; once it is edited, the columns that
//!   are unknown here go on in the new document.
//! - A document without a row, *held*: its table does not exist here, or a row that it refers to
//!   has not come yet.

use db_to_cloud::{ContentHash, Document, DocumentId, Revision};
use rusqlite::{Connection, OptionalExtension, params};

use crate::key::RowKey;
use crate::parents::Awaited;

/// What is kept of one document.
#[derive(Debug)]
pub(crate) struct Extra {
    /// The hash of what the row alone would be as a document; `None` if there is no row.
    pub row: Option<Vec<u8>>,
    pub document: Document,
}

impl Extra {
    /// Whether the row is as the sync left it.
    pub(crate) fn is_of(&self, row: &[u8]) -> bool {
        self.row.as_deref() == Some(ContentHash::of(row).as_bytes())
    }
}

/// What is kept of a document.
pub(crate) fn get(connection: &Connection, id: &DocumentId) -> rusqlite::Result<Option<Extra>> {
    let sql = "SELECT row, revision, document FROM db_to_cloud_extra WHERE id = ?1";
    let mut statement = connection.prepare_cached(sql)?;
    let extra = statement.query_row([id.to_key().as_bytes()], |row| {
        let revision = Revision::new(row.get::<_, String>(1)?);
        let document = Document::new(revision, row.get::<_, Vec<u8>>(2)?);
        Ok(Extra { row: row.get(0)?, document })
    });
    extra.optional()
}

/// Keeps the document of a row.
pub(crate) fn keep(
    connection: &Connection,
    id: &DocumentId,
    row: &[u8],
    document: &Document,
) -> rusqlite::Result<()> {
    set(connection, id, Some(ContentHash::of(row).as_bytes()), document, None)
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

/// A row got another id: what is unknown here of it goes along.
pub(crate) fn copy(
    connection: &Connection,
    from: &DocumentId,
    to: &DocumentId,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO db_to_cloud_extra (id, row, revision, document)
        SELECT ?2, row, revision, document FROM db_to_cloud_extra WHERE id = ?1 AND row IS NOT NULL";
    let ids = [from.to_key().into_bytes(), to.to_key().into_bytes()];
    connection.prepare_cached(sql)?.execute(ids).map(drop)
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

/// All rows of a table that something is kept of.
pub(crate) fn kept_of(
    connection: &Connection,
    table: &str,
) -> rusqlite::Result<Vec<(DocumentId, RowKey)>> {
    let sql = "SELECT id FROM db_to_cloud_extra WHERE row IS NOT NULL";
    let kept = ids(connection.prepare(sql)?.query([])?)?;
    let keys = kept.into_iter().filter_map(|id| Some((RowKey::parse(&id)?, id)));
    let keys = keys.filter(|(key, _)| key.table == table).map(|(key, id)| (id, key));
    Ok(keys.collect())
}

fn ids(mut rows: rusqlite::Rows<'_>) -> rusqlite::Result<Vec<DocumentId>> {
    let mut ids = Vec::new();
    while let Some(row) = rows.next()? {
        let key: Vec<u8> = row.get(0)?;
        ids.extend(DocumentId::from_key(&String::from_utf8_lossy(&key)));
    }
    Ok(ids)
}
