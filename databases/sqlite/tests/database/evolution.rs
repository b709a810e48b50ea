//! Devices whose versions of the application have different tables.

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud_sqlite::Table;

use crate::world::{Device, NOTES, pair, settle, shell};

const OLD: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)";
const NEW: &str = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, color TEXT DEFAULT 'red', at DEFAULT (1+1))";

/// A device with the old version of the application and one with the new.
async fn old_and_new() -> (Device, Device) {
    let cloud = MemoryAdapter::new();
    (Device::new(&cloud, OLD, &["notes"]).await, Device::new(&cloud, NEW, &["notes"]).await)
}

#[tokio::test]
async fn a_column_that_a_device_does_not_know_survives_its_edits() {
    let (old, new) = old_and_new().await;
    new.run("INSERT INTO notes VALUES ('a', 'milk', 'blue', 7)");
    settle(&new, &old).await;
    old.shell("UPDATE notes SET text = 'oats'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM notes"), "a|oats|blue|7");
    // Also if the row is written anew, or gets another id.
    old.shell("REPLACE INTO notes VALUES ('a', 'soup')");
    settle(&old, &new).await;
    old.shell("UPDATE notes SET id = 'b'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM notes"), "b|soup|blue|7");
}

#[tokio::test]
async fn a_column_that_a_document_lacks_has_its_default_and_that_is_no_edit() {
    let (old, new) = old_and_new().await;
    old.run("INSERT INTO notes VALUES ('a', 'milk')");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM notes"), "a|milk|red|2");
    assert_eq!(new.queued().await, 0);
    old.run("UPDATE notes SET text = 'oats'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM notes"), "a|oats|red|2");
    new.run("UPDATE notes SET color = 'green'");
    settle(&new, &old).await;
    old.run("UPDATE notes SET text = 'tea'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM notes"), "a|tea|green|2");
}

#[tokio::test]
async fn a_device_that_learns_a_column_finds_what_was_kept_of_it_in_the_next_edit() {
    let (old, new) = old_and_new().await;
    new.run("INSERT INTO notes VALUES ('a', 'milk', 'blue', 7)");
    settle(&new, &old).await;
    // The application is brought up to date while this program runs.
    old.shell("ALTER TABLE notes ADD COLUMN color TEXT DEFAULT 'red'");
    settle(&new, &old).await;
    new.run("UPDATE notes SET text = 'oats'");
    settle(&new, &old).await;
    assert_eq!(old.shell("SELECT * FROM notes"), "a|oats|blue");
}

#[tokio::test]
async fn a_device_that_learns_a_column_shows_what_was_kept_of_it_at_once() {
    let (mut old, new) = old_and_new().await;
    new.run("INSERT INTO notes VALUES ('a', 'milk', 'blue', 7), ('b', 'tea', 'red', 2)");
    settle(&new, &old).await;
    let update = "ALTER TABLE notes ADD COLUMN color TEXT DEFAULT 'red'";
    old.restart(|path| drop(shell(path, update)), &["notes"]).await;
    assert_eq!(old.shell("SELECT * FROM notes ORDER BY id"), "a|milk|blue\nb|tea|red");
    assert_eq!(old.sync().await.pushed, 0, "no document changed");
    old.run("UPDATE notes SET text = 'oats' WHERE id = 'a'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM notes ORDER BY id"), "a|oats|blue|7\nb|tea|red|2");
}

#[tokio::test]
async fn a_column_that_is_added_while_the_program_runs_is_synced() {
    let (laptop, phone) = pair(OLD, &["notes"]).await;
    laptop.run("INSERT INTO notes VALUES ('a', 'milk')");
    settle(&laptop, &phone).await;
    for device in [&laptop, &phone] {
        device.shell("ALTER TABLE notes ADD COLUMN color");
    }
    laptop.shell("UPDATE notes SET color = 'blue'");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "a|milk|blue");
}

#[tokio::test]
async fn documents_of_a_table_that_does_not_exist_here_wait_for_it() {
    let cloud = MemoryAdapter::new();
    let tags = "CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT)";
    let new = Device::new(&cloud, &format!("{NOTES}; {tags}"), &["notes", "tags"]).await;
    let mut old = Device::new(&cloud, NOTES, &["notes"]).await;
    new.run("INSERT INTO tags VALUES ('1', 'red'), ('2', 'blue'), ('3', 'green')");
    settle(&new, &old).await;
    assert_eq!(old.database.held().await.unwrap().len(), 3);
    new.run("DELETE FROM tags WHERE id = '1'; UPDATE tags SET name = 'cyan' WHERE id = '2'");
    settle(&new, &old).await;
    assert_eq!(old.database.held().await.unwrap().len(), 2);
    // The update of the application makes the table.
    old.restart(|path| drop(shell(path, tags)), &["notes", "tags"]).await;
    assert_eq!(old.shell("SELECT * FROM tags ORDER BY id"), "2|cyan\n3|green");
    assert_eq!(old.database.held().await.unwrap(), []);
    old.shell("DELETE FROM tags WHERE id = '3'; UPDATE tags SET name = 'teal' WHERE id = '2'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM tags"), "2|teal");
}

#[tokio::test]
async fn a_row_that_comes_under_the_id_of_a_held_document_is_a_conflict() {
    let cloud = MemoryAdapter::new();
    let tags = "CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT)";
    let new = Device::new(&cloud, &format!("{NOTES}; {tags}"), &["notes", "tags"]).await;
    let mut old = Device::new(&cloud, NOTES, &["notes"]).await;
    new.run("INSERT INTO tags VALUES ('1', 'red')");
    settle(&new, &old).await;
    let update = format!("{tags}; INSERT INTO tags VALUES ('1', 'mine')");
    old.restart(|path| drop(shell(path, &update)), &["notes", "tags"]).await;
    let report = old.sync().await;
    assert_eq!((report.pushed, report.conflicts), (0, 1));
    settle(&new, &old).await;
    assert_eq!(old.shell("SELECT * FROM tags"), "1|red", "the remote version wins, as was chosen");
}

#[tokio::test]
async fn names_are_the_same_in_upper_and_lower_case() {
    let cloud = MemoryAdapter::new();
    let a = Device::new(&cloud, "CREATE TABLE Notes (Id PRIMARY KEY, Text)", &["notes"]).await;
    let b = Device::new(&cloud, "CREATE TABLE notes (id PRIMARY KEY, text)", &["NOTES"]).await;
    a.run("INSERT INTO notes VALUES (1, 'x')");
    settle(&a, &b).await;
    b.run("UPDATE notes SET text = 'y'");
    settle(&a, &b).await;
    assert_eq!(a.shell("SELECT * FROM notes"), "1|y");
}

#[tokio::test]
async fn columns_of_this_device_alone_are_left_alone() {
    let cloud = MemoryAdapter::new();
    let schema = "CREATE TABLE notes (id PRIMARY KEY, text, opened, up AS (upper(text)) STORED)";
    let tables = || vec![Table::new("notes").with_columns(["text"])];
    let (a, b) = (
        Device::with(&cloud, schema, tables()).await,
        Device::with(&cloud, schema, tables()).await,
    );
    a.run("INSERT INTO notes (id, text, opened) VALUES (1, 'x', 'today')");
    settle(&a, &b).await;
    b.run("UPDATE notes SET opened = 'never'");
    settle(&a, &b).await;
    a.run("UPDATE notes SET text = 'y'");
    settle(&a, &b).await;
    assert_eq!(a.shell("SELECT * FROM notes"), "1|y|today|Y");
    assert_eq!(b.shell("SELECT * FROM notes"), "1|y|never|Y");
}

#[tokio::test]
async fn a_value_that_a_column_would_change_is_kept_as_it_was() {
    let cloud = MemoryAdapter::new();
    let a = Device::new(&cloud, "CREATE TABLE t (id PRIMARY KEY, v, w)", &["t"]).await;
    let b = Device::new(&cloud, "CREATE TABLE t (id PRIMARY KEY, v TEXT, w)", &["t"]).await;
    a.run("INSERT INTO t VALUES (1, 5, 'x')");
    settle(&a, &b).await;
    assert_eq!(b.shell("SELECT typeof(v) FROM t"), "text");
    assert_eq!(a.shell("SELECT typeof(v) FROM t"), "integer", "it did not come back changed");
}

#[tokio::test]
async fn a_table_that_a_new_version_drops_does_not_stop_the_others_and_is_not_taken_for_emptied() {
    let cloud = MemoryAdapter::new();
    let both = format!("{NEW}; CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT, more TEXT)");
    let tags = "CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT)";
    let new = Device::new(&cloud, &both, &["notes", "tags"]).await;
    let mut old = Device::new(&cloud, &format!("{NEW}; {tags}"), &["notes", "tags"]).await;
    new.run("INSERT INTO tags VALUES ('1', 'red', 'x')");
    settle(&new, &old).await;
    old.run("UPDATE tags SET name = 'blue'");
    old.restart(|path| drop(shell(path, "DROP TABLE tags")), &["notes"]).await;
    old.run("INSERT INTO notes (id) VALUES ('a')");
    let report = old.client.sync().await.unwrap();
    assert_eq!((report.pushed, report.deferred.len()), (1, 1));
    new.sync().await;
    assert_eq!(new.shell("SELECT * FROM tags; SELECT id FROM notes"), "1|red|x\na");
}

#[tokio::test]
async fn a_value_that_equals_a_default_is_a_value_wherever_the_default_is_another() {
    let cloud = MemoryAdapter::new();
    let other = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, size TEXT DEFAULT 'L')";
    let old = Device::new(&cloud, OLD, &["notes"]).await;
    let new = Device::new(&cloud, other, &["notes"]).await;
    old.run("INSERT INTO notes VALUES ('a', 'x'), ('b', 'x')");
    settle(&old, &new).await;
    old.run("ALTER TABLE notes ADD COLUMN size TEXT DEFAULT 'M'");
    assert_eq!(old.sync().await.pushed, 0, "a column that comes is no edit");
    old.run("UPDATE notes SET text = 'y' WHERE id = 'a'; INSERT INTO notes VALUES ('c', 'z', 'M')");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT id, size FROM notes ORDER BY 1"), "a|M\nb|L\nc|M");
}

#[tokio::test]
async fn a_default_that_is_another_each_time_is_asked_for_once() {
    let cloud = MemoryAdapter::new();
    let random =
        "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, token DEFAULT (hex(randomblob(8))))";
    let old = Device::new(&cloud, OLD, &["notes"]).await;
    let new = Device::new(&cloud, random, &["notes"]).await;
    old.run("INSERT INTO notes VALUES ('a', 'x')");
    settle(&old, &new).await;
    let token = new.shell("SELECT token FROM notes");
    old.run("UPDATE notes SET text = 'y'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT text, token FROM notes"), format!("y|{token}"));
    new.run("UPDATE notes SET text = 'z'");
    settle(&new, &old).await;
    old.run("UPDATE notes SET text = 'w'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT text, token FROM notes"), format!("w|{token}"));
}

#[tokio::test]
async fn an_upgrade_does_not_write_over_what_the_application_wrote_in_a_column_that_it_learns() {
    let (old, new) = old_and_new().await;
    new.run("INSERT INTO notes VALUES ('a', 'x', 'blue', 1), ('b', 'x', 'blue', 1), ('c', 'x', 'blue', 1)");
    settle(&new, &old).await;
    old.run("UPDATE notes SET text = 'y' WHERE id = 'c'");
    old.run(
        "ALTER TABLE notes ADD COLUMN color TEXT; UPDATE notes SET color = 'mine' WHERE id = 'a'",
    );
    settle(&old, &new).await;
    for device in [&old, &new] {
        assert_eq!(
            device.shell("SELECT id, color FROM notes ORDER BY 1"),
            "a|mine\nb|blue\nc|blue"
        );
    }
}

#[tokio::test]
async fn a_value_that_a_learned_column_takes_in_another_form_goes_on_as_it_was() {
    let (old, new) = old_and_new().await;
    new.run("INSERT INTO notes VALUES ('a', 'x', '007', 1)");
    settle(&new, &old).await;
    old.run("ALTER TABLE notes ADD COLUMN color NUMERIC");
    settle(&old, &new).await;
    assert_eq!(old.shell("SELECT color, typeof(color) FROM notes"), "7|integer");
    old.run("UPDATE notes SET text = 'y'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT text, color FROM notes"), "y|007");
    old.run("UPDATE notes SET color = 8, text = 'z'");
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT text, color FROM notes"), "z|8");
}

#[tokio::test]
async fn a_column_that_a_device_does_not_know_goes_along_through_several_ids() {
    let (old, new) = old_and_new().await;
    new.run("INSERT INTO notes VALUES ('a', 'x', 'blue', 1), ('b', 'y', 'green', 2), ('c', 'z', 'pink', 3)");
    settle(&new, &old).await;
    old.run(
        "UPDATE notes SET id = 't' WHERE id = 'a'; UPDATE notes SET id = 'a' WHERE id = 'b';
        UPDATE notes SET id = 'b' WHERE id = 't'; UPDATE notes SET id = 'u' WHERE id = 'c';
        UPDATE notes SET id = 'd' WHERE id = 'u'",
    );
    settle(&old, &new).await;
    let rows = "a|y|green|2\nb|x|blue|1\nd|z|pink|3";
    assert_eq!(new.shell("SELECT * FROM notes ORDER BY 1"), rows);
}

#[tokio::test]
async fn an_edit_of_a_renamed_column_is_not_undone_where_it_is_renamed_later() {
    let rebuild = "CREATE TABLE new (id TEXT PRIMARY KEY, title TEXT);
        INSERT INTO new SELECT id, text FROM notes; DROP TABLE notes; ALTER TABLE new RENAME TO notes";
    for rename in ["ALTER TABLE notes RENAME COLUMN text TO title", rebuild] {
        let (laptop, phone) = pair(OLD, &["notes"]).await;
        laptop.run("INSERT INTO notes VALUES ('a', 'milk'), ('b', 'soup')");
        settle(&laptop, &phone).await;
        laptop.run(rename);
        laptop.run("UPDATE notes SET title = 'oats' WHERE id = 'a'");
        settle(&laptop, &phone).await;
        phone.run(rename);
        settle(&phone, &laptop).await;
        for device in [&laptop, &phone] {
            assert_eq!(
                device.shell("SELECT * FROM notes ORDER BY 1"),
                "a|oats\nb|soup",
                "{rename}"
            );
        }
    }
}

#[tokio::test]
async fn a_column_that_is_renamed_everywhere_is_the_same_beside_a_row_that_had_more() {
    let (laptop, phone) = pair(OLD, &["notes"]).await;
    phone.run("ALTER TABLE notes ADD COLUMN size INTEGER NOT NULL DEFAULT -1");
    laptop.run("INSERT INTO notes VALUES ('a', 'milk')");
    settle(&laptop, &phone).await;
    laptop.run("ALTER TABLE notes ADD COLUMN size INTEGER NOT NULL DEFAULT -1");
    settle(&laptop, &phone).await;
    for device in [&laptop, &phone] {
        device.run("ALTER TABLE notes RENAME COLUMN text TO title");
    }
    settle(&laptop, &phone).await;
    for device in [&laptop, &phone] {
        let report = device.sync().await;
        assert_eq!((report.pulled, report.pushed, report.conflicts), (0, 0, 0));
        assert_eq!(device.shell("SELECT * FROM notes"), "a|milk|-1");
    }
}

#[tokio::test]
async fn a_version_that_is_preferred_to_an_edit_takes_the_new_column_along() {
    let (old, new) = pair(OLD, &["notes"]).await;
    old.run("INSERT INTO notes VALUES ('a', 'x')");
    settle(&old, &new).await;
    new.run("ALTER TABLE notes ADD COLUMN size INTEGER DEFAULT 5; UPDATE notes SET size = 7");
    old.run("UPDATE notes SET text = 'y'");
    old.sync().await;
    assert_eq!(new.sync().await.conflicts, 1, "and the remote version wins");
    old.run("ALTER TABLE notes ADD COLUMN size INTEGER DEFAULT 5");
    settle(&old, &new).await;
    for device in [&old, &new] {
        assert_eq!(device.shell("SELECT * FROM notes"), "a|y|5");
    }
}

#[tokio::test]
async fn a_lost_trigger_makes_no_edit_of_a_row_that_has_more_than_its_document() {
    let (old, new) = pair(OLD, &["notes"]).await;
    new.run("ALTER TABLE notes ADD COLUMN size INTEGER DEFAULT 5");
    old.run("INSERT INTO notes VALUES ('a', 'x'), ('b', 'x')");
    settle(&old, &new).await;
    new.run("UPDATE notes SET text = 'x' WHERE id = 'a'; DROP TRIGGER db_to_cloud_notes_delete");
    old.run("DELETE FROM notes WHERE id = 'a'");
    old.sync().await;
    let report = new.sync().await;
    assert_eq!((report.conflicts, report.deleted, report.pushed), (0, 1, 0));
    // The same while a column comes.
    new.run("UPDATE notes SET text = 'x'; ALTER TABLE notes ADD COLUMN color TEXT");
    assert_eq!(new.sync().await.pushed, 0);
}

#[tokio::test]
async fn keys_that_a_device_without_a_column_swaps_take_the_column_along() {
    let (old, new) = old_and_new().await;
    new.run("INSERT INTO notes VALUES ('a', 'x', 'blue', 1)");
    old.run("INSERT INTO notes VALUES ('b', 'y')");
    settle(&new, &old).await;
    settle(&new, &old).await;
    old.run(
        "BEGIN; UPDATE notes SET id = 't' WHERE id = 'a'; UPDATE notes SET id = 'a' WHERE id = 'b';
        UPDATE notes SET id = 'b' WHERE id = 't'; COMMIT",
    );
    settle(&old, &new).await;
    assert_eq!(new.shell("SELECT * FROM notes ORDER BY id"), "a|y|red|2\nb|x|blue|1");
}
