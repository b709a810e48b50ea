//! Lent connections to databases that have no file, or one that nobody else can open.

use std::collections::BTreeSet;

use db_to_cloud::BoxError;
use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::state::StateStore;
use db_to_cloud_sqlite::{Connections, SqliteDatabase};
use rusqlite::{Connection, OpenFlags};

use crate::lent::{Lent, all, client, prepared, run};

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)";

fn memory(schema: &str) -> Lent {
    prepared(Connection::open_in_memory().unwrap(), schema)
}

/// A connection of its own for each use.
pub(crate) struct Each<F>(pub(crate) F);

impl<F: Fn() -> rusqlite::Result<Connection> + Send + Sync> Connections for Each<F> {
    fn with(
        &self,
        work: &mut dyn FnMut(&mut Connection) -> rusqlite::Result<()>,
    ) -> Result<(), BoxError> {
        Ok(work(&mut self.0()?)?)
    }
}

#[tokio::test]
async fn a_shared_database_in_memory_is_one_and_leaves_no_file() {
    for uri in ["file:lent_shared?mode=memory&cache=shared", "file:/lent_shared?vfs=memdb"] {
        let cloud = MemoryAdapter::new();
        let open = move || Connection::open_with_flags(uri, OpenFlags::default());
        let app = open().unwrap();
        app.execute_batch(NOTES).unwrap();
        let database = SqliteDatabase::on(Each(open), ["notes"]).unwrap();
        let state = database.state("cloud").await.unwrap();
        let again = SqliteDatabase::on(Each(open), ["notes"]).unwrap();
        let again = again.state("cloud").await.unwrap();
        let claim = state.claim().await.unwrap();
        assert!(again.claim().await.is_err(), "{uri}");
        drop(claim);
        drop(again.claim().await.unwrap());
        app.execute_batch("INSERT INTO notes VALUES ('a', 'one')").unwrap();
        let client = client(Each(open), &["notes"], &cloud).await;
        assert_eq!(client.sync().await.unwrap().pushed, 1, "{uri}");
    }
    for folder in [".", "/"] {
        let files = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().file_name());
        let names = files.map(|name| name.to_string_lossy().into_owned());
        assert_eq!(names.filter(|name| name.contains("lent_shared")).collect::<Vec<_>>(), [""; 0]);
    }
}

/// Such as one that a program read from its backup, while it has others.
#[tokio::test]
async fn a_database_in_memory_is_not_taken_for_another_one() {
    let backups: Vec<_> = (0..50)
        .map(|_| {
            let lent = memory(NOTES);
            SqliteDatabase::on(lent.clone(), ["notes"]).unwrap();
            lent
        })
        .collect();
    let numbers = "SELECT number || '' FROM db_to_cloud_memory";
    let numbers: BTreeSet<_> = backups.iter().flat_map(|lent| all(lent, numbers)).collect();
    assert_eq!(numbers.len(), backups.len());
    let mut sorted: Vec<i64> = numbers.iter().map(|n| n.parse().unwrap()).collect();
    sorted.sort_unstable();
    // Another program does not count through the same ones.
    assert!(sorted.windows(2).any(|pair| pair[1] - pair[0] > 1_000_000), "{sorted:?}");
}

/// Its records of locks are those of the database that it was copied from.
#[tokio::test]
async fn a_database_in_memory_has_no_place() {
    let state = SqliteDatabase::on(memory(NOTES), ["notes"]).unwrap().state("cloud").await.unwrap();
    assert_eq!(state.place(), None);
}

/// Nobody can open it by its path any more.
#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_unlinked_is_synced() {
    let folder = tempfile::tempdir().unwrap();
    let cloud = MemoryAdapter::new();
    let path = folder.path().join("gone.db");
    let lent = prepared(Connection::open(&path).unwrap(), NOTES);
    run(&lent, "PRAGMA journal_mode = MEMORY");
    std::fs::remove_file(&path).unwrap();
    let client = client(lent.clone(), &["notes"], &cloud).await;
    run(&lent, "INSERT INTO notes VALUES ('a', 'one')");
    assert_eq!(client.sync().await.unwrap().pushed, 1);
    assert!(!path.exists());
}
