//! One storage at several addresses (rule C6), and states that an earlier release wrote.

use std::fs;
use std::path::Path;

use db_to_cloud_test_servers::sqlite3;

use crate::world::{Run, World};

#[track_caller]
fn run(world: &World, code: i32, arguments: &[&str]) -> Run {
    let run = world.run(arguments);
    assert_eq!(run.code, Some(code), "{run:?}");
    run
}

/// What a sync with `--json` reports of documents.
#[track_caller]
fn moved(world: &World, arguments: &[&str]) -> [u64; 4] {
    let all: Vec<_> = ["sync"].iter().chain(arguments).chain(&["--json"]).copied().collect();
    let report = run(world, 0, &all).report();
    ["pulled", "deleted", "pushed", "conflicts"].map(|count| report[count].as_u64().unwrap())
}

#[track_caller]
fn rename(world: &World, from: &str, to: &str) {
    fs::rename(world.path(from), world.path(to)).unwrap();
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        match entry.file_type().unwrap().is_dir() {
            true => copy(&entry.path(), &to),
            false => drop(fs::copy(entry.path(), to).unwrap()),
        }
    }
}

/// A device and its storage as an earlier release left them; `state` is the file with the state.
pub(crate) fn left(name: &str, state: &str) -> World {
    let world = World::new(&[]);
    let fixture = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/states").join(name);
    copy(&fixture, &world.path("."));
    if state == STATE {
        fs::create_dir(world.path("folder/.db-to-cloud")).unwrap();
        rename(&world, "state.sqlite", state);
    }
    let (old, new) = (format!("/old/{name}"), world.path("cloud"));
    let new = new.parent().unwrap().display();
    let sql = format!("UPDATE db_to_cloud_remotes SET name = replace(name, '{old}', '{new}')");
    sqlite3(&world.path(state), &sql);
    world
}

const STATE: &str = "folder/.db-to-cloud/state.sqlite";

#[test]
fn c6_a_storage_that_moved_is_recognised() {
    let world = World::new(&["a", "b"]);
    for name in ["kept", "edited", "deleted"] {
        world.write(&format!("a/{name}"), name);
    }
    run(&world, 0, &["sync", "a", "cloud"]);
    run(&world, 0, &["sync", "b", "cloud"]);
    world.remove("b/deleted");
    world.write("b/edited", "by b");
    rename(&world, "cloud", "moved");
    assert_eq!(moved(&world, &["b", "moved"]), [0, 0, 2, 0]);
    world.write("a/kept", "by a");
    // A look at it does not change what is found there.
    let status = run(&world, 0, &["status", "a", "moved", "--json"]).report();
    assert_eq!([&status["pull"], &status["delete"], &status["push"]], [1, 1, 1]);
    assert_eq!(moved(&world, &["a", "moved"]), [1, 1, 1, 0]);
    let status = run(&world, 0, &["status", "a", "moved", "--json"]).report();
    assert_eq!([&status["version"], &status["documents"]], [3, 2]);
    run(&world, 0, &["unlock", "moved"]);
    rename(&world, "moved", "cloud");
    assert_eq!(moved(&world, &["a", "cloud"]), [0, 0, 0, 0]);
    assert_eq!(moved(&world, &["b", "cloud"]), [1, 0, 0, 0]);
    assert_eq!(world.tree("a"), world.tree("b"));
    // It is not taken for a new one where it was last.
    rename(&world, "cloud", "elsewhere");
    for address in ["cloud", "moved"] {
        let gone = world.run(["sync", "a", address]);
        assert_ne!(gone.code, Some(0), "{gone:?}");
    }
}

#[test]
fn c6_tables_meet_a_storage_that_moved() {
    let world = World::new(&[]);
    let notes = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT);";
    for (file, rows) in [("a.db", "INSERT INTO notes VALUES ('1', 'x'), ('2', 'y');"), ("b.db", "")]
    {
        sqlite3(&world.path(file), &format!("{notes} {rows}"));
        run(&world, 0, &["sync", file, "cloud", "--table", "notes"]);
    }
    sqlite3(&world.path("b.db"), "DELETE FROM notes WHERE id = '1'");
    sqlite3(&world.path("a.db"), "UPDATE notes SET text = 'by a' WHERE id = '2'");
    run(&world, 0, &["sync", "b.db", "cloud", "--table", "notes"]);
    rename(&world, "cloud", "moved");
    assert_eq!(moved(&world, &["a.db", "moved", "--table", "notes"]), [0, 1, 1, 0]);
    sqlite3(&world.path("a.db"), "INSERT INTO notes VALUES ('3', 'z')");
    assert_eq!(moved(&world, &["a.db", "moved", "--table", "notes"]), [0, 0, 1, 0]);
    assert_eq!(moved(&world, &["b.db", "moved", "--table", "notes"]), [2, 0, 0, 0]);
    // Each edit is queued once, for the one state that both addresses lead to.
    sqlite3(&world.path("a.db"), "INSERT INTO notes VALUES ('4', '')");
    let refused = run(&world, 1, &["detach", "a.db"]);
    assert!(refused.stderr.contains("not synced yet: 1\n"), "{refused:?}");
    run(&world, 0, &["detach", "a.db", "--yes"]);
    assert_eq!(sqlite3(&world.path("a.db"), "SELECT count(*) FROM sqlite_schema").trim(), "2");
    assert_eq!(sqlite3(&world.path("a.db"), "SELECT count(*) FROM notes").trim(), "3");
}

/// Rule C6: another storage at the same address, and the first one again, with triggers that queue.
#[test]
fn c6_tables_go_on_with_a_storage_that_comes_back() {
    let world = World::new(&[]);
    let notes = "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT);";
    for (file, row) in [("a.db", "a"), ("b.db", "b")] {
        let rows = format!("{notes} INSERT INTO notes VALUES ('{row}', 'of {row}')");
        sqlite3(&world.path(file), &rows);
    }
    run(&world, 0, &["sync", "a.db", "cloud", "--table", "notes"]);
    run(&world, 0, &["sync", "b.db", "other", "--table", "notes"]);
    rename(&world, "cloud", "away");
    rename(&world, "other", "cloud");
    let accept = ["a.db", "cloud", "--table", "notes", "--accept-remote"];
    assert_eq!(moved(&world, &accept), [1, 0, 1, 0]);
    sqlite3(&world.path("a.db"), "UPDATE notes SET text = 'newer' WHERE id = 'a'");
    run(&world, 0, &["sync", "a.db", "cloud", "--table", "notes"]);
    rename(&world, "cloud", "other");
    rename(&world, "away", "cloud");
    // What came from the other storage and what was edited there go on to this one.
    assert_eq!(moved(&world, &["a.db", "cloud", "--table", "notes"]), [0, 0, 2, 0]);
    sqlite3(&world.path("c.db"), notes);
    assert_eq!(moved(&world, &["c.db", "cloud", "--table", "notes"]), [2, 0, 0, 0]);
    let all = "SELECT group_concat(text) FROM (SELECT text FROM notes ORDER BY id)";
    assert_eq!(sqlite3(&world.path("c.db"), all).trim(), "newer,of b");
}

#[test]
fn c6_a_state_of_an_earlier_release_goes_on() {
    let world = left("one", STATE);
    assert_eq!(moved(&world, &["folder", "cloud"]), [0, 0, 0, 0]);
    rename(&world, "cloud", "moved");
    world.write("folder/1.txt", "edited");
    assert_eq!(moved(&world, &["folder", "moved"]), [0, 0, 1, 0]);
    assert_eq!(world.names("folder"), ["1.txt", "2.txt", "3.txt"]);
}

#[test]
fn c6_two_states_of_one_storage_become_the_one_that_is_ahead() {
    for address in ["cloud", "moved"] {
        let world = left("two", STATE);
        if address == "moved" {
            rename(&world, "cloud", "moved");
        }
        world.write("folder/3.txt", "edited");
        assert_eq!(moved(&world, &["folder", address]), [0, 0, 1, 0], "{address}");
        assert_eq!(moved(&world, &["folder", address]), [0, 0, 0, 0], "{address}");
        assert_eq!(world.names("folder"), ["2.txt", "3.txt"]);
        assert_eq!(world.read("folder/2.txt"), "edited elsewhere\n");
        // Then the other address too.
        let other = if address == "cloud" { "moved" } else { "cloud" };
        rename(&world, address, other);
        assert_eq!(moved(&world, &["folder", other]), [0, 0, 0, 0], "{other}");
        assert_eq!(world.names("folder"), ["2.txt", "3.txt"]);
    }
}

#[test]
fn c6_rows_of_an_earlier_release_become_those_of_the_state_that_is_ahead() {
    let world = left("rows", "app.db");
    sqlite3(&world.path("app.db"), "UPDATE notes SET text = 'edited' WHERE id = '3'");
    let arguments = ["app.db", "cloud", "--table", "notes"];
    assert_eq!(moved(&world, &arguments), [0, 0, 1, 0]);
    assert_eq!(moved(&world, &arguments), [0, 0, 0, 0]);
    let all = "SELECT group_concat(text) FROM (SELECT text FROM notes ORDER BY id)";
    assert_eq!(sqlite3(&world.path("app.db"), all).trim(), "edited elsewhere,edited");
    sqlite3(&world.path("new.db"), "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT)");
    assert_eq!(moved(&world, &["new.db", "cloud", "--table", "notes"]), [2, 0, 0, 0]);
}
