//! What a change of the schema, or a time without triggers, means for the rows that are synced already.
//!
//! A row is not edited by a column that comes or goes. Its document is another one then, so its record gets
//! the revision that the row has now: what is in the storage stays as it is, until somebody edits the row.
//! A column that comes gets what was kept for it beside the row, unless the application or its migration
//! wrote a value there.
//!
//! | | the triggers were there all the time | they were not |
//! |---|---|---|
//! | queued row | an edit | an edit |
//! | other row | none, unless a new column has a value: then the column was renamed | an edit, unless its known columns are as synced and each new one has its default |
//! | no row | queued, if it was deleted | asked about (rule B1) |

use db_to_cloud::state::{Table, Update, local_revision, with_local_revision};
use db_to_cloud::{DocumentId, Revision};
use rusqlite::{Connection, params};

use crate::cell::Cell;
use crate::document::{decode, document, encode, unknown};
use crate::key::RowKey;
use crate::known::Known;
use crate::parents::cells;
use crate::read::{read_row, row, with_row};
use crate::shape::{Column, Shape, View};
use crate::statements::quoted;
use crate::write::{Row, Unwritten};
use crate::{drain, extra, own, records};

/// The rows of a table and what was known of them.
pub(crate) struct Migration<'a> {
    pub connection: &'a Connection,
    pub shape: &'a Shape,
    pub remotes: &'a [i64],
    /// Whether the triggers were there all the time.
    pub was_watched: bool,
    /// The columns that were known already.
    before: View,
    /// Those that are new.
    added: Vec<Column>,
    /// Those that went.
    dropped: Vec<String>,
    /// Whether all documents may be other ones than the known columns make.
    is_unknown: bool,
    /// Which of the new columns a row has by default.
    are_defaults: String,
}

impl<'a> Migration<'a> {
    pub(crate) fn new(
        connection: &'a Connection,
        shape: &'a Shape,
        known: &Known,
        remotes: &'a [i64],
        was_watched: bool,
    ) -> Self {
        let columns = shape.view.columns.iter().cloned();
        let (before, added): (Vec<_>, Vec<_>) =
            columns.partition(|column| known.has(column, was_watched));
        let is_default = |column: &Column| match column.is_constant {
            true => format!("{} IS {} COLLATE BINARY", quoted(&column.name), column.default),
            false => "0".to_owned(),
        };
        let are_defaults = added.iter().map(is_default).collect::<Vec<_>>().join(", ");
        let statements = &shape.view.statements;
        let are_defaults =
            format!("SELECT {are_defaults} FROM {} WHERE {}", statements.table, statements.is_row);
        let before = View::new(&shape.table, &shape.keys, before, shape.view.revision.clone());
        let dropped = known.dropped(shape);
        let is_unknown = !dropped.is_empty() || known.had_short_documents();
        Self {
            connection,
            shape,
            remotes,
            was_watched,
            before,
            added,
            dropped,
            is_unknown,
            are_defaults,
        }
    }

    /// Goes through all rows.
    pub(crate) fn run(&self) -> rusqlite::Result<()> {
        let statements = &self.shape.view.statements;
        if !self.was_watched {
            for key in self.keys(&statements.null, &[])? {
                self.queue_for_all(&key.id())?;
            }
        }
        let mut page = self.keys(&statements.first, &[])?;
        while let Some(last) = page.last().cloned() {
            page.iter().try_for_each(|key| self.settle(key))?;
            page = self.keys(&statements.after, &last.cells)?;
        }
        Ok(())
    }

    fn keys(&self, sql: &str, after: &[Cell]) -> rusqlite::Result<Vec<RowKey>> {
        let mut statement = self.connection.prepare_cached(sql)?;
        let width = self.shape.keys.len();
        let key = |row: &rusqlite::Row<'_>| {
            Ok(RowKey { table: self.shape.name.clone(), cells: cells(row, width)? })
        };
        statement.query_map(rusqlite::params_from_iter(after), key)?.collect()
    }

    fn settle(&self, row_key: &RowKey) -> rusqlite::Result<()> {
        let (connection, id) = (self.connection, row_key.id());
        let Some(cells) = row(connection, &self.shape.view, row_key)? else { return Ok(()) };
        let key = id.to_key();
        let is_queued = self.is_queued(&key)?;
        let before = match self.was_watched && !is_queued {
            true => None,
            false => self.revision(&self.before, row_key)?,
        };
        let is_written = self.fill_in(row_key, &cells, is_queued)?;
        let Some(after) = self.revision(&self.shape.view, row_key)? else { return Ok(()) };
        for remote in self.remotes {
            self.settle_for(*remote, &key, before.as_ref(), &after, is_written)?;
        }
        Ok(())
    }

    /// The revision of a row's document as far as this view of it goes.
    fn revision(&self, view: &View, key: &RowKey) -> rusqlite::Result<Option<Revision>> {
        let extra = extra::get(self.connection, &key.id())?;
        let current = read_row(self.connection, view, key, extra)?;
        Ok(current.document.map(|document| document.revision))
    }

    /// What a row is for one remote: edited, or the same as before under another revision.
    fn settle_for(
        &self,
        remote: i64,
        key: &str,
        before: Option<&Revision>,
        after: &Revision,
        is_written: bool,
    ) -> rusqlite::Result<()> {
        let record = |table| records::get(self.connection, remote, table, key);
        let is_queued = record(Table::Dirty)?.is_some();
        let Some(indexed) = record(Table::Index)? else {
            return match self.was_watched || is_queued {
                true => Ok(()),
                false => drain::queue(self.connection, remote, key),
            };
        };
        let local = local_revision(&indexed).map_err(damaged)?;
        let is_sure = self.was_watched && !is_queued;
        let is_as_synced = is_sure || (!self.is_unknown && before == Some(&local));
        if *after == local {
            return Ok(());
        }
        if is_as_synced && !is_written {
            let value = Some(with_local_revision(&indexed, after).map_err(damaged)?);
            let update = Update { table: Table::Index, key: key.to_owned(), value };
            return records::set(self.connection, remote, &update);
        }
        if is_queued { Ok(()) } else { drain::queue(self.connection, remote, key) }
    }

    /// Whether an edit of a document is queued.
    fn is_queued(&self, key: &str) -> rusqlite::Result<bool> {
        for remote in self.remotes {
            if records::get(self.connection, *remote, Table::Dirty, key)?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Which of the new columns have their default in a row.
    fn defaults(&self, key: &RowKey) -> rusqlite::Result<Vec<bool>> {
        if self.added.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = self.connection.prepare_cached(&self.are_defaults)?;
        statement.query_row(rusqlite::params_from_iter(&key.cells), |row| {
            (0..self.added.len()).map(|i| row.get(i)).collect()
        })
    }

    /// Gives the new columns of a row what was kept for them; answers whether the application wrote a
    /// value there itself.
    fn fill_in(&self, key: &RowKey, cells: &[Cell], is_queued: bool) -> rusqlite::Result<bool> {
        let defaults = self.defaults(key)?;
        let is_changed = !self.added.is_empty() || self.is_unknown;
        let kept = extra::get(self.connection, &key.id())?;
        let Some(extra) = kept.filter(|extra| is_changed && extra.row.is_some()) else {
            return Ok(defaults.contains(&false));
        };
        let fields = decode(&extra.document.bytes).unwrap_or_default();
        let mut wanted = extra.exact(&self.shape.view, cells);
        // A row that nobody edited since it was synced has at most what a renamed column had before.
        let is_untouched = self.was_watched && !is_queued;
        let mut is_written = false;
        let columns = &self.shape.view.columns;
        for (place, column) in columns.iter().enumerate() {
            let added = self.added.iter().position(|added| added.field == column.field);
            let (Some(added), Some(cell)) = (added, wanted.get_mut(place)) else { continue };
            let kept = fields.get(&column.field).and_then(Cell::from_json);
            match (kept, defaults.get(added)) {
                (Some(kept), is_default) if is_untouched || is_default == Some(&true) => {
                    *cell = kept;
                }
                (kept, _) => {
                    is_written |= kept.as_ref() != Some(cell) && defaults.get(added) != Some(&true)
                }
            }
        }
        let mut others = unknown(&self.shape.view, &extra.document.bytes);
        others.retain(|field, _| !self.dropped.contains(field));
        let bytes = encode(&self.shape.view, &wanted, &others);
        let wanted = document(&self.shape.view, &wanted, bytes);
        let (id, before) = (key.id(), with_row(&self.shape.view, cells, Some(extra)));
        let row = Row { connection: self.connection, shape: self.shape, key, id: &id };
        let last = own::last(self.connection)?;
        self.connection.execute_batch("SAVEPOINT db_to_cloud_fill")?;
        match row.put(&before, &wanted) {
            Ok(_) => self.connection.execute_batch("RELEASE db_to_cloud_fill")?,
            Err(Unwritten::Sqlite(error)) => return Err(error),
            // What the table does not accept stays beside the row.
            Err(_) => {
                let undo = "ROLLBACK TO db_to_cloud_fill; RELEASE db_to_cloud_fill";
                self.connection.execute_batch(undo)?;
                extra::keep(self.connection, &id, &self.shape.view, cells, &wanted)?;
            }
        }
        let sql = "DELETE FROM db_to_cloud_queue WHERE seq > ?1";
        self.connection.prepare_cached(sql)?.execute(params![last])?;
        Ok(is_written)
    }

    fn queue_for_all(&self, id: &DocumentId) -> rusqlite::Result<()> {
        self.remotes.iter().try_for_each(|r| drain::queue(self.connection, *r, &id.to_key()))
    }
}

fn damaged(error: db_to_cloud::state::StateError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Blob, error.into())
}
