//! Triggers of the application that change other rows: where the row was edited they ran already, so a
//! sync makes nothing of it twice.

use db_to_cloud::memory::MemoryAdapter;
use db_to_cloud_sqlite::Table;

use crate::world::{Device, pair, settle};

/// Posts with a counter, a log, a stock and, not synced, a list of what came.
const POSTS: &str = "
    CREATE TABLE users (id TEXT PRIMARY KEY, n INTEGER NOT NULL DEFAULT 0);
    CREATE TABLE posts (id TEXT PRIMARY KEY, user TEXT, text TEXT);
    CREATE TABLE log (id TEXT PRIMARY KEY, what TEXT);
    CREATE TABLE came (what TEXT);
    CREATE TABLE relay (user TEXT);
    CREATE VIEW writers AS SELECT * FROM users;
    CREATE TRIGGER plus AFTER INSERT ON posts BEGIN
        INSERT INTO users VALUES (NEW.user, 1) ON CONFLICT DO UPDATE SET n = n + 1;
        INSERT INTO log VALUES (hex(randomblob(8)), NEW.id);
        INSERT INTO came VALUES (NEW.id); END;
    CREATE TRIGGER minus BEFORE DELETE ON posts BEGIN
        INSERT INTO relay VALUES (OLD.user);
        DELETE FROM log WHERE what = OLD.id; END;
    CREATE TRIGGER relayed AFTER INSERT ON relay BEGIN
        UPDATE users SET n = n - 1 WHERE id = NEW.user;
        REPLACE INTO log VALUES ('last', NEW.user); END;
    CREATE TRIGGER again AFTER UPDATE ON posts BEGIN
        UPDATE posts SET text = text || '!' WHERE id = NEW.id;
        UPDATE writers SET n = 100; END;
    CREATE TRIGGER through INSTEAD OF UPDATE ON writers BEGIN
        UPDATE users SET n = NEW.n WHERE id = NEW.id AND n > 50; END";

async fn both_have(a: &Device, b: &Device, users: &str) {
    settle(a, b).await;
    for device in [a, b] {
        assert_eq!(device.shell("SELECT * FROM users ORDER BY id"), users);
        assert_eq!(device.queued().await, 0, "what a trigger did is no edit of a device");
    }
    for table in ["posts", "log"] {
        let all = format!("SELECT * FROM {table} ORDER BY 1");
        assert_eq!(a.shell(&all), b.shell(&all), "{table}");
    }
    for device in [a, b] {
        let report = device.sync().await;
        assert_eq!((report.pulled, report.pushed, report.deleted), (0, 0, 0));
    }
}

#[tokio::test]
async fn what_a_trigger_does_to_other_synced_rows_is_done_once() {
    let (laptop, phone) = pair(POSTS, &["users", "posts", "log"]).await;
    laptop.run("INSERT INTO posts VALUES ('a', 'ann', ''), ('b', 'ann', ''), ('c', 'bob', '')");
    both_have(&laptop, &phone, "ann|2\nbob|1").await;
    assert_eq!(phone.shell("SELECT what FROM came ORDER BY 1"), "a\nb\nc", "it is not synced");
    phone.run("DELETE FROM posts WHERE id = 'a'; UPDATE posts SET text = 'x' WHERE id = 'b'");
    both_have(&phone, &laptop, "ann|1\nbob|1").await;
    assert_eq!(laptop.shell("SELECT text FROM posts WHERE id = 'b'"), "x!");
    assert_eq!(laptop.shell("SELECT * FROM relay"), "ann", "it is not synced");
}

#[tokio::test]
async fn a_trigger_that_is_made_later_is_kept_back_as_well() {
    let schema =
        "CREATE TABLE posts (id TEXT PRIMARY KEY); CREATE TABLE total (id TEXT PRIMARY KEY, n);
        INSERT INTO total VALUES ('posts', 0)";
    let (laptop, phone) = pair(schema, &["posts", "total"]).await;
    settle(&laptop, &phone).await;
    let counts =
        "CREATE TRIGGER counts AFTER INSERT ON posts BEGIN UPDATE total SET n = n + 1; END";
    for device in [&laptop, &phone] {
        device.run(counts);
    }
    laptop.run("INSERT INTO posts VALUES ('a'), ('b')");
    settle(&laptop, &phone).await;
    for device in [&laptop, &phone] {
        assert_eq!(device.shell("SELECT n FROM total"), "2");
        device.run("DROP TRIGGER counts");
    }
    laptop.run("INSERT INTO posts VALUES ('c')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT count(*) FROM posts"), "3");
}

#[tokio::test]
async fn a_trigger_may_fill_columns_of_a_synced_row_that_are_not_synced() {
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, folded TEXT);
        CREATE TRIGGER fold AFTER INSERT ON notes BEGIN
            UPDATE notes SET folded = upper(NEW.text) WHERE id = NEW.id; END;
        CREATE TRIGGER refold AFTER UPDATE OF text ON notes BEGIN
            UPDATE notes SET folded = upper(NEW.text) WHERE id = NEW.id; END";
    let cloud = MemoryAdapter::new();
    let table = || vec![Table::new("notes").with_columns(["text"])];
    let laptop = Device::with(&cloud, schema, table()).await;
    let phone = Device::with(&cloud, schema, table()).await;
    laptop.run("INSERT INTO notes (id, text) VALUES ('a', 'milk')");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "a|milk|MILK");
    laptop.run("UPDATE notes SET text = 'oats'");
    settle(&laptop, &phone).await;
    assert_eq!(phone.shell("SELECT * FROM notes"), "a|oats|OATS");
}

#[tokio::test]
async fn a_row_that_a_trigger_keeps_as_it_was_is_reported_and_not_taken_for_written() {
    let cloud = MemoryAdapter::new();
    let schema = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)";
    let laptop = Device::new(&cloud, schema, &["notes"]).await;
    let phone = Device::new(&cloud, schema, &["notes"]).await;
    laptop.run("INSERT INTO notes VALUES ('a', 'x')");
    settle(&laptop, &phone).await;
    phone.run(
        "CREATE TRIGGER frozen BEFORE UPDATE ON notes BEGIN SELECT RAISE(IGNORE); END;
        CREATE TRIGGER kept BEFORE DELETE ON notes BEGIN SELECT RAISE(IGNORE); END",
    );
    for sql in ["UPDATE notes SET text = 'y'", "DELETE FROM notes"] {
        laptop.run(sql);
        laptop.sync().await;
        let report = phone.client.sync().await.unwrap();
        assert_eq!(report.deferred.len(), 1, "{sql}");
        assert_eq!(phone.shell("SELECT * FROM notes"), "a|x");
    }
    phone.run("DROP TRIGGER frozen; DROP TRIGGER kept");
    assert_eq!(phone.sync().await.deleted, 1);
}
