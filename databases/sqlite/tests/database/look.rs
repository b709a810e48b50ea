//! A look writes nothing into a file that is not synced yet, nor does what is refused.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Client, LocalWins, Preview};
use db_to_cloud_sqlite::{SqliteDatabase, SqliteError};

use crate::world::{Device, NOTES, shell};

/// All files of a folder, to the byte; but for the locks that SQLite keeps in memory that is shared.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let entries = entries.filter(|e| !e.file_name().to_string_lossy().ends_with("-shm"));
    entries.map(|e| (e.file_name().into_string().unwrap(), fs::read(e.path()).unwrap())).collect()
}

async fn preview(path: &Path, tables: &[&str], remote: &str, cloud: &MemoryAdapter) -> Preview {
    let builder = tables.iter().fold(SqliteDatabase::builder(path), |b, t| b.with_table(*t));
    let database = builder.open_to_look(remote).unwrap();
    let state = Arc::new(database.state(remote).await.unwrap());
    let cloud = Arc::new(cloud.clone());
    let client = Client::builder(cloud, Arc::new(database), state, Arc::new(LocalWins)).build();
    client.status().await.unwrap();
    client.preview().await.unwrap()
}

#[tokio::test]
async fn a_look_at_a_file_that_is_not_synced_leaves_it_to_the_byte() {
    let cloud = MemoryAdapter::new();
    let other = Device::new(&cloud, NOTES, &["notes"]).await;
    other.run("INSERT INTO notes (id, text) VALUES ('b', 'there'), ('c', 'there')");
    other.sync().await;
    for mode in ["DELETE", "WAL"] {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        shell(
            &path,
            &format!(
                "PRAGMA journal_mode = {mode}; {NOTES};
            INSERT INTO notes (id, text) VALUES ('a', 'here'), ('b', 'here')"
            ),
        );
        let before = files(folder.path());
        let seen = preview(&path, &["notes"], "cloud", &cloud).await;
        assert_eq!((seen.push.len(), seen.pull.len(), seen.conflicts.len()), (1, 1, 1), "{mode}");
        assert!(files(folder.path()) == before, "{mode}");
    }
}

#[tokio::test]
async fn a_look_for_another_remote_leaves_a_synced_file_to_the_byte() {
    let schema = format!("{NOTES}; CREATE TABLE tags (id TEXT PRIMARY KEY)");
    let own = MemoryAdapter::new();
    let device = Device::new(&own, &schema, &["notes"]).await;
    device.run("INSERT INTO notes (id) VALUES ('a')");
    device.sync().await;
    device.run("INSERT INTO notes (id) VALUES ('b'); INSERT INTO tags VALUES ('x')");
    let folder = device.path().parent().unwrap().to_owned();
    let (before, cloud) = (files(&folder), MemoryAdapter::new());
    assert_eq!(preview(&device.path(), &["notes"], "other", &cloud).await.push.len(), 2);
    // The remote is known, and one of the tables is not synced with it.
    assert_eq!(preview(&device.path(), &["notes", "tags"], "cloud", &own).await.push.len(), 2);
    assert!(files(&folder) == before);
    assert_eq!(preview(&device.path(), &["notes"], "cloud", &own).await.push.len(), 1);
}

#[tokio::test]
async fn our_own_tables_and_those_of_sqlite_are_refused_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.db");
    shell(&path, "CREATE TABLE t (id INTEGER PRIMARY KEY AUTOINCREMENT, v);
        CREATE TABLE db_to_cloud (id TEXT PRIMARY KEY); CREATE TABLE dbxtoxcloudxy (id TEXT PRIMARY KEY)");
    let before = files(folder.path());
    for name in [
        "db_to_cloud_remotes",
        "DB_TO_CLOUD_Queue",
        "sqlite_sequence",
        "SQLITE_SCHEMA",
        "sqlite_master",
        "nope",
        "db_to_cloud_remotes ",
    ] {
        for tables in [vec![name], vec!["t", name]] {
            let opened = SqliteDatabase::open(&path, tables).unwrap_err();
            assert!(matches!(opened, SqliteError::Table { .. }), "{name}: {opened}");
        }
        assert!(files(folder.path()) == before, "{name}");
    }
    let tables = ["t", "db_to_cloud", "DBXTOXCLOUDXY"];
    let database = SqliteDatabase::open(&path, tables).unwrap();
    database.state("cloud").await.unwrap();
    let synced = SqliteDatabase::open(&path, ["db_to_cloud_remotes"]).unwrap_err();
    assert!(synced.to_string().contains("db-to-cloud itself"), "{synced}");
    let found = SqliteDatabase::survey(&path).unwrap();
    let names: Vec<_> = found.iter().map(|found| &*found.name).collect();
    assert_eq!(names, ["db_to_cloud", "dbxtoxcloudxy", "t"]);
}
