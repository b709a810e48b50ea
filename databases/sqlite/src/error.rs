//! What can go wrong with the tables of an application.

use std::path::PathBuf;

use db_to_cloud::DocumentId;

/// Why a database, one of its tables or one of its documents could not be used. It never shows a
/// value of a row but those of its id.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SqliteError {
    /// SQLite failed.
    #[error(
        "{operation} {path:?}: SQLite failed: check that the file can be written, that the disk is not full and that no program keeps it locked"
    )]
    Sqlite {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// The table cannot be synced as it is.
    #[error("sync table {table:?}: {why}")]
    Table {
        /// The table.
        table: String,
        /// What is in the way, and what to do about it.
        why: String,
    },
    /// The tables of db-to-cloud in the file were made by a newer version of it.
    #[error(
        "open {path:?}: its sync tables have format {found}, this program knows up to {known}: update this program"
    )]
    Newer {
        /// The file.
        path: PathBuf,
        /// The format that was found.
        found: i64,
        /// The newest that is known.
        known: i64,
    },
    /// The client state in the file could not be opened.
    #[error("open the client state in {path:?}")]
    State {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: db_to_cloud::state::StateError,
    },
    /// A document of a table that was synced once, but is not among those that were opened. It is
    /// not taken for deleted.
    #[error(
        "read {id}: its table is not among those that were opened: open it too, or detach the database"
    )]
    NotOpened {
        /// The document.
        id: DocumentId,
    },
    /// A row whose id is NULL, at least in part: nothing tells it from others like it.
    #[error("read {id}: an id column of the row is NULL: fill it in")]
    NullKey {
        /// The document.
        id: DocumentId,
    },
    /// The bytes are not the document of a row.
    #[error("write {id}: {why}: sync it with the application that made it")]
    Malformed {
        /// The document.
        id: DocumentId,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The table does not accept the row, such as one that breaks a `UNIQUE` or `CHECK`.
    #[error(
        "write {id}: the table does not accept it: {source}: change the row that is in the way, here or where this one was made"
    )]
    Refused {
        /// The document.
        id: DocumentId,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// A statement for the row cannot be prepared on this connection: a trigger, a check or an index needs
    /// a function or a collation that is not registered, or a trigger names a table that is gone.
    #[error(
        "write {id}: a statement for its table cannot run here: {source}: sync on a connection that has \
         what the table, its indexes and its triggers need; the row waits"
    )]
    Unprepared {
        /// The document of the row.
        id: DocumentId,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// The application's connection could not be used.
    #[error("{operation} {path:?}: the application's connection: {source}")]
    Lent {
        /// What was tried.
        operation: &'static str,
        /// The file, or a name for a database in memory.
        path: PathBuf,
        /// Why not.
        source: db_to_cloud::BoxError,
    },
    /// The table of the row cannot be synced as it is now.
    #[error(
        "row {id}: its table cannot be synced now: {why}: change the table, or sync on a connection that has \
         what it needs; the row waits"
    )]
    SetAside {
        /// The document of the row.
        id: DocumentId,
        /// What is wrong with the table.
        why: String,
    },
    /// A trigger or a constraint of the table silently ignored the write.
    #[error(
        "write {id}: a trigger or an ON CONFLICT IGNORE of the table dropped the write: change it"
    )]
    Ignored {
        /// The document.
        id: DocumentId,
    },
    /// Another row has a value of it that must be unique, and does not give it up in the same batch.
    #[error(
        "write {id}: another row has its unique value: {source}: change the row that is in the way, here or where this one was made"
    )]
    Taken {
        /// The document.
        id: DocumentId,
        /// What SQLite said.
        source: rusqlite::Error,
    },
    /// Rows that are not part of the batch refer to the row.
    #[error(
        "write {id}: rows of {child:?} on this device refer to it: delete them or let them refer to another row"
    )]
    Referred {
        /// The document.
        id: DocumentId,
        /// The table of the rows.
        child: String,
    },
    /// The row is to be deleted to make room for one that could not be written.
    #[error("delete {id}: its room is for {place_of}, which could not be written: see there")]
    MakesRoom {
        /// The document.
        id: DocumentId,
        /// The document that needs its unique value.
        place_of: DocumentId,
    },
    /// The row refers to one that is not there.
    #[error("write {id}: it refers to a row of {parent:?} that is not there")]
    NoParent {
        /// The document.
        id: DocumentId,
        /// The table of the missing row.
        parent: String,
    },
    /// The batch that the write was in failed as a whole; nothing of it was written.
    #[error("write {id}: the transaction failed: {why}")]
    Transaction {
        /// The document.
        id: DocumentId,
        /// What SQLite said of it.
        why: String,
    },
    /// A task ended early.
    #[error("{operation} {path:?}: the task did not end")]
    Task {
        /// What was tried.
        operation: &'static str,
        /// The file.
        path: PathBuf,
        /// How it ended.
        source: tokio::task::JoinError,
    },
}
