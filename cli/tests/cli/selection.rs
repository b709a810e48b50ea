//! A device that syncs a part of the files (rules C8 and C9).

use db_to_cloud_test_servers::sqlite3;

use crate::world::World;

fn two() -> World {
    let world = World::new(&["laptop", "phone"]);
    world.write("laptop/docs/a.md", "a");
    world.write("laptop/docs/old/b.md", "b");
    world.write("laptop/photos/c.jpg", "c");
    world.sync("laptop");
    world
}

#[test]
fn c8_a_selection_is_kept_until_everything_is_synced_again() {
    let world = two();
    let run = world.sync_as(0, "phone", &["--only", "/docs", "--exclude", "old"]);
    assert_eq!(world.names("phone"), ["docs/a.md"]);
    let line = "this device syncs a selection: only /docs, but not old";
    assert!(run.stderr.contains(line), "{run:?}");
    assert!(run.stdout.contains("1 pulled, 0 pushed, 0 deleted, 2 left out"), "{run:?}");
    world.write("laptop/docs/new.md", "new");
    world.write("laptop/photos/new.jpg", "new");
    world.sync("laptop");
    let run = world.run(["sync", "phone", world.cloud(), "--json"]);
    assert!(run.stderr.contains(line), "{run:?}");
    let report = run.report();
    assert_eq!((&report["pulled"], &report["excluded"]), (&1.into(), &3.into()));
    let run = world.sync_as(0, "phone", &["--everything"]);
    assert!(!run.stderr.contains("selection"), "{run:?}");
    assert_eq!(world.tree("phone"), world.tree("laptop"));
    assert_eq!(world.report("phone", &[])["excluded"], 0);
}

#[test]
fn c8_files_that_are_removed_to_make_room_are_deleted_nowhere() {
    let world = two();
    world.sync("phone");
    world.sync_as(0, "phone", &["--exclude", "/photos"]);
    assert!(world.exists("phone/photos/c.jpg"), "it stays where it is");
    world.remove("phone/photos/c.jpg");
    world.write("phone/photos/own.jpg", "own");
    let report = world.report("phone", &[]);
    assert_eq!((&report["pushed"], &report["deleted"]), (&0.into(), &0.into()));
    world.sync("laptop");
    assert_eq!(world.names("laptop"), ["docs/a.md", "docs/old/b.md", "photos/c.jpg"]);
    world.sync_as(0, "phone", &["--everything"]);
    world.sync("laptop");
    assert_eq!(world.tree("phone"), world.tree("laptop"));
    assert!(world.exists("laptop/photos/own.jpg"));
}

#[test]
fn c8_a_dry_run_uses_a_selection_and_does_not_keep_it() {
    let world = two();
    let run = world.sync_as(0, "phone", &["--dry-run", "--only", "/docs"]);
    assert!(run.stderr.contains("a selection: only /docs"), "{run:?}");
    assert!(run.stdout.contains("pull 2") && run.stdout.contains("leave out 1"), "{run:?}");
    assert!(!run.stdout.contains("photos"), "{run:?}");
    let preview =
        world.run(["sync", "phone", world.cloud(), "--dry-run", "--json", "--only", "/docs"]);
    assert_eq!(preview.report()["excluded"], 1);
    assert!(!world.sync_as(0, "phone", &["--dry-run"]).stdout.contains("leave out"));
    world.sync_as(0, "phone", &["--exclude", "docs"]);
    let run = world.sync_as(0, "phone", &["--dry-run", "--everything"]);
    assert!(run.stdout.contains("pull 2"), "{run:?}");
    assert_eq!(world.report("phone", &[])["excluded"], 2);
}

#[test]
fn c8_status_shows_the_selection() {
    let world = two();
    let json = || world.run(["status", "phone", world.cloud(), "--json"]).report();
    assert_eq!((&json()["selection"], &json()["excluded"]), (&serde_json::Value::Null, &0.into()));
    world.sync_as(0, "phone", &["--only", "/docs"]);
    assert_eq!(json()["selection"], serde_json::json!({"only": ["/docs"], "exclude": []}));
    assert_eq!((&json()["excluded"], &json()["pending"]), (&1.into(), &0.into()));
    let run = world.run(["status", "phone", world.cloud()]);
    let line = "selection  only /docs; a sync leaves out 1 documents";
    assert!(run.stdout.contains(line), "{run:?}");
    world.write("phone/photos/own.jpg", "own");
    let run = world.run(["status", "phone", world.cloud(), "--ignored"]);
    assert!(run.stdout.contains("photos: not in the selection of this device"), "{run:?}");
}

#[test]
fn c8_a_pattern_that_cannot_be_understood_changes_nothing() {
    let world = two();
    for pattern in ["a[", "../photos", "# docs", ""] {
        let run = world.sync_as(2, "phone", &["--only", "/docs", "--exclude", pattern]);
        assert!(run.stderr.contains(pattern) && run.stderr.contains("--exclude"), "{run:?}");
    }
    world.sync_as(2, "phone", &["--only", "/docs", "--everything"]);
    assert!(!world.exists("phone/.db-to-cloud"));
    world.sync_as(0, "phone", &["--exclude", "photos"]);
    world.sync_as(2, "phone", &["--only", "a["]);
    assert_eq!(world.report("phone", &[])["excluded"], 1);
}

#[test]
fn c8_a_damaged_selection_is_not_everything() {
    let world = two();
    world.sync_as(0, "phone", &["--only", "/docs"]);
    world.write("phone/.db-to-cloud/selection.json", "{\"format\":1");
    let run = world.sync_as(1, "phone", &[]);
    assert!(run.stderr.contains("selection.json"), "{run:?}");
    assert!(!world.exists("phone/photos"));
    world.sync_as(0, "phone", &["--only", "/docs"]);
    world.write("phone/.db-to-cloud/selection.json", "[]");
    world.sync_as(0, "phone", &["--everything"]);
    assert!(world.exists("phone/photos/c.jpg"));
}

#[test]
fn c8_tables_have_no_selection() {
    let world = two();
    sqlite3(&world.path("notes.db"), "CREATE TABLE notes (id INTEGER PRIMARY KEY, text);");
    for more in [&["--only", "x"][..], &["--exclude", "x"], &["--everything"]] {
        for dry in [&["--dry-run"][..], &[]] {
            let line = ["sync", "notes.db", "elsewhere", "--table", "notes"];
            let run = world.run(line.iter().chain(more).chain(dry));
            assert_eq!(run.code, Some(2), "{run:?}");
            assert!(run.stderr.contains("--only"), "{run:?}");
        }
    }
    assert!(!world.exists("elsewhere"));
}
