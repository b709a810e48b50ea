//! Addresses that turn to another state (rule C6), in files that others write too.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

use std::path::PathBuf;

use db_to_cloud::DocumentId;
use db_to_cloud::state::{Sibling, StateError, StateStore, Table, Turn, Update, Written};
use db_to_cloud_sqlite::{SqliteDatabase, SqliteState, queue_change};
use rusqlite::Connection;
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    (folder, path)
}

fn put(table: Table, key: &str, value: &str) -> Vec<Update> {
    vec![Update { table, key: key.to_owned(), value: Some(value.as_bytes().to_vec()) }]
}

async fn only_sibling(state: &SqliteState) -> Sibling {
    let siblings = state.siblings("position").await.unwrap();
    assert_eq!(siblings.len(), 1);
    siblings[0].0
}

async fn keys(state: &SqliteState, table: Table) -> Vec<String> {
    state.scan(table, None, 99).await.unwrap().into_iter().map(|(key, _)| key).collect()
}

fn tables(app: &Connection) -> Vec<String> {
    let sql = "SELECT name FROM sqlite_schema WHERE name LIKE 'db_to_cloud_%' ORDER BY 1";
    let mut statement = app.prepare(sql).unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
}

/// An earlier release reads what never turned.
#[tokio::test]
async fn a_file_whose_addresses_never_turned_has_the_tables_of_before() {
    let (_folder, path) = folder();
    let (one, two) = (SqliteState::open(&path, "one"), SqliteState::open(&path, "two"));
    let (one, two) = (one.unwrap(), two.unwrap());
    one.write(vec![], put(Table::Index, "a", "1")).await.unwrap();
    let _claim = one.claim().await.unwrap();
    assert!(!one.keep_apart().await.unwrap());
    let before = ["db_to_cloud_records", "db_to_cloud_remotes"];
    assert_eq!(tables(&Connection::open(&path).unwrap()), before);
    two.turn_to(Turn::Replace(only_sibling(&two).await)).await.unwrap();
    let app = Connection::open(&path).unwrap();
    assert_eq!(tables(&app)[0], "db_to_cloud_addresses");
    let version: i64 = app.query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 1);
}

/// A number that was deleted is not used again: a process that knows it would write into another state.
#[tokio::test]
async fn the_number_of_a_deleted_state_stays_unused() {
    let (_folder, path) = folder();
    let (one, two) = (SqliteState::open(&path, "one"), SqliteState::open(&path, "two"));
    let (one, two) = (one.unwrap(), two.unwrap());
    let before = only_sibling(&one).await;
    two.turn_to(Turn::Replace(only_sibling(&two).await)).await.unwrap();
    assert_eq!(one.siblings("position").await.unwrap(), []);
    let _three = SqliteState::open(&path, "three").unwrap();
    assert_ne!(only_sibling(&one).await, before);
    one.turn_to(Turn::New).await.unwrap();
    assert!(one.siblings("position").await.unwrap().iter().all(|(other, _)| *other != before));
}

/// Rule C3: an edit whose base is of the state before is decided anew.
#[tokio::test]
async fn a_write_by_what_was_read_of_another_state_is_not_made() {
    let (_folder, path) = folder();
    let (one, two) = (SqliteState::open(&path, "one"), SqliteState::open(&path, "two"));
    let (one, two) = (one.unwrap(), two.unwrap());
    let stale = SqliteState::open(&path, "two").unwrap();
    two.turn_to(Turn::Replace(only_sibling(&two).await)).await.unwrap();
    let absent = vec![Update { table: Table::Dirty, key: "a".into(), value: None }];
    let edit = || put(Table::Dirty, "a", "edit");
    assert_eq!(stale.write(absent.clone(), edit()).await.unwrap(), Written::Changed);
    assert_eq!(keys(&one, Table::Dirty).await, [""; 0]);
    assert_eq!(stale.write(absent, edit()).await.unwrap(), Written::Done);
    assert_eq!(keys(&one, Table::Dirty).await, ["a"]);
}

#[tokio::test]
async fn a_write_without_a_look_says_that_the_address_turned() {
    let (_folder, path) = folder();
    let _one = SqliteState::open(&path, "one").unwrap();
    let two = SqliteState::open(&path, "two").unwrap();
    let stale = SqliteState::open(&path, "two").unwrap();
    two.turn_to(Turn::Replace(only_sibling(&two).await)).await.unwrap();
    let error = stale.write(vec![], put(Table::Index, "a", "1")).await.unwrap_err();
    let StateError::Store(source) = error else { panic!("{error:?}") };
    assert!(source.to_string().contains("sync again"), "{source}");
    assert_eq!(keys(&two, Table::Index).await, [""; 0]);
}

/// Several processes turn at the same moment: one of them does, the others follow.
#[tokio::test(flavor = "multi_thread")]
async fn many_may_turn_at_once() {
    let (_folder, path) = folder();
    let one = SqliteState::open(&path, "one").unwrap();
    one.write(vec![], put(Table::Index, "a", "1")).await.unwrap();
    let to = only_sibling(&SqliteState::open(&path, "two").unwrap()).await;
    let turn = || {
        let state = SqliteState::open(&path, "two").unwrap();
        tokio::spawn(async move {
            loop {
                let Ok(_claim) = state.claim().await else {
                    tokio::task::yield_now().await;
                    continue;
                };
                if keys(&state, Table::Index).await == ["a"] {
                    return;
                }
                assert!(state.turn_to(Turn::Replace(to)).await.unwrap());
            }
        })
    };
    let turns: Vec<_> = (0..8).map(|_| turn()).collect();
    for turn in turns {
        turn.await.unwrap();
    }
    assert_eq!(one.siblings("position").await.unwrap(), []);
}

fn application() -> (TempDir, PathBuf, Connection) {
    let (folder, path) = folder();
    let app = Connection::open(&path).unwrap();
    app.execute_batch("CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)").unwrap();
    (folder, path, app)
}

/// An application that queues its edits itself does so by the address.
#[tokio::test]
async fn edits_that_the_application_queued_go_along() {
    let (_folder, path, app) = application();
    let one = SqliteState::open_within(&path, "one").unwrap();
    let two = SqliteState::open_within(&path, "two").unwrap();
    let key = |id: &str| DocumentId::from(id).to_key();
    queue_change(&app, "two", &"a".into()).unwrap();
    two.turn_to(Turn::Replace(only_sibling(&two).await)).await.unwrap();
    assert_eq!(keys(&one, Table::Dirty).await, [key("a")]);
    queue_change(&app, "two", &"b".into()).unwrap();
    assert_eq!(keys(&one, Table::Dirty).await, [key("a"), key("b")]);
    // To another storage and back: an edit that was pushed there was not pushed here.
    two.turn_to(Turn::New).await.unwrap();
    assert_eq!(keys(&two, Table::Dirty).await, [key("a"), key("b")]);
    queue_change(&app, "two", &"c".into()).unwrap();
    two.turn_to(Turn::Share(only_sibling(&two).await)).await.unwrap();
    assert_eq!(keys(&one, Table::Dirty).await, [key("a"), key("b"), key("c")]);
}

#[tokio::test]
async fn the_triggers_feed_the_state_that_an_address_turned_to() {
    let (_folder, path, app) = application();
    app.execute_batch("INSERT INTO notes VALUES ('a', '')").unwrap();
    let database = SqliteDatabase::open(&path, ["notes"]).unwrap();
    let one = database.state("one").await.unwrap();
    let two = database.state("two").await.unwrap();
    let queued = async |state: &SqliteState| keys(state, Table::Dirty).await.len();
    two.turn_to(Turn::New).await.unwrap();
    assert_eq!(queued(&two).await, 1);
    app.execute_batch("INSERT INTO notes VALUES ('b', '')").unwrap();
    assert_eq!((queued(&one).await, queued(&two).await), (2, 2));
    let siblings = two.siblings("position").await.unwrap();
    two.turn_to(Turn::Replace(siblings[0].0)).await.unwrap();
    let synced: i64 =
        app.query_row("SELECT count(*) FROM db_to_cloud_synced", [], |row| row.get(0)).unwrap();
    assert_eq!(synced, 2, "a row is left of the deleted state");
    app.execute_batch("INSERT INTO notes VALUES ('c', '')").unwrap();
    assert_eq!((queued(&one).await, queued(&two).await), (3, 3));
    assert!(two.keep_apart().await.unwrap());
    app.execute_batch("INSERT INTO notes VALUES ('d', '')").unwrap();
    assert_eq!((queued(&one).await, queued(&two).await), (4, 4));
}
