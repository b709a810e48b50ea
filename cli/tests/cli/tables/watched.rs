//! `sync --watch` of tables.

use std::fs;

use super::{NOTES, SCHEMA, pair, shell};
use crate::watching::watcher::{Watcher, until};

#[test]
fn edits_of_other_programs_are_synced_while_both_watch() {
    let world = pair(SCHEMA);
    let watch = |device: &str| {
        let database = format!("{device}/notes.db");
        let watcher = Watcher::start(&world, &database, &NOTES);
        assert_eq!(watcher.lines()[0]["event"], "synced");
        watcher
    };
    let (_a, _b) = (watch("a"), watch("b"));
    shell(&world, "a", "INSERT INTO notes VALUES ('x', 'milk', 1)");
    until("the row on b", || shell(&world, "b", "SELECT text FROM notes") == "milk");
    shell(&world, "b", "UPDATE notes SET text = 'bread'");
    until("the edit on a", || shell(&world, "a", "SELECT text FROM notes") == "bread");
    shell(&world, "a", "DELETE FROM notes");
    until("the delete on b", || shell(&world, "b", "SELECT count(*) FROM notes") == "0");
}

#[test]
fn a_database_that_is_detached_or_replaced_is_not_watched_in_silence() {
    let world = pair(SCHEMA);
    let mut watcher = Watcher::start(&world, "a/notes.db", &NOTES);
    assert_eq!(world.run(["detach", "a/notes.db", "--yes"]).code, Some(0));
    assert_eq!(watcher.end(), Some(1));
    assert!(watcher.told().contains("was detached, removed or replaced"), "{}", watcher.told());

    let mut watcher = Watcher::start(&world, "b/notes.db", &NOTES);
    fs::copy(world.path("b/notes.db"), world.path("b/backup.db")).unwrap();
    fs::rename(world.path("b/backup.db"), world.path("b/notes.db")).unwrap();
    assert_eq!(watcher.end(), Some(1));
}
