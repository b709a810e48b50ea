//! The application changes its schema while the tables are synced.

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud::{ErrorKind, SyncOptions};

use crate::world::{Device, pair, settle};

const PEOPLE: &str = "
    CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, mail TEXT, old TEXT DEFAULT 'x');
    CREATE UNIQUE INDEX mails ON people (mail);
    CREATE UNIQUE INDEX names ON people (lower(name), old) WHERE name <> ''";

async fn people() -> (Device, Device) {
    let (laptop, phone) = pair(PEOPLE, &["people"]).await;
    laptop.run("INSERT INTO people (id, name, mail) VALUES ('a', 'Ann', 'a@'), ('b', 'Bob', 'b@')");
    settle(&laptop, &phone).await;
    (laptop, phone)
}

#[tokio::test]
async fn every_column_but_those_of_the_id_can_be_dropped_and_renamed() {
    let (laptop, phone) = people().await;
    for device in [&laptop, &phone] {
        device.run(
            "DROP INDEX names; ALTER TABLE people DROP COLUMN old; DROP INDEX mails;
            ALTER TABLE people RENAME COLUMN mail TO address; ALTER TABLE people RENAME COLUMN id TO uuid;
            ALTER TABLE people DROP COLUMN name; UPDATE people SET address = address || 'x'",
        );
    }
    laptop.run("INSERT INTO people VALUES ('c', 'c@')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM people ORDER BY 1"), "a|a@x\nb|b@x\nc|c@");
}

#[tokio::test]
async fn rows_that_a_replace_takes_for_a_unique_index_are_deletes() {
    let (laptop, phone) = people().await;
    laptop.run("REPLACE INTO people (id, name, mail) VALUES ('c', 'Cid', 'a@')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT id FROM people ORDER BY 1"), "b\nc");
    // Its own row is replaced, and another one; and one that is not synced yet is.
    phone.run("REPLACE INTO people (id, name, mail) VALUES ('c', 'Cid', 'b@'), ('d', 'Dan', 'd@')");
    phone.run("UPDATE OR REPLACE people SET mail = 'd@' WHERE id = 'c'");
    settle(&phone, &laptop).await;
    assert_eq!(laptop.shell("SELECT id, mail FROM people ORDER BY 1"), "c|d@");
    // Only its own: nothing is looked up, and nothing is missing.
    laptop.run("REPLACE INTO people (id, name, mail) VALUES ('c', 'Cid', 'd@')");
    settle(&laptop, &phone).await;
    // An index that comes later counts from then on.
    for device in [&laptop, &phone] {
        device.run("CREATE UNIQUE INDEX olds ON people (old)");
    }
    laptop.run("REPLACE INTO people (id, name, mail) VALUES ('e', 'Eve', 'e@')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT id FROM people ORDER BY 1"), "e");
}

#[tokio::test]
async fn a_table_that_is_renamed_aside_and_copied_goes_on() {
    let (laptop, phone) = people().await;
    laptop.run("UPDATE people SET name = 'before' WHERE id = 'a'");
    laptop.run(
        "BEGIN; DROP INDEX mails; DROP INDEX names; ALTER TABLE people RENAME TO people_old;
        CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT, mail TEXT UNIQUE, old TEXT DEFAULT 'x');
        INSERT INTO people SELECT * FROM people_old; COMMIT",
    );
    laptop.run("UPDATE people SET name = 'between' WHERE id = 'b'");
    settle(&laptop, &phone).await;
    laptop.run("DROP TABLE people_old; INSERT INTO people (id) VALUES ('c')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT id, name FROM people ORDER BY 1"), "a|before\nb|between\nc|");
}

#[tokio::test]
async fn two_tables_that_swap_their_names_are_compared_and_watched() {
    let schema =
        "CREATE TABLE one (id TEXT PRIMARY KEY, v); CREATE TABLE two (id TEXT PRIMARY KEY, v)";
    let (laptop, phone) = pair(schema, &["one", "two"]).await;
    laptop.run(
        "INSERT INTO one VALUES ('a', 1), ('b', 1); INSERT INTO two VALUES ('a', 2), ('b', 2)",
    );
    settle(&laptop, &phone).await;
    laptop.run(
        "ALTER TABLE one RENAME TO x; ALTER TABLE two RENAME TO one; ALTER TABLE x RENAME TO two;
        DELETE FROM one WHERE id = 'b'; INSERT INTO two VALUES ('c', 1)",
    );
    settle(&laptop, &phone).await;
    laptop.run("UPDATE one SET v = 3");
    settle(&laptop, &phone).await;
    assert_eq!(
        phone.shell("SELECT * FROM one; SELECT * FROM two ORDER BY 1"),
        "a|3\na|1\nb|1\nc|1"
    );
}

#[tokio::test]
async fn a_table_that_was_made_anew_and_is_empty_asks_before_it_deletes_elsewhere() {
    let schema =
        "CREATE TABLE tags (id TEXT PRIMARY KEY); CREATE TABLE notes (id TEXT PRIMARY KEY)";
    let (laptop, phone) = pair(schema, &["tags", "notes"]).await;
    let notes = (0..40).map(|i| format!("('{i}')")).collect::<Vec<_>>().join(", ");
    laptop.run(&format!("INSERT INTO tags VALUES ('x'), ('y'); INSERT INTO notes VALUES {notes}"));
    settle(&laptop, &phone).await;
    laptop.run("DROP TABLE tags; CREATE TABLE tags (id TEXT PRIMARY KEY)");
    for _ in 0..2 {
        let error = laptop.client.sync().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyDeletes, "{error}");
    }
    phone.sync().await;
    assert_eq!(phone.shell("SELECT count(*) FROM tags"), "2");
    // One that is put in again is no question any more, and the rest is few.
    laptop.run("INSERT INTO tags VALUES ('x')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM tags"), "x");
    laptop.run("INSERT INTO tags VALUES ('z')");
    settle(&laptop, &phone).await;
    laptop.run("DROP TABLE tags; CREATE TABLE tags (id TEXT PRIMARY KEY)");
    let accept = SyncOptions { accept_deletes: true, ..SyncOptions::default() };
    laptop.client.sync_with(accept).await.unwrap();
    phone.sync().await;
    assert_eq!(phone.shell("SELECT count(*) FROM tags"), "0");
    assert_eq!(laptop.sync().await.pushed, 0);
}

#[tokio::test]
async fn a_column_that_both_devices_drop_is_no_edit_and_no_conflict() {
    let (laptop, phone) = people().await;
    for device in [&laptop, &phone] {
        device.run("DROP INDEX names; ALTER TABLE people DROP COLUMN old");
    }
    laptop.run("UPDATE people SET name = 'Anna' WHERE id = 'a'");
    assert_eq!(laptop.sync().await.pushed, 1);
    assert_eq!(phone.sync().await.pulled, 1);
    phone.run("UPDATE people SET name = 'Bobby' WHERE id = 'b'");
    assert_eq!(phone.sync().await.pushed, 1);
    laptop.sync().await;
    assert_eq!(laptop.shell("SELECT id, name FROM people ORDER BY 1"), "a|Anna\nb|Bobby");
}

#[tokio::test]
async fn a_table_that_is_dropped_while_the_program_runs_is_set_aside_alone() {
    let schema =
        "CREATE TABLE tags (id TEXT PRIMARY KEY, v); CREATE TABLE notes (id TEXT PRIMARY KEY, v)";
    let (laptop, phone) = pair(schema, &["tags", "notes"]).await;
    laptop.run("INSERT INTO tags VALUES ('x', 1), ('y', 1)");
    settle(&laptop, &phone).await;
    laptop.run("DROP TABLE tags; INSERT INTO notes VALUES ('n', 1)");
    assert_eq!(laptop.sync().await.pushed, 1);
    assert!(laptop.database.set_aside().await.unwrap()["tags"].contains("no such table"));
    phone.run("UPDATE tags SET v = 2 WHERE id = 'x'; INSERT INTO tags VALUES ('z', 2)");
    phone.sync().await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "n|1");
    let report = laptop.client.sync().await.unwrap();
    assert_eq!(report.deferred.len(), 2, "the rows wait, and are reported: {report:?}");
    laptop.run(
        "CREATE TABLE tags (id TEXT PRIMARY KEY, v); INSERT INTO tags VALUES ('x', 1), ('y', 1)",
    );
    settle(&laptop, &phone).await;
    for device in [&laptop, &phone] {
        assert_eq!(device.shell("SELECT * FROM tags ORDER BY 1"), "x|2\ny|1\nz|2");
    }
    assert!(laptop.database.set_aside().await.unwrap().is_empty());
}

#[tokio::test]
async fn a_table_that_this_connection_cannot_read_does_not_stop_the_others() {
    let cloud = MemoryAdapter::new();
    let own = |device: &Device| {
        let app = device.app();
        app.create_collation("MINE", |a, b| a.cmp(b)).unwrap();
        app
    };
    let schema =
        "CREATE TABLE notes (id TEXT PRIMARY KEY); CREATE TABLE tags (id TEXT PRIMARY KEY)";
    let laptop = Device::new(&cloud, schema, &["notes", "tags"]).await;
    let phone = Device::new(&cloud, schema, &["notes", "tags"]).await;
    let remake = "DROP TABLE tags; CREATE TABLE tags (id TEXT PRIMARY KEY COLLATE MINE)";
    own(&laptop).execute_batch(&format!("{remake}; INSERT INTO tags VALUES ('x')")).unwrap();
    laptop.run("INSERT INTO notes VALUES ('a')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "a");
    assert!(laptop.database.set_aside().await.unwrap()["tags"].contains("MINE"));
    let remake = "CREATE TABLE new (id TEXT PRIMARY KEY); INSERT INTO new SELECT * FROM tags;
        DROP TABLE tags; ALTER TABLE new RENAME TO tags";
    own(&laptop).execute_batch(remake).unwrap();
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM tags"), "x");
}

#[tokio::test]
async fn a_column_that_one_device_drops_stays_in_the_rows_that_it_does_not_edit() {
    let (laptop, phone) = people().await;
    phone.run("UPDATE people SET old = 'kept'");
    settle(&phone, &laptop).await;
    laptop.run("DROP INDEX names; ALTER TABLE people DROP COLUMN old");
    laptop.run("UPDATE people SET name = 'Anna' WHERE id = 'a'");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT name, old FROM people ORDER BY id"), "Anna|x\nBob|kept");
    phone.run("UPDATE people SET old = 'again' WHERE id = 'a'");
    settle(&phone, &laptop).await;
    laptop.run("UPDATE people SET name = 'Annie' WHERE id = 'a'");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT name, old FROM people ORDER BY id"), "Annie|again\nBob|kept");
}

#[tokio::test]
async fn a_column_that_is_dropped_and_made_anew_is_another_one() {
    let (laptop, phone) = people().await;
    for device in [&laptop, &phone] {
        device.run(
            "DROP INDEX names; ALTER TABLE people DROP COLUMN old;
            ALTER TABLE people ADD COLUMN old INTEGER DEFAULT 7",
        );
    }
    laptop.run("UPDATE people SET name = 'Anna' WHERE id = 'a'");
    assert_eq!(laptop.sync().await.pushed, 1);
    assert_eq!(phone.sync().await.pulled, 1);
    let rows = "a|Anna|7\nb|Bob|7";
    assert_eq!(phone.shell("SELECT id, name, old FROM people ORDER BY 1"), rows);
}
