//! What makes no sense is said to make none.

use super::{SCHEMA, pair, run, shell};
use crate::world::World;

#[track_caller]
fn refused(world: &World, code: i32, device: &str, more: &[&str], why: &[&str]) {
    let run = run(world, "sync", device, more);
    assert_eq!(run.code, Some(code), "{run:?}");
    assert_eq!(run.stdout, "");
    for why in why {
        assert!(run.stderr.contains(why), "{why}: {run:?}");
    }
    assert!(!world.exists("cloud"), "no storage is made");
}

#[test]
fn tables_must_be_named_and_be_there() {
    let world = pair(SCHEMA);
    let ours = "SELECT count(*) FROM sqlite_schema WHERE name LIKE 'db_to_cloud%'";
    refused(&world, 2, "a", &[], &["[\"notes\", \"tags\"]", "--table \"notes\"", "--all-tables"]);
    assert_eq!(shell(&world, "a", ours), "0", "nothing was made in the file");
    refused(&world, 1, "a", &["--table", "nots"], &["\"nots\"", "no such table", "hint: "]);
    refused(&world, 2, "a", &["--all-tables", "--table", "notes"], &["cannot be used with"]);
    for how in ["keep-both", "newest"] {
        refused(&world, 2, "a", &["--table", "notes", "--on-conflict", how], &["choose local"]);
    }
    shell(&world, "b", "DROP TABLE notes; DROP TABLE tags");
    refused(&world, 1, "b", &["--all-tables"], &["no table in", "on the other devices"]);
    refused(&world, 1, "b", &[], &["no table in"]);
}

#[test]
fn a_folder_has_no_tables_and_a_missing_file_is_not_an_empty_one() {
    let world = World::new(&["a"]);
    let run = world.run(["sync", "a", "cloud", "--table", "notes"]);
    assert_eq!(run.code, Some(2), "{run:?}");
    assert!(run.stderr.contains("is a folder and has no tables"), "{run:?}");
    refused(&world, 1, "a", &["--table", "notes"], &["does not exist", "with the same tables"]);
    world.write("a/notes.db", "this is a long text and no database");
    refused(&world, 1, "a", &["--table", "notes"], &["not a SQLite database"]);
    assert_eq!(world.read("a/notes.db"), "this is a long text and no database");
    assert_eq!(world.run(["detach", "a"]).code, Some(2));
    assert_eq!(world.run(["detach", "a/notes.db"]).code, Some(1));
}
