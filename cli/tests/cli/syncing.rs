//! Two folders and one cloud.

use std::fs;
use std::thread;

use crate::world::World;

#[test]
fn edits_renames_and_deletes_reach_the_other_device() {
    let world = World::new(&["a", "b"]);
    world.write("a/notes/todo.md", "buy milk");
    world.write("a/old.txt", "old");
    world.write("a/rename me.txt", "content");
    let run = world.sync("a");
    assert!(
        run.stdout.starts_with("synced: 0 pulled, 3 pushed, 0 deleted, version 1 ("),
        "{run:?}"
    );
    assert_eq!(run.stdout.lines().count(), 1);
    let new = "there was no storage in this place: a new one was begun\n";
    assert_eq!(run.stderr, new, "no progress bar in a pipe");
    let run = world.sync("b");
    assert!(
        run.stdout.starts_with("synced: 3 pulled, 0 pushed, 0 deleted, version 1 ("),
        "{run:?}"
    );
    assert_eq!(world.tree("a"), world.tree("b"));

    world.write("b/notes/todo.md", "buy milk and bread");
    world.remove("b/old.txt");
    fs::rename(world.path("b/rename me.txt"), world.path("b/notes/renamed.txt")).unwrap();
    world.sync("b");
    let run = world.sync("a");
    assert!(
        run.stdout.starts_with("synced: 2 pulled, 0 pushed, 2 deleted, version 2 ("),
        "{run:?}"
    );
    assert_eq!(world.names("a"), ["notes/renamed.txt", "notes/todo.md"]);
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
fn any_content_and_any_name_is_synced() {
    let world = World::new(&["a", "b"]);
    let binary: Vec<u8> = (0..300_000u32).map(|i| (i.wrapping_mul(i) >> 7) as u8).collect();
    world.write("a/binary", &binary);
    world.write("a/empty", "");
    world.write("a/.hidden/ünï cödé/日本 語.txt", "x");
    world.write("a/back\\slash \"quotes\" 'n' $x; *.txt", "y");
    world.write("a/line\nbreak", "z");
    world.sync("a");
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
    assert_eq!(world.tree("b")["binary"], binary);
    world.write("a/binary", &binary[1..]);
    world.write("a/empty", "no more");
    world.sync("a");
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
fn a_sync_with_nothing_to_do_does_nothing() {
    let world = World::new(&["a"]);
    world.write("a/x", "x");
    world.sync("a");
    let report = world.report("a", &[]);
    assert_eq!(report["requests"]["get"].as_u64().unwrap(), 2, "{report}");
    for kind in ["put", "create", "delete", "list"] {
        assert_eq!(report["requests"][kind], 0, "{report}");
    }
}

#[test]
fn a_database_begins_empty_and_a_full_one_may_join() {
    let world = World::new(&["a", "b", "c"]);
    world.sync("a");
    world.write("b/from b", "b");
    world.write("b/same", "same");
    world.sync("b");
    world.write("c/from c", "c");
    world.write("c/same", "same");
    world.sync("c");
    world.sync("b");
    world.sync("a");
    assert_eq!(world.names("a"), ["from b", "from c", "same"]);
    assert_eq!(world.tree("a"), world.tree("b"));
    assert_eq!(world.tree("a"), world.tree("c"));
}

#[test]
fn many_devices_may_sync_at_once() {
    let names = ["a", "b", "c", "d", "e"];
    let world = World::new(&names);
    thread::scope(|scope| {
        for name in names {
            let world = &world;
            scope.spawn(move || {
                for round in 0..3 {
                    world.write(&format!("{name}/{name}-{round}"), format!("{name} {round}"));
                    world.sync(name);
                }
            });
        }
    });
    names.iter().for_each(|name| drop(world.sync(name)));
    assert_eq!(world.names("a").len(), 15);
    names.iter().for_each(|name| assert_eq!(world.tree(name), world.tree("a")));
}

#[test]
fn a_document_that_cannot_be_written_is_reported_and_the_others_are_synced() {
    let world = World::new(&["a", "b"]);
    world.write("a/name", "a file here");
    world.write("a/other", "other");
    world.sync("a");
    fs::create_dir(world.path("b/name")).unwrap();
    world.write("b/name/inner", "a folder there");
    let run = world.sync_as(3, "b", &[]);
    assert!(run.stderr.contains("not synced: name: cannot be written here"), "{run:?}");
    assert!(run.stderr.contains("hint: "), "{run:?}");
    assert_eq!(world.read("b/other"), "other");
    assert_eq!(world.report("b", &[])["deferred"], 1);

    fs::rename(world.path("b/name"), world.path("b/renamed")).unwrap();
    world.sync("b");
    world.sync("a");
    assert_eq!(world.names("a"), ["name", "other", "renamed/inner"]);
    assert_eq!(world.tree("a"), world.tree("b"));
}
