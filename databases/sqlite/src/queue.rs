//! QueueChange in the application's own transaction.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use db_to_cloud::DocumentId;
use db_to_cloud::state::{Table, Update, queue_change as dirty};
use rusqlite::Connection;

use crate::{addresses, records};

/// QueueChange for an application whose documents are in the file that also holds the state
/// ([`SqliteState::open_within`](crate::SqliteState::open_within)): call it in the transaction of
/// the edit. The edit and its place in the queue are then durable together, and a
/// [`Database`](db_to_cloud::Database) may answer
/// [`ChangeTracking::Transactional`](db_to_cloud::ChangeTracking): nothing is compared at the start.
///
/// The write of a sync, made by [`Database::apply`](db_to_cloud::Database::apply), is no edit: do not
/// queue it.
///
/// # Errors
/// If a statement fails, the state was never opened for this remote, or a record is damaged. Roll
/// the transaction back.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.sqlite");
/// let mut notes = rusqlite::Connection::open(&path)?;
/// notes.execute_batch("CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)")?;
/// let state = db_to_cloud_sqlite::SqliteState::open_within(&path, "my-bucket")?;
///
/// let edit = notes.transaction()?;
/// edit.execute("INSERT INTO notes VALUES ('a', 'hello')", [])?;
/// db_to_cloud_sqlite::queue_change(&edit, "my-bucket", &"a".into())?;
/// edit.commit()?;
/// # Ok(())
/// # }
/// ```
pub fn queue_change(
    transaction: &Connection,
    remote: &str,
    id: &DocumentId,
) -> rusqlite::Result<()> {
    let remote =
        addresses::number(transaction, remote)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    queue(transaction, remote, id.to_key())
}

/// Queues one document for a remote. It must be in a transaction.
pub(crate) fn queue(transaction: &Connection, remote: i64, key: String) -> rusqlite::Result<()> {
    let record = |table| records::get(transaction, remote, table, &key);
    let queued = record(Table::Dirty)?;
    let indexed = match record(Table::Index)? {
        None => record(Table::Tombstones)?,
        indexed => indexed,
    };
    let value = dirty(queued.as_deref(), indexed.as_deref(), next_edit())
        .map_err(|e| rusqlite::Error::ToSqlConversionFailure(e.into()))?;
    records::set(transaction, remote, &Update { table: Table::Dirty, key, value: Some(value) })
}

/// A number that differs from one edit to the next, in this process and, but for a freak, between
/// processes.
fn next_edit() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    (u64::from(std::process::id()) << 32) | (NEXT.fetch_add(1, Relaxed) & 0xffff_ffff)
}
