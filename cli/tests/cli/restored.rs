//! Copied, restored and reinstalled devices with folders, as docs/backups.md describes them.

use std::fs;

use crate::importing::copy;
use crate::world::World;

const STATE: &str = ".db-to-cloud";

/// Two devices with these files, all synced.
fn synced(files: usize) -> World {
    let world = World::new(&["a", "b"]);
    (0..files).for_each(|i| world.write(&format!("a/file-{i}"), format!("first {i}")));
    world.sync("a");
    world.sync("b");
    world
}

/// The second version of some files, on both devices.
fn write_second(world: &World, files: std::ops::Range<usize>) {
    files.for_each(|i| world.write(&format!("a/file-{i}"), format!("second {i}")));
    world.sync("a");
    world.sync("b");
}

/// Puts the folder of a backup in the place of the device's, with the state of the sync or only the files.
fn restore(world: &World, backup: &str, device: &str, state_too: bool) {
    if state_too {
        fs::remove_dir_all(world.path(device)).unwrap();
        return copy(&world.path(backup), &world.path(device));
    }
    world.names(device).iter().for_each(|name| world.remove(&format!("{device}/{name}")));
    let files = world.tree(backup);
    files.iter().for_each(|(name, bytes)| world.write(&format!("{device}/{name}"), bytes));
}

#[track_caller]
fn all_alike(world: &World, devices: &[&str]) {
    for _ in 0..2 {
        devices.iter().for_each(|device| drop(world.sync(device)));
    }
    let first = world.tree(devices[0]);
    devices.iter().for_each(|device| assert_eq!(world.tree(device), first, "{device}"));
}

#[test]
fn a_folder_that_was_copied_with_its_state_is_a_device_of_its_own() {
    let world = synced(4);
    world.write("a/unsynced", "edited before the copy");
    copy(&world.path("a"), &world.path("copy"));
    world.write("a/of a", "text");
    world.write("a/file-0", "first 0, a");
    world.write("copy/of the copy", "text");
    world.write("copy/file-0", "first 0, the copy");
    world.write("copy/file-1", "first 1, the copy");
    world.remove("copy/file-2");
    for device in ["a", "copy", "a", "copy"] {
        world.run(["sync", device, world.cloud(), "--device", device]);
    }
    all_alike(&world, &["a", "copy", "b"]);
    let tree = world.tree("b");
    let texts: Vec<_> = tree.values().map(|bytes| String::from_utf8_lossy(bytes)).collect();
    assert!(texts.contains(&"first 0, a".into()), "{tree:?}");
    assert!(texts.contains(&"first 0, the copy".into()), "{tree:?}");
    assert_eq!(world.read("b/file-1"), "first 1, the copy");
    assert!(!world.exists("b/file-2"));
    let others = ["of a", "of the copy", "unsynced"];
    others.iter().for_each(|name| assert!(world.exists(&format!("b/{name}")), "{name}"));
    assert_eq!(tree.len(), 7, "one conflict copy: {tree:?}");
}

#[test]
fn a_folder_that_is_restored_with_its_state_catches_up() {
    let world = synced(40);
    copy(&world.path("a"), &world.path("backup"));
    write_second(&world, 0..15);
    world.remove("b/file-19");
    world.write("b/of b", "text");
    world.sync("b");
    world.sync("a");
    let newest = world.tree("a");
    restore(&world, "backup", "a", true);
    world.write("a/file-17", "edited after the restore");
    world.sync("a");
    world.sync("b");
    let mut wanted = newest;
    wanted.insert("file-17".to_owned(), b"edited after the restore".to_vec());
    assert_eq!(world.tree("a"), wanted);
    assert_eq!(world.tree("b"), wanted);
}

#[test]
fn files_that_are_restored_without_their_state_replace_newer_ones_only_after_a_yes() {
    let world = synced(40);
    copy(&world.path("a"), &world.path("backup"));
    write_second(&world, 0..15);
    let (newest, cloud) = (world.tree("b"), world.tree("cloud"));
    restore(&world, "backup", "a", false);
    for _ in 0..2 {
        let run = world.sync_as(1, "a", &[]);
        assert!(run.stderr.contains("15 of 15") && run.stderr.contains("backup"), "{run:?}");
        assert!(run.stderr.contains("--accept-deletes"), "{run:?}");
        assert_eq!(world.tree("cloud"), cloud);
    }
    assert_eq!(world.tree("b"), newest);
    // The restored files are wanted.
    world.sync_as(0, "a", &["--accept-deletes"]);
    world.sync("b");
    assert_eq!(world.tree("b"), world.tree("backup"));
    assert_eq!(world.tree("a"), world.tree("backup"));
}

#[test]
fn without_its_state_a_restored_folder_gets_the_newer_files() {
    let world = synced(40);
    copy(&world.path("a"), &world.path("backup"));
    write_second(&world, 0..15);
    world.remove("b/file-19");
    world.sync("b");
    world.sync("a");
    let (newest, cloud) = (world.tree("b"), world.tree("cloud"));
    restore(&world, "backup", "a", false);
    world.sync_as(1, "a", &[]);
    fs::remove_dir_all(world.path("a").join(STATE)).unwrap();
    world.sync("a");
    assert_eq!(world.tree("a"), newest);
    assert_eq!(world.tree("cloud"), cloud, "nothing was pushed");
}

#[test]
fn a_few_restored_files_are_edits() {
    let world = synced(20);
    copy(&world.path("a"), &world.path("backup"));
    write_second(&world, 0..10);
    restore(&world, "backup", "a", false);
    world.sync("a");
    world.sync("b");
    assert_eq!(world.tree("b"), world.tree("backup"));
}

#[test]
fn a_device_that_lost_its_state_asks_only_about_what_was_edited() {
    let world = synced(4);
    write_second(&world, 0..2);
    world.write("a/file-0", "first 0");
    world.write("a/file-1", "edited, and never synced");
    fs::remove_dir_all(world.path("a").join(STATE)).unwrap();
    let report = world.report("a", &["--device", "a"]);
    assert_eq!(report["conflicts"], 1, "{report}");
    all_alike(&world, &["a", "b"]);
    assert_eq!(world.read("a/file-0"), "second 0", "the older version went");
    let tree = world.tree("b");
    assert!(tree.values().any(|bytes| bytes == b"edited, and never synced"), "{tree:?}");
    assert!(tree.values().any(|bytes| bytes == b"second 1"), "{tree:?}");
}

#[test]
fn a_device_that_lost_its_files_asks_and_one_that_lost_all_gets_all() {
    let world = synced(20);
    let all = world.tree("b");
    (0..20).for_each(|i| world.remove(&format!("a/file-{i}")));
    world.sync_as(1, "a", &[]);
    assert_eq!(world.tree("b"), all);
    fs::remove_dir_all(world.path("a").join(STATE)).unwrap();
    world.sync("a");
    assert_eq!(world.tree("a"), all);
    all_alike(&world, &["a", "b"]);
}
