//! Which storage is meant.

use std::fs;
use std::os::unix::fs::symlink;

use crate::world::{Run, World};

#[track_caller]
fn sync_with(world: &World, code: i32, database: &str, remote: &str) -> Run {
    let run = world.run(["sync", database, remote]);
    assert_eq!(run.code, Some(code), "{run:?}");
    run
}

#[test]
fn all_ways_to_name_a_folder_name_one_storage() {
    let world = World::new(&["a b", "parent"]);
    symlink(world.path("a b"), world.path("link to a")).unwrap();
    world.write("a b/x", "x");
    sync_with(&world, 0, "a b/", "./parent/my cloud ü/");
    symlink(world.path("parent/my cloud ü"), world.path("link")).unwrap();
    let absolute = world.path("parent/my cloud ü").display().to_string();
    let url = format!("file://{}", absolute.replace(' ', "%20").replace('ü', "%C3%BC"));
    for way in [&*absolute, &url, "link", "parent/../parent/my cloud ü", "a b/../link/"] {
        for database in ["a b", "./a b/.", "link to a"] {
            let run = sync_with(&world, 0, database, way);
            // Another name would have another state, which knows of no version.
            assert!(run.stdout.starts_with("synced: 0 pulled, 0 pushed"), "{way}: {run:?}");
            let report = world.run(["sync", database, way, "--json"]).stdout;
            assert!(report.contains(r#""get":2,"#), "{way}: {report}");
        }
    }
}

#[test]
fn a_database_may_have_several_storages() {
    let world = World::new(&["a", "b"]);
    world.write("a/x", "x");
    sync_with(&world, 0, "a", "one");
    sync_with(&world, 0, "a", "two");
    world.write("b/y", "y");
    sync_with(&world, 0, "b", "two");
    world.write("a/x", "edited");
    sync_with(&world, 0, "a", "two");
    let run = sync_with(&world, 0, "a", "one");
    assert!(run.stdout.starts_with("synced: 0 pulled, 2 pushed, 0 deleted"), "{run:?}");
    sync_with(&world, 0, "a", "two");
    let run = sync_with(&world, 0, "b", "one");
    assert_eq!(world.tree("a"), world.tree("b"), "{run:?}");
    assert_eq!(world.read("b/x"), "edited");
}

#[test]
fn storages_that_changed_places_are_refused() {
    let world = World::new(&["a", "b"]);
    world.write("a/x", "x");
    sync_with(&world, 0, "a", "one");
    world.write("b/y", "y");
    sync_with(&world, 0, "b", "two");
    fs::rename(world.path("one"), world.path("three")).unwrap();
    fs::rename(world.path("two"), world.path("one")).unwrap();
    fs::rename(world.path("three"), world.path("two")).unwrap();
    world.write("a/new", "new");
    for more in [&[][..], &["--yes"]] {
        let run = world.run(["sync", "a", "one"].iter().chain(more));
        assert_eq!(run.code, Some(4), "{run:?}");
        assert!(run.stderr.contains("--accept-remote"), "{run:?}");
        assert_eq!(world.names("a"), ["new", "x"]);
    }

    let run = world.run(["sync", "a", "one", "--accept-remote"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(world.names("a"), ["new", "x", "y"]);
}

#[test]
fn a_storage_that_is_gone_altogether_is_an_unmounted_drive() {
    let world = World::new(&["a", "drive"]);
    world.write("a/x", "x");
    sync_with(&world, 0, "a", "drive/cloud");
    fs::rename(world.path("drive/cloud"), world.path("elsewhere")).unwrap();
    for more in [&[][..], &["--yes"], &["--dry-run"]] {
        let run = world.run(["sync", "a", "drive/cloud"].iter().chain(more));
        assert_eq!(run.code, Some(1), "{run:?}");
        assert!(run.stderr.contains("was synced with it before"), "{run:?}");
        assert!(!world.exists("drive/cloud"));
    }
    let run = world.run(["status", "a", "drive/cloud"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(!world.exists("drive/cloud"));

    fs::remove_dir(world.path("drive")).unwrap();
    let run = sync_with(&world, 1, "a", "drive/cloud");
    assert!(run.stderr.contains("is its drive mounted?"), "{run:?}");
    assert!(!world.exists("drive"));
}

#[test]
fn only_the_last_part_of_a_new_storage_is_made() {
    let world = World::new(&["a"]);
    let run = sync_with(&world, 1, "a", "drive/cloud");
    assert!(run.stderr.contains("does not exist"), "{run:?}");
    assert!(!world.exists("drive"));
    symlink(world.path("drive"), world.path("link")).unwrap();
    let run = sync_with(&world, 1, "a", "link");
    assert!(run.stderr.contains("link to a folder that does not exist"), "{run:?}");
    assert!(!world.exists("drive"));
}

#[test]
fn a_storage_is_not_made_among_other_files_without_a_yes() {
    let world = World::new(&["a", "home"]);
    world.write("home/photo.jpg", "p");
    world.write("a/x", "x");
    for line in [&["sync", "a", "home"][..], &["sync", "a", "home", "--dry-run"]] {
        let run = world.run(line);
        assert!(!world.exists("home/changes"), "{run:?}");
    }
    let run = sync_with(&world, 4, "a", "home");
    assert!(run.stderr.contains("holds other files") && run.stderr.contains("--yes"), "{run:?}");
    let run = world.run(["sync", "a", "home", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    sync_with(&world, 0, "a", "home");
}

#[test]
fn a_folder_that_another_program_is_seen_to_carry_is_used_under_the_lock_too() {
    let world = World::new(&["a", "carried"]);
    world.write("a/x", "x");
    fs::create_dir(world.path("carried/.stfolder")).unwrap();
    let run = sync_with(&world, 0, "a", "carried/cloud");
    assert!(run.stderr.contains("commits are protected by a lock"), "{run:?}");
}

#[test]
fn a_folder_that_another_program_carries_is_used_under_the_lock() {
    let world = World::new(&["a", "b"]);
    world.write("a/x", "x");
    let url = format!("file://{}?synced-by=other-program", world.path("cloud").display());
    let run = sync_with(&world, 0, "a", &url);
    assert!(run.stderr.contains("commits are protected by a lock"), "{run:?}");
    let run = world.run(["sync", "b", &url, "--require-strong"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    sync_with(&world, 0, "b", &url);
    assert_eq!(world.tree("a"), world.tree("b"));
    assert_eq!(world.run(["unlock", &url]).stdout, "not locked\n");
    let status = world.run(["status", "a", &url]);
    assert!(status.stdout.contains("\nrisk       a write that the server executes"), "{status:?}");
    // It is the same storage.
    let status = world.run(["status", "a", "cloud"]);
    assert!(status.stdout.contains("version 1 is here"), "{status:?}");
    assert!(!status.stdout.contains("risk"), "{status:?}");
}
