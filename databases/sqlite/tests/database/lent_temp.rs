//! What an application has on a connection that it lends, besides the database.

use std::sync::{Arc, Mutex};

use db_to_cloud::memory::MemoryAdapter;
use rusqlite::Connection;
use rusqlite::config::DbConfig;

use crate::lent::{all, client, prepared, run};

const NOTES: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)";

fn memory(schema: &str) -> Arc<Mutex<Connection>> {
    prepared(Connection::open_in_memory().unwrap(), schema)
}

fn chain(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(Some(error), |error| error.source());
    causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

/// SQLite looks for a name in the TEMP schema first: rows would be read there, and taken for deleted.
#[tokio::test]
async fn a_temp_table_that_hides_one_of_the_file_is_refused_and_nothing_is_deleted() {
    let cloud = MemoryAdapter::new();
    let (laptop, phone) = (memory(NOTES), memory(NOTES));
    let on_laptop = client(laptop.clone(), &["notes"], &cloud).await;
    let on_phone = client(phone.clone(), &["notes"], &cloud).await;
    run(&laptop, "INSERT INTO notes VALUES ('a', 'milk'), ('b', 'oats')");
    on_laptop.sync().await.unwrap();
    on_phone.sync().await.unwrap();
    run(
        &laptop,
        "UPDATE notes SET text = 'soy'; CREATE TEMP TABLE Notes (id TEXT PRIMARY KEY, text TEXT)",
    );
    let error = chain(&on_laptop.sync().await.unwrap_err());
    assert!(error.contains("\"Notes\"") && error.contains("drop or rename it"), "{error}");
    on_phone.sync().await.unwrap();
    assert_eq!(all(&phone, "SELECT text FROM notes"), ["milk", "oats"]);
    run(&laptop, "DROP TABLE temp.notes; CREATE TEMP TABLE other (id)");
    assert_eq!(on_laptop.sync().await.unwrap().pushed, 2);
    on_phone.sync().await.unwrap();
    assert_eq!(all(&phone, "SELECT text FROM notes"), ["soy", "soy"]);
    assert_eq!(all(&laptop, "SELECT name FROM sqlite_temp_schema"), ["other"]);
}

/// It changes nothing by which the schema of the file is known.
#[tokio::test]
async fn a_temp_trigger_made_after_the_tables_were_opened_changes_no_synced_row_for_a_sync() {
    let cloud = MemoryAdapter::new();
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT);
        CREATE TABLE counts (id TEXT PRIMARY KEY, n INTEGER)";
    let (laptop, phone) = (memory(schema), memory(schema));
    let on_laptop = client(laptop.clone(), &["notes", "counts"], &cloud).await;
    let on_phone = client(phone.clone(), &["notes", "counts"], &cloud).await;
    let counting =
        "CREATE TEMP TRIGGER counting AFTER INSERT ON notes BEGIN UPDATE counts SET n = n + 1; END";
    run(&laptop, "INSERT INTO counts VALUES ('notes', 0)");
    on_laptop.sync().await.unwrap();
    on_phone.sync().await.unwrap();
    run(&laptop, counting);
    run(&phone, counting);
    run(&laptop, "INSERT INTO notes VALUES ('a', 'milk')");
    on_laptop.sync().await.unwrap();
    on_phone.sync().await.unwrap();
    assert_eq!(all(&phone, "SELECT n || '' FROM counts"), ["1"]);
    assert_eq!(on_phone.sync().await.unwrap().pushed, 0);
    run(&phone, "INSERT INTO notes VALUES ('b', 'oats')");
    assert_eq!(all(&phone, "SELECT n || '' FROM counts"), ["2"]);
    assert_eq!(all(&phone, "SELECT name FROM sqlite_temp_schema"), ["counting"]);
}

#[tokio::test]
async fn a_connection_that_trusts_no_schema_and_calls_triggers_again_is_synced() {
    let cloud = MemoryAdapter::new();
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, n UNIQUE, text TEXT);
        CREATE TABLE words (word TEXT);
        CREATE TRIGGER words AFTER INSERT ON notes BEGIN INSERT INTO words VALUES (NEW.text); END";
    let hard = || {
        let lent = memory(schema);
        run(&lent, "PRAGMA trusted_schema = OFF; PRAGMA recursive_triggers = ON");
        let defensive = DbConfig::SQLITE_DBCONFIG_DEFENSIVE;
        lent.lock().unwrap().set_db_config(defensive, true).unwrap();
        lent
    };
    let (laptop, phone) = (hard(), hard());
    let on_laptop = client(laptop.clone(), &["notes"], &cloud).await;
    let on_phone = client(phone.clone(), &["notes"], &cloud).await;
    run(&laptop, "INSERT INTO notes VALUES ('a', 1, 'milk'), ('b', 2, 'oats')");
    on_laptop.sync().await.unwrap();
    on_phone.sync().await.unwrap();
    run(&laptop, "UPDATE notes SET n = -n; UPDATE notes SET n = 3 + n");
    on_laptop.sync().await.unwrap();
    assert_eq!(on_phone.sync().await.unwrap().deferred, []);
    assert_eq!(all(&phone, "SELECT text || n FROM notes"), ["milk2", "oats1"]);
    assert_eq!(all(&phone, "SELECT word FROM words"), ["milk", "oats"]);
}
