//! What is set apart, what it must not harm, and what must stay as it is.

use db_to_cloud::{Database, Document, Outcome, Write};
use db_to_cloud_sqlite::Table;

use super::{Alone, carry, writes};
use crate::hammer::Random;
use crate::world::{Became, apply, became, write};

/// A sender and a receiver with these rows, and what leads to where the sender then is.
async fn both(schema: &str, tables: &[Table], rows: &str, edit: &str) -> (Alone, Vec<Write>) {
    let devices = [(); 2].map(|()| Alone::new(schema, tables.to_vec()));
    for device in &devices {
        device.app.execute_batch(rows).unwrap();
        device.unqueue();
    }
    let [sender, receiver] = devices;
    let from = sender.documents().await;
    sender.app.execute_batch(&format!("BEGIN; {edit}; COMMIT")).unwrap();
    let to = sender.documents().await;
    (receiver, writes(&from, &to, &mut Random::new(1)))
}

fn table(name: &str) -> Vec<Table> {
    vec![Table::new(name)]
}

fn number(device: &Alone, sql: &str) -> i64 {
    device.app.query_row(sql, [], |row| row.get(0)).unwrap()
}

/// The outcome for this id.
async fn outcome_of(device: &Alone, writes: &[Write], id: &str) -> Became {
    let outcomes = became(&device.database.apply(writes.to_vec()).await);
    let place = writes.iter().position(|write| write.id.as_str() == Some(id)).unwrap();
    outcomes[place]
}

const LIST: &str =
    "CREATE TABLE t (id INTEGER PRIMARY KEY, pos INTEGER NOT NULL UNIQUE, here TEXT);
    CREATE TABLE log (id, pos);
    CREATE TRIGGER u AFTER UPDATE ON t BEGIN INSERT INTO log VALUES (NEW.id, OLD.pos); END";

fn listed() -> Vec<Table> {
    vec![Table::new("t").with_columns(["pos"])]
}

fn many(count: u32) -> String {
    format!(
        "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < {count} - 1)
            INSERT INTO t SELECT i * 7919 % {count}, i, 'of this device' FROM n"
    )
}

async fn a_list_is_renumbered(count: u32, edit: &str, query: &str) {
    let (receiver, writes) = both(LIST, &listed(), &many(count), edit).await;
    assert_eq!(writes.len(), usize::try_from(count).unwrap());
    assert_eq!(carry(&receiver.database, writes, 500).await, []);
    assert_eq!(number(&receiver, query), i64::from(count));
    assert_eq!(
        number(&receiver, "SELECT count(*) FROM t WHERE here = 'of this device'"),
        i64::from(count)
    );
    let log = "SELECT count(DISTINCT id) FROM log JOIN t USING (id) WHERE t.pos <> log.pos";
    assert_eq!(
        number(&receiver, log),
        i64::from(count),
        "triggers see each row change once, in full"
    );
    assert_eq!(number(&receiver, "SELECT count(*) FROM log"), i64::from(count));
    receiver.assert_sound("renumbered");
}

#[tokio::test]
async fn a_list_that_is_longer_than_a_batch_moves_by_one() {
    let edit = "UPDATE t SET pos = -pos - 1; UPDATE t SET pos = -pos";
    let moved = "SELECT count(*) FROM t WHERE id = (pos - 1) * 7919 % 1200";
    a_list_is_renumbered(1200, edit, moved).await;
}

#[tokio::test]
async fn a_list_that_is_longer_than_a_batch_goes_round() {
    let edit = "UPDATE t SET pos = -1 - (pos + 1) % 3000; UPDATE t SET pos = -1 - pos";
    let moved = "SELECT count(*) FROM t WHERE id = (pos + 2999) % 3000 * 7919 % 3000";
    a_list_is_renumbered(3000, edit, moved).await;
}

const ROOM: &str =
    "CREATE TABLE t (id TEXT PRIMARY KEY, mail TEXT UNIQUE, age INTEGER CHECK (age > 0))";

#[tokio::test]
async fn a_delete_is_not_made_while_a_put_that_needs_its_room_is_refused() {
    let loose = ROOM.replace("CHECK (age > 0)", "");
    let rows = "INSERT INTO t VALUES ('old', 'x', 1), ('other', 'y', 1)";
    let edit = "DELETE FROM t; INSERT INTO t VALUES ('new', 'x', -1)";
    let (_, writes) = both(&loose, &table("t"), rows, edit).await;
    let receiver = Alone::new(ROOM, table("t"));
    receiver.app.execute_batch(rows).unwrap();
    assert_eq!(outcome_of(&receiver, &writes, r#"["t","new"]"#).await, Became::Refused);
    assert_eq!(receiver.rows("SELECT id FROM t"), ["Text([111, 108, 100])|"], "the old one stays");
    assert_eq!(outcome_of(&receiver, &writes, r#"["t","old"]"#).await, Became::Blocked);
}

#[tokio::test]
async fn rows_that_depend_on_a_refused_one_are_blocked_and_the_others_written() {
    let loose = ROOM.replace("CHECK (age > 0)", "");
    let rows = "INSERT INTO t VALUES ('a', 'a', 1), ('b', 'b', 1), ('c', 'c', 1), ('d', 'd', 1),
        ('e', 'e', 1), ('f', 'f', 1)";
    // Two circles: in one of them a row is not accepted here.
    let edit = "UPDATE t SET mail = mail || '?'; UPDATE t SET mail = 'b', age = -1 WHERE id = 'a';
        UPDATE t SET mail = 'c' WHERE id = 'b'; UPDATE t SET mail = 'a' WHERE id = 'c';
        UPDATE t SET mail = 'e' WHERE id = 'd'; UPDATE t SET mail = 'd' WHERE id = 'e'";
    let (_, writes) = both(&loose, &table("t"), rows, edit).await;
    let receiver = Alone::new(ROOM, table("t"));
    receiver.app.execute_batch(rows).unwrap();
    let outcomes = became(&receiver.database.apply(writes.clone()).await);
    for (write, outcome) in writes.iter().zip(outcomes) {
        let expected = match write.id.as_str().unwrap() {
            r#"["t","a"]"# => Became::Refused,
            r#"["t","b"]"# | r#"["t","c"]"# => Became::Blocked,
            _ => Became::Done,
        };
        assert_eq!(outcome, expected, "{:?}", write.id);
    }
    let all: Vec<String> = receiver.rows("SELECT id || mail FROM t ORDER BY id");
    let expected =
        ["aa", "bb", "cc", "de", "ed", "ff?"].map(|s| format!("Text({:?})|", s.as_bytes()));
    assert_eq!(all, expected);
}

#[tokio::test]
async fn a_trigger_that_rolls_back_does_not_undo_a_swap_in_the_same_batch() {
    let rows = "INSERT INTO t VALUES ('a', 'a', 1), ('b', 'b', 1), ('c', 'c', 1)";
    let edit = "UPDATE t SET mail = id || '?'; UPDATE t SET mail = 'b' WHERE id = 'a';
        UPDATE t SET mail = 'a' WHERE id = 'b'; INSERT INTO t VALUES ('damn', 'd', 1)";
    let (receiver, writes) = both(ROOM, &table("t"), rows, edit).await;
    let trigger = "CREATE TRIGGER no BEFORE INSERT ON t WHEN NEW.id = 'damn' BEGIN
        SELECT RAISE(ROLLBACK, 'not that word'); END";
    receiver.app.execute_batch(trigger).unwrap();
    let outcomes = receiver.database.apply(writes.clone()).await;
    for (write, outcome) in writes.iter().zip(&outcomes) {
        let is_refused = matches!(outcome, Outcome::Refused(_));
        assert_eq!(is_refused, write.id.as_str() == Some(r#"["t","damn"]"#), "{outcome:?}");
    }
    assert_eq!(number(&receiver, "SELECT count(*) FROM t WHERE mail <> id AND id < 'd'"), 3);
}

#[tokio::test]
async fn a_key_that_is_spelled_anew_keeps_what_is_of_this_device_and_its_children() {
    let schema = "CREATE TABLE t (name TEXT PRIMARY KEY COLLATE NOCASE, n INTEGER, here TEXT);
        CREATE TABLE c (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE)";
    let tables = [Table::new("t").with_columns(["n"])];
    let rows = "INSERT INTO t VALUES ('red', 1, 'mine'), ('blue', 2, 'mine');
        INSERT INTO c VALUES (1, 'red'), (2, 'blue')";
    let edit = "UPDATE t SET name = 'Red' WHERE name = 'red'; UPDATE t SET n = 3 WHERE n = 2";
    let (receiver, writes) = both(schema, &tables, rows, edit).await;
    assert_eq!(carry(&receiver.database, writes, 1).await, []);
    let kept = "SELECT count(*) FROM t JOIN c ON t.name = c.t WHERE here = 'mine'
        AND (t.name = 'Red' COLLATE BINARY AND n = 1 OR n = 3)";
    assert_eq!(number(&receiver, kept), 2);
    receiver.assert_sound("renamed");
}

#[tokio::test]
async fn foreign_keys_act_on_tables_that_are_not_synced_and_on_no_others() {
    let schema = "CREATE TABLE t (id INTEGER PRIMARY KEY, mail TEXT UNIQUE);
        CREATE TABLE synced (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE);
        CREATE TABLE own (id INTEGER PRIMARY KEY, t REFERENCES t ON DELETE CASCADE);
        CREATE TABLE below (own REFERENCES own ON DELETE CASCADE);
        CREATE TABLE unset (t REFERENCES t ON DELETE SET NULL);
        CREATE TABLE mails (mail REFERENCES t (mail) ON UPDATE CASCADE);
        CREATE TABLE strict (t REFERENCES t ON DELETE RESTRICT)";
    let tables = [Table::new("t"), Table::new("synced")];
    let rows = "INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')";
    let edit = "DELETE FROM t WHERE id < 4; UPDATE t SET mail = 'new'";
    let (receiver, writes) = both(schema, &tables, rows, edit).await;
    let here =
        "INSERT INTO own VALUES (10, 1), (11, 3), (12, 4); INSERT INTO below VALUES (10), (12);
        INSERT INTO unset VALUES (1), (4); INSERT INTO mails VALUES ('d');
        INSERT INTO strict VALUES (2); INSERT INTO synced VALUES (5, 3)";
    receiver.app.execute_batch(here).unwrap();
    receiver.unqueue();
    let outcomes = became(&receiver.database.apply(writes.clone()).await);
    for (write, outcome) in writes.iter().zip(outcomes) {
        let is_done = matches!(write.id.as_str(), Some(r#"["t",1]"# | r#"["t",4]"#));
        let expected = if is_done { Became::Done } else { Became::Blocked };
        assert_eq!(outcome, expected, "{:?}", write.id);
    }
    let left =
        "SELECT (SELECT group_concat(id) FROM t) || ' ' || (SELECT group_concat(id) FROM own)
        || ' ' || (SELECT group_concat(own) FROM below) || ' ' || (SELECT count(t) FROM unset)
        || ' ' || (SELECT mail FROM mails) || ' ' || (SELECT count(*) FROM synced)";
    let left: String = receiver.app.query_row(left, [], |row| row.get(0)).unwrap();
    assert_eq!(left, "2,3,4 11,12 12 1 new 1");
    receiver.assert_sound("acted");
}

#[tokio::test]
async fn a_table_with_a_trigger_that_cannot_run_here_does_not_stop_the_others() {
    let schema =
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); CREATE TABLE u (id INTEGER PRIMARY KEY, v)";
    let tables = [Table::new("t"), Table::new("u")];
    let edit = "INSERT INTO t VALUES (1, 1); INSERT INTO u VALUES (1, 1)";
    let (receiver, writes) = both(schema, &tables, "", edit).await;
    let trigger = "CREATE TRIGGER x AFTER INSERT ON t BEGIN SELECT of_the_application(NEW.v); END";
    receiver.app.execute_batch(trigger).unwrap();
    assert_eq!(outcome_of(&receiver, &writes, r#"["t",1]"#).await, Became::Refused);
    assert_eq!(number(&receiver, "SELECT count(*) FROM u"), 1);
}

#[tokio::test]
async fn a_file_that_stays_locked_blocks_and_the_cause_is_said() {
    let edit = "INSERT INTO t VALUES ('a', 'x', 1), ('b', 'y', 1)";
    let (receiver, writes) = both(ROOM, &table("t"), "", edit).await;
    receiver.app.execute_batch("BEGIN IMMEDIATE").unwrap();
    for outcome in receiver.database.apply(writes.clone()).await {
        let is_blocked =
            matches!(&outcome, Outcome::Blocked(error) if error.to_string().contains("locked"));
        assert!(is_blocked, "{outcome:?}");
    }
    receiver.app.execute_batch("COMMIT").unwrap();
    assert_eq!(carry(&receiver.database, writes, 2).await, []);
}

#[tokio::test]
async fn an_epoch_changes_with_the_schema_and_with_nothing_else() {
    let receiver = Alone::new(ROOM, table("t"));
    let ids = [r#"["t","a"]"#.into(), 7.into()];
    let before = receiver.database.epochs(&ids).await;
    let put = |age| {
        let document = Document::of_content(format!("{{\"age\":{age},\"mail\":null}}"));
        write(ids[0].clone(), Some(document), None)
    };
    assert_eq!(apply(&receiver.database, put(-1)).await, Became::Refused);
    receiver.app.execute_batch("INSERT INTO t VALUES ('x', 'x', 1)").unwrap();
    assert_eq!(receiver.database.epochs(&ids).await, before);
    receiver.app.execute_batch("ALTER TABLE t ADD COLUMN more").unwrap();
    let after = receiver.database.epochs(&ids).await;
    assert!(before.iter().zip(&after).all(|(before, after)| before != after));
}
