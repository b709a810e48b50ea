//! Rows and client state that change in one transaction (rule P8).

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{Client, RemoteWins};
use rusqlite::Connection;

use crate::world::{Device, NOTES, settle};

/// The records of the client state: those of the index, and those of intents.
const INDEX: &str = "SELECT count(*) FROM db_to_cloud_records WHERE kind = 2";
const INTENTS: &str = "SELECT count(*) FROM db_to_cloud_records WHERE kind = 6";

async fn devices(rows: u32) -> (Device, Device) {
    let cloud = MemoryAdapter::new();
    let mut devices = Vec::new();
    for _ in 0..2 {
        devices.push(Device::new(&cloud, NOTES, &["notes"]).await);
    }
    let [a, b] = devices.try_into().unwrap_or_else(|_| panic!("two devices"));
    a.run(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
            INSERT INTO notes SELECT printf('%06d', i), 'a note ' || i, i % 2 FROM n"
    ));
    a.sync().await;
    (a, b)
}

/// How many transactions have written into a file with the rollback journal.
fn commits(path: &Path) -> u32 {
    let file = std::fs::read(path).unwrap();
    u32::from_be_bytes(file[24..28].try_into().unwrap())
}

#[tokio::test]
async fn a_pull_of_many_rows_makes_few_commits() {
    let (_a, mut b) = devices(6000).await;
    let roll_back = |path: &Path| {
        let app = Connection::open(path).unwrap();
        app.pragma_update_and_check(None, "journal_mode", "DELETE", |_| Ok(())).unwrap();
    };
    b.restart(roll_back, &["notes"]).await;
    let before = commits(&b.path());
    assert_eq!(b.sync().await.pulled, 6000);
    let commits = commits(&b.path()) - before;
    assert!(commits <= 12, "{commits} commits for three batches");
    assert_eq!(b.shell(INDEX), "6000");
}

/// Another connection sees at every moment as many rows as the index has, and no intent.
#[tokio::test(flavor = "multi_thread")]
async fn p8_rows_and_index_appear_together() {
    let (_a, b) = devices(5000).await;
    let (path, is_done) = (b.path(), Arc::new(AtomicBool::new(false)));
    let until = is_done.clone();
    let observer = std::thread::spawn(move || {
        let app = Connection::open(path).unwrap();
        let sql = format!("SELECT (SELECT count(*) FROM notes), ({INDEX}), ({INTENTS})");
        let mut steps = Vec::new();
        while !until.load(SeqCst) {
            let seen = app.query_row(&sql, [], |row| {
                Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?, row.get::<_, u32>(2)?))
            });
            let (rows, indexed, intents) = seen.unwrap();
            assert_eq!((rows, intents), (indexed, 0), "rows and intents beside the index");
            steps.push(rows);
        }
        steps.dedup();
        steps
    });
    b.sync().await;
    is_done.store(true, SeqCst);
    let steps = observer.join().unwrap();
    assert!(steps.len() > 2, "the observer saw the batches: {steps:?}");
}

/// The records cannot be written: then the rows are not either, and both come with the next sync.
#[tokio::test]
async fn p8_a_batch_whose_records_fail_writes_no_row() {
    let (_a, b) = devices(50).await;
    b.run(
        "CREATE TRIGGER full BEFORE INSERT ON db_to_cloud_records WHEN NEW.kind = 2
            AND (SELECT count(*) FROM db_to_cloud_records WHERE kind = 2) = 20
            BEGIN SELECT RAISE(ABORT, 'no room'); END",
    );
    let report = b.client.sync().await.unwrap();
    assert_eq!((report.pulled, report.deferred.len()), (0, 50));
    assert_eq!(b.shell("SELECT count(*) FROM notes"), "0");
    assert_eq!(b.shell(INDEX), "0");
    b.run("DROP TRIGGER full");
    assert_eq!(b.sync().await.pulled, 50);
    assert_eq!(b.shell(INDEX), "50");
    assert_eq!(b.queued().await, 0);
}

/// Of two storages, the rows are queued for the one that they did not come from.
#[tokio::test]
async fn t4_rows_are_queued_for_the_other_storage_alone() {
    let (_a, b) = devices(20).await;
    let other = MemoryAdapter::new();
    let state = Arc::new(b.database.state("another").await.unwrap());
    let database = Arc::new(b.database.clone());
    let onward = Client::builder(Arc::new(other), database, state, Arc::new(RemoteWins)).build();
    onward.sync().await.unwrap();
    assert_eq!(b.sync().await.pulled, 20);
    assert_eq!(b.shell("SELECT count(*) FROM db_to_cloud_queue"), "0");
    assert_eq!((b.queued().await, onward.status().await.unwrap().queued), (0, 20));
    assert_eq!(onward.sync().await.unwrap().pushed, 20);
    assert_eq!((b.sync().await.pushed, onward.sync().await.unwrap().pushed), (0, 0));
}

/// An id that the table stores as another value is found out after the statement, which had no savepoint.
#[tokio::test]
async fn an_id_that_is_stored_as_another_one_leaves_no_row() {
    let cloud = MemoryAdapter::new();
    let a = Device::new(&cloud, "CREATE TABLE t (id PRIMARY KEY, x)", &["t"]).await;
    let b = Device::new(&cloud, "CREATE TABLE t (id INTEGER PRIMARY KEY, x)", &["t"]).await;
    a.run("INSERT INTO t VALUES (1, 'a'), ('2', 'b'), (3, 'c')");
    a.sync().await;
    let report = b.client.sync().await.unwrap();
    assert_eq!((report.pulled, report.deferred.len()), (2, 1));
    assert_eq!(b.shell("SELECT * FROM t"), "1|a\n3|c");
    assert_eq!(b.shell(INDEX), "2");
}

/// An edit of the application between the look of the sync and its write stays, with its record.
#[tokio::test]
async fn u6_an_edit_after_a_pull_is_queued_upon_what_was_pulled() {
    let (a, b) = devices(3).await;
    b.sync().await;
    b.run("UPDATE notes SET text = 'mine' WHERE id = '000002'");
    assert_eq!(b.queued().await, 1);
    settle(&b, &a).await;
    assert_eq!(a.shell("SELECT text FROM notes WHERE id = '000002'"), "mine");
}
