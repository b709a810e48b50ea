//! What becomes of a use of lent connections.

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{BoxError, Cause, WatchOptions, Watched};
use db_to_cloud_sqlite::{Connections, SqliteDatabase, SqliteError};
use rusqlite::Connection;

use crate::lent::{Lent, all, client, prepared, run};

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)";

fn memory(schema: &str) -> Lent {
    prepared(Connection::open_in_memory().unwrap(), schema)
}

/// A TEMP trigger may run before those of the sync. What it does to its own table then takes the place of
/// what the sync writes: that is undone and reported.
#[tokio::test]
async fn a_temp_trigger_that_comes_first_loses_nothing() {
    let cloud = MemoryAdapter::new();
    let (a, b) = (memory(NOTES), memory(NOTES));
    let on_a = client(a.clone(), &["notes"], &cloud).await;
    let trigger = "CREATE TEMP TRIGGER first BEFORE INSERT ON notes BEGIN
        UPDATE notes SET text = 'changed' WHERE id = 'x'; END";
    run(&b, trigger);
    let on_b = client(b.clone(), &["notes"], &cloud).await;
    run(&a, "INSERT INTO notes VALUES ('x', 'as it is')");
    on_a.sync().await.unwrap();
    on_b.sync().await.unwrap();
    run(&a, "INSERT INTO notes VALUES ('a', 'one'), ('b', 'two')");
    on_a.sync().await.unwrap();
    let report = on_b.sync().await.unwrap();
    assert_eq!((report.deferred.len(), report.pushed), (2, 0));
    assert!(report.deferred[0].detail.contains("a trigger"), "{:?}", report.deferred);
    assert_eq!(all(&b, "SELECT text FROM notes"), ["as it is"]);
    run(&b, "DROP TRIGGER first; CREATE TABLE other (id)");
    assert_eq!(on_b.sync().await.unwrap().deferred, []);
    assert_eq!(all(&b, "SELECT text FROM notes ORDER BY id"), ["one", "two", "as it is"]);
}

fn pushed(watched: Watched) -> u64 {
    match watched {
        Watched::Synced(report) => report.pushed,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_watch_finds_edits_made_on_the_lent_connection() {
    let cloud = MemoryAdapter::new();
    let lent = memory(NOTES);
    let client = client(lent.clone(), &["notes"], &cloud).await;
    client.sync().await.unwrap();
    let options = WatchOptions {
        look: Duration::from_millis(20),
        quiet: Duration::from_millis(20),
        ..WatchOptions::default()
    };
    let mut watch = client.watch(options);
    watch.sync().await.unwrap();
    run(&lent, "INSERT INTO notes VALUES ('a', 'one')");
    let cause = tokio::time::timeout(Duration::from_secs(4), watch.changed()).await.unwrap();
    assert_eq!(cause, Cause::Edit);
    assert_eq!(pushed(watch.sync().await.unwrap()), 1);
    // Also of a table that was made anew meanwhile.
    run(&lent, "CREATE TABLE other (id TEXT PRIMARY KEY, text TEXT); INSERT INTO other SELECT * FROM notes;
        DROP TABLE notes; ALTER TABLE other RENAME TO notes; INSERT INTO notes VALUES ('b', 'two')");
    let cause = tokio::time::timeout(Duration::from_secs(4), watch.changed()).await.unwrap();
    assert_eq!(cause, Cause::Edit);
    assert_eq!(pushed(watch.sync().await.unwrap()), 1);
}

#[tokio::test]
async fn a_poisoned_connection_is_an_error() {
    let lent = memory(NOTES);
    let database = SqliteDatabase::on(lent.clone(), ["notes"]).unwrap();
    let poison = lent.clone();
    std::thread::spawn(move || {
        let _locked = poison.lock().unwrap();
        panic!("while it is locked");
    })
    .join()
    .unwrap_err();
    let error = database.state("cloud").await.unwrap_err();
    assert!(error.to_string().contains("panicked"), "{error}");
    let error = SqliteDatabase::on(lent, ["notes"]).unwrap_err();
    assert!(matches!(error, SqliteError::Lent { .. }), "{error}");
}

/// Lends no connection, or forgets to use it.
struct Empty(AtomicUsize);

impl Connections for Empty {
    fn with(
        &self,
        _: &mut dyn FnMut(&mut Connection) -> rusqlite::Result<()>,
    ) -> Result<(), BoxError> {
        match self.0.fetch_add(1, SeqCst) {
            0 => Err("the pool is empty".into()),
            _ => Ok(()),
        }
    }
}

#[test]
fn no_connection_is_an_error() {
    let error = SqliteDatabase::on(Empty(AtomicUsize::new(0)), ["notes"]).unwrap_err();
    assert!(error.to_string().contains("the pool is empty"), "{error}");
    let error = SqliteDatabase::on(Empty(AtomicUsize::new(1)), ["notes"]).unwrap_err();
    assert!(error.to_string().contains("no connection was given"), "{error}");
    let error = SqliteDatabase::detach_on(&Empty(AtomicUsize::new(1))).unwrap_err();
    assert!(error.to_string().contains("no connection was given"), "{error}");
}

#[tokio::test]
async fn a_database_in_a_transaction_stays_attached() {
    let cloud = MemoryAdapter::new();
    let lent = memory(NOTES);
    let client = client(lent.clone(), &["notes"], &cloud).await;
    run(&lent, "BEGIN; INSERT INTO notes VALUES ('a', 'one')");
    let error = SqliteDatabase::detach_on(&lent).unwrap_err();
    assert!(error.to_string().contains("transaction"), "{error}");
    run(&lent, "COMMIT");
    assert_eq!(client.sync().await.unwrap().pushed, 1);
}
