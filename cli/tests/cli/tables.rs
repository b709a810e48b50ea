//! SQLite databases instead of folders; rows are written and read by the `sqlite3` shell.

mod asked;
mod mistakes;
mod watched;

use std::path::Path;

use db_to_cloud_test_servers::sqlite3;
use serde_json::Value;

use crate::world::{Run, World};

const SCHEMA: &str = "
    CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, size INTEGER);
    CREATE TABLE tags (note TEXT, tag TEXT, PRIMARY KEY (note, tag));";
const NOTES: [&str; 2] = ["--table", "notes"];
const BOTH: [&str; 4] = ["--table", "notes", "--table", "tags"];

/// Two devices with these tables.
fn pair(schema: &str) -> World {
    let world = World::new(&["a", "b"]);
    for device in ["a", "b"] {
        shell(&world, device, schema);
    }
    world
}

/// What a stock `sqlite3` answers: a line a row, `|` between the values.
#[track_caller]
fn shell(world: &World, device: &str, sql: &str) -> String {
    sqlite3(&path(world, device), sql)
}

fn path(world: &World, device: &str) -> std::path::PathBuf {
    world.path(device).join(Path::new("notes.db"))
}

fn run(world: &World, command: &str, device: &str, more: &[&str]) -> Run {
    let database = format!("{device}/notes.db");
    world.run([command, &database, world.cloud()].iter().chain(more))
}

/// A sync that must end with this code.
#[track_caller]
fn sync_as(world: &World, code: i32, device: &str, more: &[&str]) -> Run {
    let run = run(world, "sync", device, more);
    assert_eq!(run.code, Some(code), "{run:?}");
    run
}

#[track_caller]
fn sync(world: &World, device: &str, more: &[&str]) -> Value {
    let more: Vec<_> = more.iter().copied().chain(["--json"]).collect();
    sync_as(world, 0, device, &more).report()
}

#[test]
fn edits_by_plain_sql_reach_the_tables_of_the_other_device() {
    let world = pair(SCHEMA);
    shell(&world, "a", "INSERT INTO notes VALUES ('x', 'milk', 9007199254740993), ('y', 'old', 1)");
    shell(&world, "a", "INSERT INTO tags VALUES ('x', 'shop')");
    assert_eq!(sync(&world, "a", &BOTH)["pushed"], 3);
    assert_eq!(sync(&world, "b", &BOTH)["pulled"], 3);
    assert_eq!(shell(&world, "b", "SELECT * FROM notes"), "x|milk|9007199254740993\ny|old|1");
    assert_eq!(shell(&world, "b", "SELECT * FROM tags"), "x|shop");

    shell(&world, "b", "UPDATE notes SET text = 'bread' WHERE id = 'x'; DELETE FROM tags");
    shell(&world, "b", "DELETE FROM notes WHERE id = 'y'");
    sync(&world, "b", &BOTH);
    let report = sync(&world, "a", &BOTH);
    assert_eq!((&report["pulled"], &report["deleted"]), (&1.into(), &2.into()), "{report}");
    assert_eq!(shell(&world, "a", "SELECT id, text FROM notes"), "x|bread");
    assert_eq!(shell(&world, "a", "SELECT * FROM tags"), "");
    let idle = sync(&world, "a", &BOTH);
    assert_eq!(idle["requests"]["get"], 2, "{idle}");
}

#[test]
fn all_tables_leaves_out_what_is_none_and_says_so() {
    let world = pair(&format!(
        "{SCHEMA} CREATE TABLE loose (text); CREATE VIEW short AS SELECT id FROM notes;
         CREATE VIRTUAL TABLE search USING fts5 (text);"
    ));
    shell(
        &world,
        "a",
        "INSERT INTO notes VALUES ('x', 'milk', 1); INSERT INTO tags VALUES ('x', 'y')",
    );
    shell(&world, "a", "INSERT INTO search VALUES ('milk'); INSERT INTO loose VALUES (1)");
    let run = sync_as(&world, 0, "a", &["--all-tables"]);
    assert!(run.stdout.contains("2 pushed"), "{run:?}");
    for line in [
        "left out: \"loose\": it has no primary key",
        "left out: \"short\": it is a view",
        "left out: \"search\": it is a virtual table",
        "left out: \"search_data\": it belongs to a virtual table",
    ] {
        assert!(run.stderr.contains(line), "{line}: {run:?}");
    }
    assert!(!run.stderr.contains("db_to_cloud_"), "{run:?}");
    assert!(!sync_as(&world, 0, "a", &["--all-tables"]).stderr.contains("db_to_cloud_"));
    sync_as(&world, 0, "b", &["--all-tables"]);
    assert_eq!(shell(&world, "b", "SELECT text FROM notes"), "milk");
    assert_eq!(shell(&world, "b", "SELECT count(*) FROM loose"), "0");
}

#[test]
fn a_conflict_waits_with_both_versions_until_the_user_decides() {
    for (how, winner) in [("local", "here"), ("remote", "there")] {
        let world = pair(SCHEMA);
        shell(&world, "a", "INSERT INTO notes VALUES ('x', 'first', 1)");
        sync(&world, "a", &NOTES);
        sync(&world, "b", &NOTES);
        shell(&world, "a", "UPDATE notes SET text = 'there'");
        shell(
            &world,
            "b",
            "UPDATE notes SET text = 'here'; INSERT INTO notes VALUES ('y', 'z', 1)",
        );
        sync(&world, "a", &NOTES);

        let run = sync_as(&world, 3, "b", &NOTES);
        assert!(run.stdout.contains("1 pushed"), "the other row goes its way: {run:?}");
        assert!(run.stderr.contains("not synced: [\"notes\",\"x\"]: in conflict"), "{run:?}");
        assert!(run.stderr.contains("--on-conflict"), "{run:?}");
        assert_eq!(shell(&world, "b", "SELECT text FROM notes WHERE id = 'x'"), "here");
        sync(&world, "a", &NOTES);
        assert_eq!(shell(&world, "a", "SELECT text FROM notes WHERE id = 'x'"), "there");

        sync(&world, "b", &[&NOTES[..], &["--on-conflict", how]].concat());
        sync(&world, "a", &NOTES);
        for device in ["a", "b"] {
            let text = shell(&world, device, "SELECT text FROM notes WHERE id = 'x'");
            assert_eq!(text, winner, "{how} on {device}");
        }
    }
}

#[test]
fn rows_of_a_table_that_is_not_there_yet_are_held() {
    let world = pair("CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)");
    shell(
        &world,
        "a",
        "CREATE TABLE tags (tag TEXT PRIMARY KEY); INSERT INTO tags VALUES ('shop')",
    );
    sync(&world, "a", &BOTH);
    let run = sync_as(&world, 0, "b", &NOTES);
    assert!(run.stderr.contains("held, and no rows here yet: 1 of the table \"tags\""), "{run:?}");
    let waiting = &sync(&world, "b", &NOTES)["waiting"];
    assert_eq!([&waiting[0]["table"], &waiting[0]["reason"]], ["tags", "no-table"], "{waiting}");
    shell(&world, "b", "CREATE TABLE tags (tag TEXT PRIMARY KEY)");
    let run = sync_as(&world, 0, "b", &BOTH);
    assert!(!run.stderr.contains("held"), "{run:?}");
    assert_eq!(shell(&world, "b", "SELECT * FROM tags"), "shop");
}

#[test]
fn status_and_a_dry_run_tell_what_a_sync_would_do() {
    let world = pair(SCHEMA);
    shell(&world, "a", "INSERT INTO notes VALUES ('x', 'milk', 1)");
    let dry = sync_as(&world, 0, "a", &[&NOTES[..], &["--dry-run"]].concat());
    assert!(dry.stdout.contains("push          [\"notes\",\"x\"]"), "{dry:?}");
    assert!(!world.exists("cloud"), "nothing was made");
    sync(&world, "a", &NOTES);
    shell(&world, "a", "UPDATE notes SET size = 2");
    let status = run(&world, "status", "a", &["--table", "notes", "--json"]).report();
    assert_eq!((&status["push"], &status["documents"]), (&1.into(), &1.into()), "{status}");
    assert!(status["database"].as_str().unwrap().ends_with("a/notes.db"), "{status}");
}

#[test]
fn a_look_before_the_first_sync_leaves_the_file_as_it_is() {
    let world = pair(SCHEMA);
    shell(&world, "a", "INSERT INTO notes VALUES ('1', 'x', 1)");
    let before = std::fs::read(path(&world, "a")).unwrap();
    let status = run(&world, "status", "a", &[&NOTES[..], &["--json"]].concat()).report();
    assert_eq!([&status["push"], &status["exists"]], [&Value::from(1), &Value::from(false)]);
    run(&world, "sync", "a", &[&NOTES[..], &["--dry-run"]].concat());
    let refused = run(&world, "sync", "a", &["--table", "DB_TO_CLOUD_remotes"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(refused.stderr.contains("those of db-to-cloud itself"), "{refused:?}");
    run(&world, "sync", "a", &["--table", "nope"]);
    assert!(std::fs::read(path(&world, "a")).unwrap() == before);
    assert_eq!(std::fs::read_dir(world.path("a")).unwrap().count(), 1, "no lock, no journal");
}

#[test]
fn a_row_whose_parent_is_on_no_device_is_named_at_each_sync() {
    let world = pair(
        "CREATE TABLE users (id TEXT PRIMARY KEY);
        CREATE TABLE posts (id TEXT PRIMARY KEY, user TEXT REFERENCES users (id))",
    );
    let both = ["--table", "users", "--table", "posts"];
    shell(
        &world,
        "a",
        "INSERT INTO users VALUES ('u'); INSERT INTO posts VALUES ('p', 'u'), ('q', 'ghost')",
    );
    sync_as(&world, 0, "a", &both);
    for _ in 0..2 {
        let run = sync_as(&world, 3, "b", &both);
        assert!(run.stderr.contains("[\"posts\",\"q\"]: the row that it refers to"), "{run:?}");
    }
    let report = sync_as(&world, 3, "b", &[&both[..], &["--json"]].concat()).report();
    let waiting = &report["waiting"][0];
    assert_eq!(report["waiting_count"], 1);
    assert_eq!([&waiting["id"], &waiting["reason"]], ["[\"posts\",\"q\"]", "reference"]);
    assert_eq!(shell(&world, "b", "SELECT id FROM posts"), "p");
    shell(&world, "a", "INSERT INTO users VALUES ('ghost')");
    sync_as(&world, 0, "a", &both);
    sync_as(&world, 0, "b", &both);
    assert_eq!(shell(&world, "b", "SELECT id FROM posts ORDER BY 1"), "p\nq");
}

#[test]
fn detach_leaves_the_rows_and_nothing_else() {
    let world = pair(SCHEMA);
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'db_to_cloud%'";
    let detach = |more: &[&str]| world.run(["detach", "b/notes.db"].iter().chain(more));
    assert!(detach(&[]).stdout.contains("not synced"));
    shell(&world, "a", "INSERT INTO notes VALUES ('x', 'milk', 1)");
    sync(&world, "a", &NOTES);
    sync(&world, "b", &NOTES);
    shell(&world, "b", "UPDATE notes SET text = 'bread'");
    let run = detach(&[]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("edits that were not synced yet: 1"), "{run:?}");
    assert_ne!(shell(&world, "b", ours), "0");

    sync(&world, "b", &NOTES);
    let run = detach(&[]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(shell(&world, "b", ours), "0");
    assert_eq!(shell(&world, "b", "SELECT text FROM notes"), "bread");

    shell(&world, "a", "UPDATE notes SET text = 'unsynced'");
    assert_eq!(world.run(["detach", "a/notes.db", "--yes"]).code, Some(0));
    assert_eq!(shell(&world, "a", ours), "0");
    assert_eq!(shell(&world, "a", "SELECT text FROM notes"), "unsynced");
}
