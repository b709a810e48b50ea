//! A file with tables that an earlier release synced, and that left columns with their default out of
//! documents.

use db_to_cloud_test_servers::sqlite3;

use crate::addresses::left;
use crate::world::World;

const TABLES: [&str; 4] = ["--table", "notes", "--table", "tags"];

#[track_caller]
fn sync(world: &World, database: &str) -> [u64; 3] {
    let run = world.run([&["sync", database, "cloud", "--json"], &TABLES[..]].concat());
    assert_eq!(run.code, Some(0), "{run:?}");
    let report = run.report();
    ["pulled", "deleted", "pushed"].map(|count| report[count].as_u64().unwrap())
}

#[test]
fn a_file_of_an_earlier_release_goes_on_without_an_edit_of_a_row_that_nobody_edited() {
    let world = left("columns", "app.db");
    let app = world.path("app.db");
    assert_eq!(sync(&world, "app.db"), [0, 0, 2], "the edit and the delete that were queued");
    assert_eq!(sync(&world, "app.db"), [0, 0, 0]);
    sqlite3(&app, "DROP INDEX mails; ALTER TABLE notes DROP COLUMN mail");
    assert_eq!(sync(&world, "app.db"), [0, 0, 0]);
    let other = world.path("other.db");
    sqlite3(
        &other,
        "CREATE TABLE notes (id TEXT PRIMARY KEY, text TEXT, size TEXT DEFAULT 'L', color TEXT);
        CREATE TABLE tags (id TEXT PRIMARY KEY, name TEXT UNIQUE)",
    );
    assert_eq!(sync(&world, "other.db"), [4, 0, 0]);
    let rows = sqlite3(&other, "SELECT * FROM notes ORDER BY 1; SELECT * FROM tags");
    assert_eq!(rows, "a|soup|M|\nb|oats|S|\nc|tea|M|blue\nx|red");
    sqlite3(
        &app,
        "UPDATE notes SET size = 'M' WHERE id = 'b'; UPDATE notes SET text = 'coffee' WHERE id = 'c'",
    );
    sync(&world, "app.db");
    sync(&world, "other.db");
    let rows = sqlite3(&other, "SELECT * FROM notes ORDER BY 1");
    assert_eq!(rows, "a|soup|M|\nb|oats|M|\nc|coffee|M|blue");
}
