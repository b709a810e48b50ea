//! Both devices changed one file.

use crate::world::World;

/// Both have `note`; then `a` has synced its edit and `b` has another.
fn in_conflict() -> World {
    let world = World::new(&["a", "b"]);
    world.write("a/note.md", "base");
    world.sync("a");
    world.sync("b");
    world.write("a/note.md", "by a");
    world.write("b/note.md", "by b");
    world.sync("a");
    world
}

/// `a` has synced an edit, and `b` has deleted; or the other way round.
fn edit_against_delete(editor: &str) -> World {
    let world = World::new(&["a", "b"]);
    world.write("a/note.md", "base");
    world.write("a/other", "other");
    world.sync("a");
    world.sync("b");
    let other = if editor == "a" { "b" } else { "a" };
    world.write(&format!("{editor}/note.md"), "edited");
    world.remove(&format!("{other}/note.md"));
    world.sync("a");
    world
}

#[track_caller]
fn converged(world: &World) {
    world.sync("a");
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
fn both_versions_are_kept_and_the_devices_agree() {
    let world = in_conflict();
    let run = world.sync_as(3, "b", &[]);
    assert!(run.stderr.contains("kept both: this device's is note (conflict of b 2"), "{run:?}");
    assert_eq!(world.read("b/note.md"), "by a", "the version of the storage keeps the name");
    converged(&world);
    let names = world.names("a");
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].starts_with("note (conflict of b 2"), "{names:?}");
    assert!(names[0].ends_with(").md"), "{names:?}");
    assert_eq!(world.read(&format!("a/{}", names[0])), "by b");
}

#[test]
fn two_conflicts_of_one_second_make_two_copies() {
    let world = in_conflict();
    world.write_dated("b/note.md", "by b", 1_700_000_000);
    world.sync_as(3, "b", &[]);
    converged(&world);
    world.write("a/note.md", "by a again");
    world.write_dated("b/note.md", "by b again", 1_700_000_000);
    world.sync("a");
    world.sync_as(3, "b", &[]);
    converged(&world);
    let contents: Vec<_> = world.tree("a").into_values().collect();
    let names = world.names("a");
    assert_eq!(
        names[..2],
        [
            "note (conflict of b 2 2023-11-14 22-13-20).md",
            "note (conflict of b 2023-11-14 22-13-20).md",
        ]
    );
    assert_eq!(contents.len(), 3, "{names:?}");
    for content in ["by b", "by b again", "by a again"] {
        assert!(contents.contains(&content.into()), "{content}");
    }
}

#[test]
fn equal_edits_are_no_conflict() {
    let world = in_conflict();
    world.write("b/note.md", "by a");
    world.sync("b");
    assert_eq!(world.names("b"), ["note.md"]);
}

#[test]
fn this_device_or_the_storage_may_win() {
    for (how, wins) in [("local", "by b"), ("remote", "by a")] {
        let world = in_conflict();
        world.sync_as(0, "b", &["--on-conflict", how]);
        converged(&world);
        assert_eq!(world.names("a"), ["note.md"]);
        assert_eq!(world.read("a/note.md"), wins);
    }
}

#[test]
fn the_newest_wins_if_the_clocks_say_so() {
    // The third is of the year 2318, which is more nanoseconds than a number may hold.
    let times =
        [(4_000_000_000, "by b"), (1_000_000_000, "by a"), (11_000_000_000, "by b"), (0, "by a")];
    for (seconds, wins) in times {
        let world = in_conflict();
        world.write_dated("b/note.md", "by b", seconds);
        world.sync_as(0, "b", &["--on-conflict", "newest"]);
        converged(&world);
        assert_eq!(world.names("a"), ["note.md"]);
        assert_eq!(world.read("a/note.md"), wins);
    }
}

#[test]
fn an_edit_survives_a_delete_unless_a_side_wins_outright() {
    for how in ["keep-both", "newest"] {
        for editor in ["a", "b"] {
            let world = edit_against_delete(editor);
            world.sync_as(0, "b", &["--on-conflict", how]);
            converged(&world);
            assert_eq!(world.read("a/note.md"), "edited", "{how}, edited on {editor}");
        }
    }
    for (how, editor, survives) in
        [("local", "a", false), ("local", "b", true), ("remote", "a", true), ("remote", "b", false)]
    {
        let world = edit_against_delete(editor);
        world.sync_as(0, "b", &["--on-conflict", how]);
        converged(&world);
        assert_eq!(world.exists("a/note.md"), survives, "{how} wins, edited on {editor}");
    }
}
