//! What only a state in a file can promise: it outlives its process and guards its file.
#![allow(clippy::unwrap_used, reason = "a test says what fails by panicking")]

use std::error::Error;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use db_to_cloud::state::{StateError, StateStore, Table, Update};
use db_to_cloud_sqlite::SqliteState;
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state.sqlite");
    (folder, path)
}

fn put(key: &str) -> Vec<Update> {
    vec![Update { table: Table::Index, key: key.to_owned(), value: Some(b"1".to_vec()) }]
}

/// The message of the store behind the error, with all its sources.
fn message(result: Result<SqliteState, StateError>) -> String {
    let error = result.unwrap_err();
    let mut text = String::new();
    let mut source = error.source();
    while let Some(error) = source {
        text += &format!("{error}\n");
        source = error.source();
    }
    text
}

/// This test program again, running only the ignored test `name`, in another process.
fn child(name: &str, path: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", name, "--ignored", "--nocapture"])
        .env("STATE", path)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Waits until the child says that it is ready.
fn wait_for(child: &mut Child, word: &str) {
    let lines = BufReader::new(child.stdout.as_mut().unwrap()).lines();
    assert!(lines.map_while(Result::ok).any(|line| line.contains(word)), "no {word}");
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let (_folder, path) = folder();
    let state = SqliteState::open(&path, "remote").unwrap();
    state.write(vec![], put("a")).await.unwrap();
    drop(state);
    let state = SqliteState::open(&path, "remote").unwrap();
    assert_eq!(state.count(Table::Index).await.unwrap(), 1);
}

/// Rules C1 and C2, with a process that is killed.
#[tokio::test]
async fn what_was_written_is_there_after_the_process_was_killed_and_its_claim_is_gone() {
    let (_folder, path) = folder();
    let mut writer = child("child_claims_writes_and_waits", &path);
    wait_for(&mut writer, "written");
    let state = SqliteState::open(&path, "remote").unwrap();
    assert!(matches!(state.claim().await, Err(StateError::Busy)));
    writer.kill().unwrap();
    writer.wait().unwrap();
    assert_eq!(state.count(Table::Index).await.unwrap(), 1);
    state.claim().await.unwrap();
}

#[tokio::test]
#[ignore = "started by the test above, in its own process"]
async fn child_claims_writes_and_waits() {
    let state = SqliteState::open(std::env::var_os("STATE").unwrap(), "remote").unwrap();
    let _claim = state.claim().await.unwrap();
    state.write(vec![], put("a")).await.unwrap();
    println!("written");
    std::future::pending::<()>().await;
}

#[tokio::test]
async fn two_remotes_in_one_file_do_not_mix() {
    let (_folder, path) = folder();
    let home = SqliteState::open(&path, "home").unwrap();
    let work = SqliteState::open(&path, "work").unwrap();
    home.write(vec![], put("a")).await.unwrap();
    work.write(vec![], put("b")).await.unwrap();
    assert_eq!(home.scan(Table::Index, None, 9).await.unwrap()[0].0, "a");
    assert_eq!(work.scan(Table::Index, None, 9).await.unwrap()[0].0, "b");
    assert_eq!(work.read(Table::Index, &["a".into()]).await.unwrap(), [None]);
    let _claim = home.claim().await.unwrap();
    work.claim().await.unwrap();
    let again = SqliteState::open(&path, "home").unwrap();
    assert_eq!(again.count(Table::Index).await.unwrap(), 1);
}

/// Rule C2, between two openings.
#[cfg(unix)]
#[tokio::test]
async fn a_second_opening_shares_the_claim_whatever_way_leads_to_the_file() {
    let (folder, path) = folder();
    let state = SqliteState::open(&path, "remote").unwrap();
    let link = folder.path().join("link.sqlite");
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let other = SqliteState::open(&link, "remote").unwrap();
    let claim = state.claim().await.unwrap();
    assert!(matches!(other.claim().await, Err(StateError::Busy)));
    drop((state, claim));
    other.claim().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn many_may_open_and_write_a_new_file_at_once() {
    let (_folder, path) = folder();
    let open = |i: usize| {
        let path = path.clone();
        tokio::task::spawn_blocking(move || SqliteState::open(path, ["a", "b"][i % 2]).unwrap())
    };
    let openings: Vec<_> = (0..16).map(open).collect();
    for (i, opening) in openings.into_iter().enumerate() {
        opening.await.unwrap().write(vec![], put(&i.to_string())).await.unwrap();
    }
    for name in ["a", "b"] {
        let state = SqliteState::open(&path, name).unwrap();
        assert_eq!(state.count(Table::Index).await.unwrap(), 8);
    }
}

#[tokio::test]
async fn a_file_of_a_newer_version_is_refused() {
    let (_folder, path) = folder();
    drop(SqliteState::open(&path, "remote").unwrap());
    let file = rusqlite::Connection::open(&path).unwrap();
    file.pragma_update(None, "user_version", 2).unwrap();
    drop(file);
    let message = message(SqliteState::open(&path, "remote"));
    assert!(message.contains("format 2") && message.contains("update this program"), "{message}");
}

#[tokio::test]
async fn a_database_of_another_application_is_refused_and_left_as_it_is() {
    let (_folder, path) = folder();
    let file = rusqlite::Connection::open(&path).unwrap();
    file.execute_batch("CREATE TABLE notes (text TEXT)").unwrap();
    drop(file);
    let before = std::fs::read(&path).unwrap();
    let message = message(SqliteState::open(&path, "remote"));
    assert!(message.contains("another application"), "{message}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
}

#[tokio::test]
async fn garbage_is_refused_and_left_as_it_is() {
    let (_folder, path) = folder();
    let garbage = b"this is not a database ".repeat(500);
    std::fs::write(&path, &garbage).unwrap();
    let message = message(SqliteState::open(&path, "remote"));
    assert!(message.contains("damaged") && message.contains("state.sqlite"), "{message}");
    assert_eq!(std::fs::read(&path).unwrap(), garbage);
}

#[tokio::test]
async fn damage_in_the_middle_is_an_error_with_a_useful_message() {
    let (_folder, path) = folder();
    let state = SqliteState::open(&path, "remote").unwrap();
    let updates = (0..5000).flat_map(|i| put(&format!("some longer key {i}"))).collect();
    state.write(vec![], updates).await.unwrap();
    drop(state);
    let mut bytes = std::fs::read(&path).unwrap();
    assert!(bytes.len() > 40_000);
    bytes[12_288..].fill(0xff);
    std::fs::write(&path, &bytes).unwrap();
    let state = SqliteState::open(&path, "remote").unwrap();
    let error = state.scan(Table::Index, None, 10_000).await.unwrap_err();
    assert!(error.source().unwrap().to_string().contains("damaged"), "{error:?}");
}

#[tokio::test]
async fn a_missing_folder_is_an_error() {
    let (folder, _) = folder();
    let message = message(SqliteState::open(folder.path().join("no/state.sqlite"), "remote"));
    assert!(message.contains("no/state.sqlite"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "a measurement"]
async fn measure_ten_thousand_records() {
    let (_folder, path) = folder();
    let state = SqliteState::open(&path, "remote").unwrap();
    let key = |i: u32| format!("snotes/2026/some document {i}.md");
    let value = vec![b'x'; 130];
    let update = |i| Update { table: Table::Index, key: key(i), value: Some(value.clone()) };
    let time = |what: &str, start: std::time::Instant| println!("{what}: {:?}", start.elapsed());
    let now = std::time::Instant::now;
    let start = now();
    state.write(vec![], (0..10_000).map(update).collect()).await.unwrap();
    time("10,000 writes in one transaction", start);
    let keys: Vec<_> = (0..10_000).map(key).collect();
    let start = now();
    assert!(state.read(Table::Index, &keys).await.unwrap().iter().all(Option::is_some));
    time("10,000 reads in one call", start);
    let start = now();
    assert_eq!(state.scan(Table::Index, None, 20_000).await.unwrap().len(), 10_000);
    time("scan of 10,000", start);
    let start = now();
    state.count(Table::Index).await.unwrap();
    time("count of 10,000", start);
    let start = now();
    for i in 0..200 {
        // Another value: SQLite writes nothing where nothing changes.
        let value = Some(format!("{i}").into_bytes());
        let update = Update { table: Table::Index, key: key(i), value };
        state.write(vec![], vec![update]).await.unwrap();
    }
    time("200 durable transactions", start);
}
