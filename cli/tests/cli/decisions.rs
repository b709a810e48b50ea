//! What a person decides about the folder on this device.

use crate::world::World;

fn two() -> World {
    let world = World::new(&["a", "b"]);
    world.write("a/open", "1");
    world.sync("a");
    world.sync("b");
    world
}

/// Rule F2.
#[test]
fn an_ignore_file_from_another_device_waits_until_it_is_accepted() {
    let world = two();
    world.write("a/.db-to-cloud-ignore", "private/\n");
    world.write("a/private/diary", "dear");
    world.sync("a");
    world.sync("b");
    world.write("b/.db-to-cloud-ignore", "# all may go\n");
    world.sync("b");
    let run = world.sync_as(0, "a", &[]);
    assert!(run.stderr.contains("skipped: .db-to-cloud-ignore: patterns that came"), "{run:?}");
    let run = world.sync_as(3, "a", &[]);
    assert!(run.stderr.contains("private: kept in by the pattern"), "{run:?}");
    assert!(run.stderr.contains("--accept-ignore"), "{run:?}");
    world.sync("b");
    assert!(!world.names("b").contains(&"private/diary".to_owned()));
    let run = world.sync_as(0, "a", &["--accept-ignore"]);
    assert!(run.stderr.contains("its patterns count from now on: .db-to-cloud-ignore"), "{run:?}");
    world.sync("b");
    assert_eq!(world.read("b/private/diary"), "dear");
}

/// Rule F4.
#[test]
fn hooks_of_git_wait_until_the_guard_is_opened() {
    let world = two();
    world.write("a/.git/hooks/pre-commit", "#!/bin/sh\n");
    world.write("a/note", "good");
    world.sync("a");
    let run = world.sync_as(3, "b", &[]);
    assert!(run.stderr.contains(".git/hooks/pre-commit"), "{run:?}");
    assert!(run.stderr.contains("--open-guard"), "{run:?}");
    assert_eq!(world.names("b"), ["note", "open"]);
    world.sync_as(0, "b", &["--open-guard"]);
    assert_eq!(world.read("b/.git/hooks/pre-commit"), "#!/bin/sh\n");
    world.write("a/.git/hooks/pre-commit", "#!/bin/bash\n");
    world.sync("a");
    world.sync_as(3, "b", &["--close-guard"]);
    assert_eq!(world.read("b/.git/hooks/pre-commit"), "#!/bin/sh\n");
}

#[test]
fn what_is_left_out_is_listed_with_its_pattern() {
    let world = two();
    world.write("a/.db-to-cloud-ignore", "*.tmp\n");
    world.write("a/x.tmp", "");
    let run = world.run(["status", "a", "cloud", "--ignored"]);
    let line = "x.tmp: left out by the pattern \"*.tmp\" in .db-to-cloud-ignore\nleft out: 1\n";
    assert_eq!(run.stdout, line);
    let run = world.run(["status", "a", "cloud", "--ignored", "--json"]);
    assert!(run.stdout.starts_with("[{\"path\":\"x.tmp\",\"reason\":\"left out by"), "{run:?}");
}

#[test]
fn a_drive_that_never_was_is_not_forgotten() {
    let world = two();
    let run = world.sync_as(2, "a", &["--forget-drive", "photos"]);
    assert!(run.stderr.contains("no drive was mounted on \"photos\""), "{run:?}");
}
