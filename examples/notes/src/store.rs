//! The notes in their database. Nothing here knows of the sync: triggers see each change.

use std::path::Path;
use std::time::Duration;

use db_to_cloud::Timestamp;
use rusqlite::types::Type;
use rusqlite::{Connection, OptionalExtension, Row, TransactionBehavior, params};

use crate::note::Note;

/// The notes of this device.
#[derive(Debug)]
pub struct Store {
    connection: Connection,
    /// Changes with each write of somebody else.
    seen: i64,
}

const SCHEMA: &str = "CREATE TABLE IF NOT EXISTS notes (
    id TEXT PRIMARY KEY NOT NULL,
    title TEXT NOT NULL DEFAULT '',
    body TEXT NOT NULL DEFAULT '',
    edited INTEGER NOT NULL DEFAULT 0 -- milliseconds since 1970
)";

const COLUMNS: &str = "SELECT id, title, body, edited FROM notes";

impl Store {
    /// Opens the database; a new one if there is none.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = connect(path)?;
        connection.execute_batch(SCHEMA)?;
        Ok(Self { connection, seen: 0 })
    }

    /// All notes, the one edited last first.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn notes(&self) -> rusqlite::Result<Vec<Note>> {
        let sql = format!("{COLUMNS} ORDER BY edited DESC, id");
        self.connection.prepare_cached(&sql)?.query_map([], note)?.collect()
    }

    /// Looks at a note, and writes what is answered, if anything, in one transaction: nobody else
    /// writes in between. What it writes survives the end of this process, however that comes.
    ///
    /// # Errors
    /// If SQLite cannot. Nothing was written.
    pub fn edit(
        &mut self,
        id: &str,
        change: impl FnOnce(Option<Note>) -> Option<Note>,
    ) -> rusqlite::Result<()> {
        let behavior = TransactionBehavior::Immediate;
        let transaction = self.connection.transaction_with_behavior(behavior)?;
        let sql = format!("{COLUMNS} WHERE id = ?1");
        let now = transaction.prepare_cached(&sql)?.query_row([id], note).optional()?;
        if let Some(note) = change(now) {
            let (title, body) = note.parts();
            let sql = "INSERT INTO notes (id, title, body, edited) VALUES (?1, ?2, ?3, ?4)
                ON CONFLICT (id) DO UPDATE SET title = ?2, body = ?3, edited = ?4";
            let values = params![note.id, title, body, millis(note.edited)];
            transaction.prepare_cached(sql)?.execute(values)?;
        }
        transaction.commit()
    }

    /// Writes a note.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn put(&mut self, note: Note) -> rusqlite::Result<()> {
        self.edit(&note.id.clone(), |_| Some(note))
    }

    /// Deletes a note; answers what it was.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn delete(&mut self, id: &str) -> rusqlite::Result<Option<Note>> {
        let sql = "DELETE FROM notes WHERE id = ?1 RETURNING id, title, body, edited";
        self.connection.prepare_cached(sql)?.query_row([id], note).optional()
    }

    /// Whether somebody else, such as the sync, wrote since it was asked last.
    ///
    /// # Errors
    /// If SQLite cannot.
    pub fn is_written(&mut self) -> rusqlite::Result<bool> {
        let version = self.connection.pragma_query_value(None, "data_version", |row| row.get(0))?;
        Ok(std::mem::replace(&mut self.seen, version) != version)
    }
}

/// A connection that waits for others, and whose commits survive the process but for a power cut
/// that comes at once.
pub(crate) fn connect(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    Ok(connection)
}

/// As SQLite keeps it.
pub(crate) fn millis(time: Timestamp) -> i64 {
    i64::try_from(time.as_millis()).unwrap_or(i64::MAX)
}

/// As it was kept.
pub(crate) fn timestamp(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis.max(0).unsigned_abs())
}

fn note(row: &Row<'_>) -> rusqlite::Result<Note> {
    // Other programs may have written anything: numbers and NULL are no reason to show no notes.
    let text = |i: usize| match row.get_ref(i)?.data_type() {
        Type::Text => row.get::<_, String>(i),
        _ => Ok(String::new()),
    };
    let edited = row.get::<_, Option<i64>>(3).unwrap_or_default().unwrap_or_default();
    Ok(Note::new(row.get(0)?, &text(1)?, &text(2)?, timestamp(edited)))
}
