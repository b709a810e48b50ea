//! Unique values that go round among more rows than a batch holds.

use crate::world::{Device, pair, settle};

const LIST: &str = "
    CREATE TABLE list (id TEXT PRIMARY KEY, place INTEGER NOT NULL, name TEXT);
    CREATE UNIQUE INDEX places ON list (place);
    CREATE UNIQUE INDEX names ON list (name COLLATE NOCASE) WHERE name IS NOT NULL";

/// More than two batches.
const ROWS: u32 = 6000;

async fn list() -> (Device, Device) {
    let (laptop, phone) = pair(LIST, &["list"]).await;
    laptop.run(&format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {} - 1)
            INSERT INTO list SELECT hex(i * 7919 % {ROWS}), i, 'n' || i FROM n",
        ROWS
    ));
    settle(&laptop, &phone).await;
    (laptop, phone)
}

async fn both_have(laptop: &Device, phone: &Device, sql: &str) {
    laptop.run(sql);
    assert_eq!(laptop.sync().await.pushed, u64::from(ROWS));
    let report = phone.sync().await;
    assert_eq!((report.pulled, report.deferred.len()), (u64::from(ROWS), 0));
    let rows = "SELECT * FROM list ORDER BY id";
    assert!(laptop.shell(rows) == phone.shell(rows), "{sql}");
    assert_eq!(phone.queued().await, 0);
}

#[tokio::test]
async fn a_ring_of_any_length_goes_round_in_one_sync() {
    let (laptop, phone) = list().await;
    let round = format!(
        "BEGIN; UPDATE list SET place = -1 - place, name = NULL;
        UPDATE list SET place = (-place) % {ROWS}; UPDATE list SET name = 'N' || place; COMMIT"
    );
    both_have(&laptop, &phone, &round).await;
}

#[tokio::test]
async fn a_list_of_any_length_is_turned_round_in_one_sync() {
    let (laptop, phone) = list().await;
    let turn = format!(
        "BEGIN; UPDATE list SET place = -1 - place;
        UPDATE list SET place = {ROWS} + place; COMMIT"
    );
    both_have(&laptop, &phone, &turn).await;
}

#[tokio::test]
async fn a_swap_of_which_one_row_is_in_conflict_is_written_once_that_is_decided() {
    let schema =
        "CREATE TABLE t (id TEXT PRIMARY KEY, x, u INTEGER); CREATE UNIQUE INDEX i ON t (u)";
    let (laptop, phone) = pair(schema, &["t"]).await;
    laptop.run("INSERT INTO t VALUES ('a', NULL, 0), ('b', NULL, 1)");
    settle(&laptop, &phone).await;
    laptop.run("BEGIN; UPDATE t SET u = -1 - u; UPDATE t SET u = 2 + u; COMMIT");
    phone.run("UPDATE t SET x = 'mine' WHERE id = 'a'");
    laptop.sync().await;
    let report = phone.sync().await;
    assert_eq!((report.conflicts, report.pulled), (1, 2));
    assert_eq!(phone.shell("SELECT * FROM t ORDER BY id"), "a||1\nb||0");
}
