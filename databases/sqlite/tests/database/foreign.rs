//! Foreign keys, triggers of the application, and rows that a table does not accept.

use crate::world::{Became, Device, apply, pair, settle, write};
use db_to_cloud::memory::MemoryAdapter;

const BLOG: &str = "
    CREATE TABLE posts (id INTEGER PRIMARY KEY, title TEXT);
    CREATE TABLE comments (id INTEGER PRIMARY KEY, text TEXT,
        post INTEGER NOT NULL REFERENCES posts ON DELETE CASCADE)";

#[tokio::test]
async fn rows_that_come_before_those_they_refer_to_are_written_in_one_sync() {
    let (laptop, phone) = pair(BLOG, &["posts", "comments"]).await;
    // More than a batch of comments, all of which come before the first post.
    laptop.run(
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1300)
            INSERT INTO posts SELECT i, 'post' FROM n;
        INSERT INTO comments SELECT id, 'comment', 1301 - id FROM posts",
    );
    laptop.sync().await;
    assert_eq!(phone.sync().await.pulled, 2600);
    assert_eq!(phone.database.held().await.unwrap(), []);
    assert_eq!(phone.shell("PRAGMA foreign_key_check; SELECT count(*) FROM comments"), "1300");
    assert_eq!(phone.queued().await, 0);
    settle(&laptop, &phone).await;
}

#[tokio::test]
async fn a_circle_of_rows_is_written_even_if_it_comes_in_pieces() {
    let circle = "
        CREATE TABLE a (id INTEGER PRIMARY KEY, b REFERENCES b DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE b (id INTEGER PRIMARY KEY, c REFERENCES c DEFERRABLE INITIALLY DEFERRED);
        CREATE TABLE c (id INTEGER PRIMARY KEY, a REFERENCES a DEFERRABLE INITIALLY DEFERRED)";
    let (laptop, phone) = pair(circle, &["a", "b", "c"]).await;
    laptop.run(
        "BEGIN; INSERT INTO c VALUES (1, 1); INSERT INTO b VALUES (1, 1);
        INSERT INTO a VALUES (1, 1); COMMIT",
    );
    settle(&laptop, &phone).await;
    assert_eq!(
        phone.shell("SELECT (SELECT b FROM a) + (SELECT c FROM b) + (SELECT a FROM c)"),
        "3"
    );
    // Each piece alone waits for the next.
    let tablet = Device::new(&MemoryAdapter::new(), circle, &["a", "b", "c"]).await;
    for table in ["a", "b", "c"] {
        let id = db_to_cloud::DocumentId::from(format!("[\"{table}\",1]"));
        let document = db_to_cloud::Database::get(&laptop.database, &id).await.unwrap();
        let write = write(id, document, None);
        assert_eq!(apply(&tablet.database, write).await, Became::Done);
        let held = tablet.database.held().await.unwrap().len();
        assert_eq!(held, if table == "a" { 1 } else { 2 * usize::from(table == "b") }, "{table}");
    }
    assert_eq!(tablet.shell("SELECT count(*) FROM a, b, c; PRAGMA foreign_key_check"), "1");
}

#[tokio::test]
async fn a_tree_in_one_table_is_written_from_its_root() {
    let tree = "CREATE TABLE folders (id TEXT PRIMARY KEY, above REFERENCES folders)";
    let (laptop, phone) = pair(tree, &["folders"]).await;
    laptop.run("INSERT INTO folders VALUES ('z', NULL), ('y', 'z'), ('x', 'y'), ('w', 'w')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT count(*) FROM folders"), "4");
}

#[tokio::test]
async fn rows_deleted_along_are_deleted_along_everywhere() {
    let (laptop, phone) = pair(BLOG, &["posts", "comments"]).await;
    laptop.run("INSERT INTO posts VALUES (1, 'x'); INSERT INTO comments VALUES (1, 'y', 1)");
    settle(&laptop, &phone).await;
    laptop.shell("PRAGMA foreign_keys = ON; DELETE FROM posts");
    settle(&laptop, &phone).await;
    let counts = "SELECT (SELECT count(*) FROM posts) + (SELECT count(*) FROM comments)";
    assert_eq!(phone.shell(counts), "0");
}

#[tokio::test]
async fn a_deleted_row_that_a_new_row_refers_to_comes_back() {
    let (laptop, phone) = pair(BLOG, &["posts", "comments"]).await;
    laptop.run("INSERT INTO posts VALUES (1, 'x'); INSERT INTO comments VALUES (1, 'y', 1)");
    settle(&laptop, &phone).await;
    // The phone's comment is not known when the laptop deletes the post.
    phone.run("INSERT INTO comments VALUES (2, 'z', 1)");
    laptop.shell("PRAGMA foreign_keys = ON; DELETE FROM posts");
    settle(&laptop, &phone).await;
    both_have_the_comment(&laptop, &phone).await;
}

#[tokio::test]
async fn a_deleted_row_that_a_row_in_the_storage_refers_to_is_reported_and_then_comes_back() {
    let (laptop, phone) = pair(BLOG, &["posts", "comments"]).await;
    laptop.run("INSERT INTO posts VALUES (1, 'x'); INSERT INTO comments VALUES (1, 'y', 1)");
    settle(&laptop, &phone).await;
    phone.run("INSERT INTO comments VALUES (2, 'z', 1)");
    phone.sync().await;
    laptop.shell("PRAGMA foreign_keys = ON; DELETE FROM posts");
    laptop.sync().await;
    let report = phone.client.sync().await.unwrap();
    assert_eq!((report.deleted, report.deferred.len()), (1, 1), "{:?}", report.deferred);
    settle(&phone, &laptop).await;
    both_have_the_comment(&laptop, &phone).await;
}

async fn both_have_the_comment(laptop: &Device, phone: &Device) {
    for device in [laptop, phone] {
        assert_eq!(device.shell("SELECT * FROM posts"), "1|x");
        assert_eq!(device.shell("SELECT * FROM comments; PRAGMA foreign_key_check"), "2|z|1");
        assert_eq!(device.database.held().await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_row_that_others_still_need_is_not_deleted_and_that_is_reported() {
    let kept = "CREATE TABLE posts (id INTEGER PRIMARY KEY);
        CREATE TABLE comments (id INTEGER PRIMARY KEY, post REFERENCES posts)";
    let cloud = MemoryAdapter::new();
    let laptop = Device::new(&cloud, kept, &["posts", "comments"]).await;
    let phone = Device::new(&cloud, kept, &["posts", "comments"]).await;
    laptop.run("INSERT INTO posts VALUES (1), (2)");
    settle(&laptop, &phone).await;
    laptop.run("DELETE FROM posts");
    laptop.sync().await;
    phone.run("INSERT INTO comments VALUES (1, 1)");
    let report = phone.client.sync().await.unwrap();
    assert_eq!((report.deleted, report.deferred.len()), (1, 1), "post 2 goes, post 1 stays");
    assert_eq!(phone.shell("SELECT id FROM posts"), "1");
    phone.run("DELETE FROM comments");
    phone.sync().await;
    assert_eq!(phone.shell("SELECT count(*) FROM posts"), "0");
}

#[tokio::test]
async fn a_row_that_breaks_a_constraint_is_set_aside_alone() {
    let people = "CREATE TABLE people (id TEXT PRIMARY KEY, mail TEXT UNIQUE, age CHECK (age > 0))";
    let cloud = MemoryAdapter::new();
    let laptop = Device::new(&cloud, people, &["people"]).await;
    let phone = Device::new(&cloud, people, &["people"]).await;
    laptop.run("INSERT INTO people VALUES ('a', 'x@x', 1), ('b', 'y@x', 2), ('c', 'z@x', 3)");
    phone.run("INSERT INTO people VALUES ('p', 'y@x', 9)");
    laptop.sync().await;
    let report = phone.client.sync().await.unwrap();
    assert_eq!((report.pulled, report.deferred.len()), (2, 1));
    assert!(report.deferred[0].detail.contains("UNIQUE"), "{:?}", report.deferred);
    phone.run("UPDATE people SET mail = 'mine@x' WHERE id = 'p'");
    assert_eq!(phone.sync().await.pulled, 1, "it comes as soon as there is room");
}

#[tokio::test]
async fn triggers_of_the_application_see_what_is_synced_and_do_not_edit_it() {
    let search = "
        CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, at TEXT);
        CREATE VIRTUAL TABLE found USING fts5(id, text);
        CREATE TRIGGER search_insert AFTER INSERT ON notes BEGIN
            INSERT INTO found VALUES (NEW.id, NEW.text); END;
        CREATE TRIGGER search_update AFTER UPDATE OF text ON notes BEGIN
            UPDATE found SET text = NEW.text WHERE id = NEW.id; END;
        CREATE TRIGGER stamp AFTER UPDATE OF text ON notes BEGIN
            UPDATE notes SET at = hex(randomblob(8)) WHERE id = NEW.id; END";
    let (laptop, phone) = pair(search, &["notes"]).await;
    laptop.run("INSERT INTO notes VALUES ('a', 'milk', 'then')");
    settle(&laptop, &phone).await;
    laptop.run("UPDATE notes SET text = 'oats and honey'");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT id FROM found WHERE found MATCH 'honey'"), "a");
    assert_eq!(phone.shell("SELECT at FROM notes"), laptop.shell("SELECT at FROM notes"));
}

#[tokio::test]
async fn a_trigger_that_rolls_everything_back_costs_only_its_own_row() {
    let strict = "CREATE TABLE notes (id TEXT PRIMARY KEY, text);
        CREATE TRIGGER no_swearing BEFORE INSERT ON notes WHEN NEW.text = 'damn' BEGIN
            SELECT RAISE(ROLLBACK, 'not that word'); END;
        CREATE TRIGGER no_silence BEFORE INSERT ON notes WHEN NEW.text = '' BEGIN
            SELECT RAISE(IGNORE); END";
    let cloud = MemoryAdapter::new();
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, text)";
    let laptop = Device::new(&cloud, schema, &["notes"]).await;
    let phone = Device::new(&cloud, strict, &["notes"]).await;
    laptop.run("INSERT INTO notes VALUES ('a', 'x'), ('b', 'damn'), ('c', ''), ('d', 'y')");
    laptop.sync().await;
    let report = phone.client.sync().await.unwrap();
    assert_eq!((report.pulled, report.deferred.len()), (2, 2), "{:?}", report.deferred);
    assert_eq!(phone.shell("SELECT id FROM notes ORDER BY id"), "a\nd");
    phone.run("DROP TRIGGER no_swearing; DROP TRIGGER no_silence");
    assert_eq!(phone.sync().await.pulled, 2);
}
