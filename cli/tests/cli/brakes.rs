//! What a sync does not do without a yes.

use std::fs;

use crate::world::World;

fn with_documents(count: usize) -> World {
    let world = World::new(&["a", "b"]);
    for i in 0..count {
        world.write(&format!("a/{i}"), format!("document {i}"));
    }
    world.sync("a");
    world.sync("b");
    world
}

fn wipe(world: &World, folder: &str) {
    fs::remove_dir_all(world.path(folder)).unwrap();
    fs::create_dir(world.path(folder)).unwrap();
}

#[test]
fn a_mass_delete_on_this_device_needs_a_yes() {
    let world = with_documents(30);
    let cloud = world.tree("cloud");
    (0..16).for_each(|i| world.remove(&format!("a/{i}")));
    let run = world.sync_as(1, "a", &[]);
    assert!(run.stderr.contains("error: ") && run.stderr.contains("16 of 30"), "{run:?}");
    assert!(run.stderr.contains("--accept-deletes"), "{run:?}");
    assert_eq!(world.tree("cloud"), cloud);
    world.sync_as(0, "a", &["--yes"]);

    let before = world.tree("b");
    let run = world.sync_as(1, "b", &[]);
    assert!(run.stderr.contains("16 of 30"), "{run:?}");
    assert_eq!(world.tree("b"), before, "nothing was deleted");
    world.sync_as(0, "b", &["--accept-deletes"]);
    assert_eq!(world.tree("b"), world.tree("a"));
    assert_eq!(world.names("b").len(), 14);
}

#[test]
fn half_of_the_documents_or_only_ten_need_none() {
    let world = with_documents(30);
    (0..15).for_each(|i| world.remove(&format!("a/{i}")));
    world.sync("a");
    world.sync("b");
    assert_eq!(world.names("b").len(), 15);
    (15..25).for_each(|i| world.remove(&format!("a/{i}")));
    world.sync("a");
    world.sync("b");
    assert_eq!(world.names("b").len(), 5);
}

#[test]
fn an_emptied_storage_deletes_nothing_and_is_filled_again_after_a_yes() {
    let world = with_documents(30);
    wipe(&world, "cloud");
    world.write("a/new", "new");
    let before = world.tree("a");
    let run = world.sync_as(4, "a", &[]);
    assert!(run.stderr.contains("is empty now") && run.stderr.contains("--put-back"), "{run:?}");
    assert_eq!(world.tree("a"), before);
    assert!(!world.exists("cloud/changes/1.json"));

    world.sync_as(0, "a", &["--yes"]);
    assert_eq!(world.tree("a"), before);
    world.write("b/1", "edited on b meanwhile");
    let run = world.sync_as(4, "b", &[]);
    assert!(run.stderr.contains("made this storage again"), "{run:?}");
    world.sync_as(0, "b", &["--yes"]);
    world.sync("a");
    assert_eq!(world.tree("a"), world.tree("b"));
    assert_eq!(world.read("a/1"), "edited on b meanwhile");
    assert_eq!(world.names("a").len(), 31, "30 and the new one");
}

#[test]
fn an_emptied_storage_is_filled_again_after_a_yes_also_with_nothing_to_push() {
    let world = with_documents(30);
    wipe(&world, "cloud");
    world.sync_as(0, "a", &["--yes"]);
    world.sync_as(0, "b", &["--yes"]);
    assert_eq!(world.names("a").len(), 30);
    let fresh = World::new(&["c"]);
    let run = fresh.run(["sync".into(), "c".into(), world.path("cloud")]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert_eq!(fresh.tree("c"), world.tree("a"));
}

#[test]
fn a_folder_that_was_emptied_with_its_state_takes_everything_back() {
    let world = with_documents(30);
    wipe(&world, "b");
    world.sync("b");
    assert_eq!(world.tree("b"), world.tree("a"));
}
