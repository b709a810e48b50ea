//! Edits of any program are queued in their own transactions.

use crate::world::{NOTES, pair, settle};

#[tokio::test]
async fn inserts_updates_and_deletes_of_the_stock_shell_reach_the_other_device() {
    let (laptop, phone) = pair(NOTES, &["notes"]);
    laptop.shell("INSERT INTO notes VALUES ('a', 'milk', 0), ('b', 'bread', 0)");
    laptop.sync().await;
    assert_eq!(phone.sync().await.pulled, 2);
    assert_eq!(phone.shell("SELECT * FROM notes ORDER BY id"), "a|milk|0\nb|bread|0");
    phone.shell("UPDATE notes SET done = 1 WHERE id = 'a'; DELETE FROM notes WHERE id = 'b'");
    assert_eq!(phone.sync().await.pushed, 2);
    laptop.sync().await;
    assert_eq!(laptop.shell("SELECT * FROM notes"), "a|milk|1");
    settle(&laptop, &phone).await;
}

#[tokio::test]
async fn an_edit_that_is_rolled_back_is_not_queued() {
    let (laptop, _) = pair(NOTES, &["notes"]);
    laptop.shell("BEGIN; INSERT INTO notes VALUES ('a', '', 0); ROLLBACK");
    assert_eq!(laptop.queued().await, 0);
    laptop.shell(
        "BEGIN; INSERT INTO notes VALUES ('a', '', 0); SAVEPOINT s;
        INSERT INTO notes VALUES ('b', '', 0); ROLLBACK TO s; COMMIT",
    );
    assert_eq!(laptop.queued().await, 1);
}

#[tokio::test]
async fn what_a_sync_writes_is_not_queued() {
    let (laptop, phone) = pair(NOTES, &["notes"]);
    laptop.run("INSERT INTO notes VALUES ('a', 'milk', 0), ('b', 'bread', 0)");
    laptop.sync().await;
    phone.sync().await;
    assert_eq!(phone.queued().await, 0);
    laptop.run("UPDATE notes SET text = 'oats' WHERE id = 'a'; DELETE FROM notes WHERE id = 'b'");
    laptop.sync().await;
    phone.sync().await;
    assert_eq!(phone.queued().await, 0);
    assert_eq!(phone.shell("SELECT count(*) FROM db_to_cloud_queue"), "0");
}

#[tokio::test]
async fn all_rows_at_once_may_be_deleted_without_a_where() {
    let (laptop, phone) = pair(NOTES, &["notes"]);
    laptop.run("INSERT INTO notes VALUES ('a', '', 0), ('b', '', 0)");
    settle(&laptop, &phone).await;
    laptop.shell("DELETE FROM notes");
    laptop.sync().await;
    assert_eq!(phone.sync().await.deleted, 2);
}

#[tokio::test]
async fn a_row_whose_id_changes_is_a_delete_and_a_put() {
    let (laptop, phone) = pair(NOTES, &["notes"]);
    laptop.run("INSERT INTO notes VALUES ('a', 'milk', 0)");
    settle(&laptop, &phone).await;
    laptop.shell("UPDATE notes SET id = 'z'");
    assert_eq!(laptop.sync().await.pushed, 2);
    phone.sync().await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "z|milk|0");
    settle(&laptop, &phone).await;
}

#[tokio::test]
async fn an_id_that_changes_only_in_case_is_another_id_whatever_the_collation_says() {
    let (laptop, phone) =
        pair("CREATE TABLE notes (id TEXT COLLATE NOCASE PRIMARY KEY, text)", &["notes"]);
    laptop.run("INSERT INTO notes VALUES ('a', 'milk')");
    settle(&laptop, &phone).await;
    laptop.shell("UPDATE notes SET id = 'A'");
    laptop.sync().await;
    // The new row cannot come before the old one went, which waits for the end of the pull.
    phone.client.sync().await.unwrap();
    phone.sync().await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "A|milk");
    settle(&laptop, &phone).await;
}

#[tokio::test]
async fn ids_are_of_any_type_and_number_of_columns_with_and_without_rowid() {
    let schema = "
        CREATE TABLE numbers (n INTEGER PRIMARY KEY, v);
        CREATE TABLE blobs (b BLOB PRIMARY KEY, v) WITHOUT ROWID;
        CREATE TABLE members (person TEXT, choir INT, v, PRIMARY KEY (choir, person)) WITHOUT ROWID;
        CREATE TABLE strict_ones (a TEXT, b REAL, c ANY, v ANY, PRIMARY KEY (a, b, c)) STRICT;
        CREATE TABLE \"odd \"\"name\" (\"the id\" PRIMARY KEY, \"select\")";
    let tables = ["numbers", "blobs", "members", "strict_ones", "odd \"name"];
    let (laptop, phone) = pair(schema, &tables);
    laptop.run(
        "INSERT INTO numbers VALUES (1, 'a'), (-9223372036854775808, 'b');
        INSERT INTO blobs VALUES (x'', 'a'), (x'00ff', 'b');
        INSERT INTO members VALUES ('ann', 1, 'a'), ('bob', 1, 'b');
        INSERT INTO strict_ones VALUES ('', 1.5, 1, 'a'), ('', 1.5, '1', 'b'), ('', 1.5, x'31', 'c');
        INSERT INTO \"odd \"\"name\" VALUES ('x', 'y'), (1, 'z')",
    );
    assert_eq!(laptop.sync().await.pushed, 11);
    assert_eq!(phone.sync().await.pulled, 11);
    for table in tables {
        let sql = format!("SELECT * FROM \"{}\" ORDER BY 1, 2", table.replace('"', "\"\""));
        assert_eq!(laptop.shell(&sql), phone.shell(&sql), "{table}");
    }
    phone.run("UPDATE members SET choir = 2 WHERE person = 'bob'; DELETE FROM blobs WHERE b = x''");
    settle(&phone, &laptop).await;
    assert_eq!(laptop.shell("SELECT choir FROM members WHERE person = 'bob'"), "2");
    assert_eq!(laptop.shell("SELECT hex(b) FROM blobs"), "00FF");
}

#[tokio::test]
async fn one_of_two_edits_of_one_row_is_put_to_the_resolver() {
    let (mut laptop, phone) = pair(NOTES, &["notes"]);
    laptop.local_wins();
    laptop.run("INSERT INTO notes VALUES ('a', 'first', 0)");
    settle(&laptop, &phone).await;
    laptop.run("UPDATE notes SET text = 'of the laptop'");
    phone.run("UPDATE notes SET text = 'of the phone'");
    phone.sync().await;
    assert_eq!(laptop.sync().await.conflicts, 1);
    phone.sync().await;
    assert_eq!(phone.shell("SELECT text FROM notes"), "of the laptop");
    settle(&laptop, &phone).await;
}
