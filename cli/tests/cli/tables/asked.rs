//! What a person is asked of rows.

use super::{NOTES, SCHEMA, pair, shell, sync};
use crate::terminal::Terminal;
use crate::world::World;

/// Both have edited the row; `a` has synced its edit.
fn disputed() -> World {
    let world = pair(SCHEMA);
    shell(&world, "a", "INSERT INTO notes VALUES ('x', 'first', 1)");
    sync(&world, "a", &NOTES);
    sync(&world, "b", &NOTES);
    shell(&world, "a", "UPDATE notes SET text = 'from a'");
    shell(&world, "b", "UPDATE notes SET text = 'from b'");
    sync(&world, "a", &NOTES);
    world
}

#[test]
fn a_person_sees_both_versions_of_a_row_and_decides() {
    let world = disputed();
    let line = ["sync", "b/notes.db", "cloud", "--table", "notes", "--on-conflict", "ask"];
    let mut terminal = Terminal::run(&mut world.command(line));
    terminal.wait_for("{\"size\":1,\"text\":\"from b\"}");
    terminal.wait_for("{\"size\":1,\"text\":\"from a\"}");
    // Not `[b]oth`.
    terminal.wait_for("keep [l]ocal, [r]emote, or decide [L]ater? ");
    terminal.type_in("remote\n");
    assert!(terminal.end().success());
    assert_eq!(shell(&world, "b", "SELECT text FROM notes"), "from a");
}

#[test]
fn an_edit_against_a_delete_waits_too() {
    let world = disputed();
    shell(&world, "b", "DELETE FROM notes");
    assert_eq!(super::sync_as(&world, 3, "b", &NOTES).code, Some(3));
    assert_eq!(shell(&world, "b", "SELECT count(*) FROM notes"), "0");
    sync(&world, "b", &["--table", "notes", "--on-conflict", "remote"]);
    assert_eq!(shell(&world, "b", "SELECT text FROM notes"), "from a");
}

#[test]
fn detaching_with_unsynced_edits_is_asked_for() {
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'db_to_cloud%'";
    let world = disputed();
    let detach = |answer| {
        let mut terminal = Terminal::run(&mut world.command(["detach", "b/notes.db"]));
        terminal.wait_for("edits that were not synced yet: 1. Detach all the same? [y/N] ");
        terminal.type_in(answer);
        terminal.end().code()
    };
    assert_eq!(detach("\n"), Some(1));
    assert_ne!(shell(&world, "b", ours), "0");
    assert_eq!(detach("y\n"), Some(0));
    assert_eq!(shell(&world, "b", ours), "0");
}
