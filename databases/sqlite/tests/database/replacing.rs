//! REPLACE and UPSERT. SQLite calls no delete triggers for rows that a REPLACE removes, unless
//! `recursive_triggers` is on.

use crate::world::{Device, pair, settle};

const PEOPLE: &str = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT UNIQUE, name TEXT)";

async fn two_people() -> (Device, Device) {
    let (laptop, phone) = pair(PEOPLE, &["people"]);
    laptop.run("INSERT INTO people VALUES (1, 'a@x', 'Ann'), (2, 'b@x', 'Bob')");
    settle(&laptop, &phone).await;
    (laptop, phone)
}

/// After this statement both devices have these people.
async fn both_have(sql: &str, people: &str) {
    for recursive in ["OFF", "ON"] {
        let (laptop, phone) = two_people().await;
        laptop.shell(&format!("PRAGMA recursive_triggers = {recursive}; {sql}"));
        assert_eq!(laptop.shell("SELECT * FROM people ORDER BY id"), people, "{sql}");
        laptop.sync().await;
        // Room may have to be made first: deletes come at the end of a pull.
        phone.client.sync().await.unwrap();
        phone.sync().await;
        assert_eq!(phone.shell("SELECT * FROM people ORDER BY id"), people, "{sql}, {recursive}");
        settle(&laptop, &phone).await;
    }
}

#[tokio::test]
async fn a_row_that_is_replaced_under_its_own_id_is_an_edit() {
    both_have("REPLACE INTO people VALUES (1, 'a@x', 'Anna')", "1|a@x|Anna\n2|b@x|Bob").await;
}

#[tokio::test]
async fn a_row_that_is_replaced_because_of_another_unique_column_is_a_delete() {
    both_have("INSERT OR REPLACE INTO people VALUES (3, 'a@x', 'Cy')", "2|b@x|Bob\n3|a@x|Cy").await;
}

#[tokio::test]
async fn one_insert_may_replace_two_rows() {
    both_have("REPLACE INTO people VALUES (1, 'b@x', 'Cy')", "1|b@x|Cy").await;
}

#[tokio::test]
async fn an_update_may_replace_the_row_that_has_the_value() {
    both_have("UPDATE OR REPLACE people SET mail = 'a@x' WHERE id = 2", "2|a@x|Bob").await;
}

#[tokio::test]
async fn an_update_may_replace_the_row_that_has_the_id() {
    both_have("UPDATE OR REPLACE people SET id = 1 WHERE id = 2", "1|b@x|Bob").await;
}

#[tokio::test]
async fn an_upsert_updates_the_row_that_has_the_value() {
    let upsert = "INSERT INTO people VALUES (7, 'b@x', 'Bert')
        ON CONFLICT (mail) DO UPDATE SET name = excluded.name";
    both_have(upsert, "1|a@x|Ann\n2|b@x|Bert").await;
}

#[tokio::test]
async fn an_insert_that_is_ignored_changes_nothing() {
    let ignored = "INSERT OR IGNORE INTO people VALUES (9, 'a@x', 'Nobody')";
    both_have(ignored, "1|a@x|Ann\n2|b@x|Bob").await;
}

#[tokio::test]
async fn the_primary_key_replaces_where_it_is_not_the_id() {
    let cloud = db_to_cloud::memory::MemoryAdapter::new();
    let schema = "CREATE TABLE notes (n INTEGER PRIMARY KEY, uuid TEXT UNIQUE, text TEXT)";
    let table = || {
        let table = db_to_cloud_sqlite::Table::new("notes");
        vec![table.with_id(["uuid"]).with_columns(["text"])]
    };
    let laptop = Device::with(&cloud, schema, table());
    let phone = Device::with(&cloud, schema, table());
    phone.run("INSERT INTO notes (uuid, text) VALUES ('p', 'of the phone')");
    laptop.run("INSERT INTO notes VALUES (1, 'a', ''), (2, 'b', '')");
    settle(&laptop, &phone).await;
    laptop.shell("REPLACE INTO notes VALUES (1, 'c', 'instead of a')");
    settle(&laptop, &phone).await;
    let all = "SELECT uuid, text FROM notes ORDER BY uuid";
    assert_eq!(phone.shell(all), "b|\nc|instead of a\np|of the phone");
    assert_eq!(laptop.shell(all), phone.shell(all));
}

#[tokio::test]
async fn a_rowid_that_is_named_replaces_a_row_with_another_id() {
    let (laptop, phone) = pair("CREATE TABLE notes (id TEXT PRIMARY KEY, text)", &["notes"]);
    laptop.run("INSERT INTO notes (rowid, id, text) VALUES (5, 'a', 'x')");
    settle(&laptop, &phone).await;
    laptop.shell("REPLACE INTO notes (rowid, id, text) VALUES (5, 'b', 'y')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "b|y");
}

#[tokio::test]
async fn a_table_that_replaces_by_itself_does_so_on_both_devices() {
    let schema =
        "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT UNIQUE ON CONFLICT REPLACE)";
    let (laptop, phone) = pair(schema, &["people"]);
    laptop.run("INSERT INTO people VALUES (1, 'a@x'), (2, 'b@x')");
    settle(&laptop, &phone).await;
    laptop.shell("INSERT INTO people VALUES (3, 'a@x')");
    settle(&laptop, &phone).await;
    for device in [&laptop, &phone] {
        assert_eq!(device.shell("SELECT * FROM people ORDER BY id"), "2|b@x\n3|a@x");
    }
}

#[tokio::test]
async fn unique_indexes_on_expressions_and_on_some_rows_replace_as_well() {
    let schema = "CREATE TABLE people (id INTEGER PRIMARY KEY, mail TEXT, gone INTEGER DEFAULT 0);
        CREATE UNIQUE INDEX one_each ON people (lower(mail) COLLATE NOCASE DESC, 1) WHERE gone = 0";
    let (laptop, phone) = pair(schema, &["people"]);
    laptop.run("INSERT INTO people VALUES (1, 'a@x', 0), (2, 'b@x', 0), (3, 'A@X', 1)");
    settle(&laptop, &phone).await;
    assert_eq!(laptop.shell("SELECT count(*) FROM db_to_cloud_queue"), "0");
    laptop.shell("REPLACE INTO people VALUES (4, 'A@x', 0)");
    laptop.shell("UPDATE OR REPLACE people SET gone = 0 WHERE id = 3");
    assert_eq!(laptop.shell("SELECT id FROM people ORDER BY id"), "2\n3");
    laptop.sync().await;
    phone.client.sync().await.unwrap();
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT id, gone FROM people ORDER BY id"), "2|0\n3|0");
}
