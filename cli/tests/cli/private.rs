//! Files that only their owner may use, and scripts.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};

use crate::world::World;

fn write(world: &World, path: &str, text: &str, mode: u32) {
    world.write(path, text);
    fs::set_permissions(world.path(path), Permissions::from_mode(mode)).unwrap();
}

fn mode(world: &World, path: &str) -> u32 {
    fs::metadata(world.path(path)).unwrap().mode() & 0o777
}

/// Whatever lies in the storage, and above it.
fn is_private(world: &World) -> bool {
    mode(world, "cloud") == 0o700
        && world.tree("cloud").keys().all(|name| mode(world, &format!("cloud/{name}")) == 0o600)
}

#[test]
fn a_private_file_is_private_wherever_it_goes() {
    let world = World::new(&["a", "b", "c"]);
    write(&world, "a/diary", "one", 0o600);
    write(&world, "a/long", &"x".repeat(9000), 0o400);
    write(&world, "a/run.sh", "#!/bin/sh", 0o755);
    write(&world, "a/open", "text", 0o644);
    world.sync("a");
    assert!(is_private(&world));
    let run = world.sync("b");
    assert!(run.stderr.contains("arrived, and may be executed: run.sh"), "{run:?}");
    assert_eq!(run.stderr.matches("may be executed").count(), 1, "{run:?}");
    assert_eq!((mode(&world, "b/diary"), mode(&world, "b/long")), (0o600, 0o600));
    assert_eq!(mode(&world, "b/run.sh") & 0o100, 0o100);
    assert_eq!(mode(&world, "b/open") & 0o100, 0);
    // Both edit it: the copy of the conflict is as private.
    world.write("a/diary", "by a");
    world.write("b/diary", "by b");
    world.sync("a");
    world.sync_as(3, "b", &[]);
    for device in ["a", "c"] {
        world.sync(device);
        let names = world.names(device);
        let diaries: Vec<_> = names.iter().filter(|name| name.starts_with("diary")).collect();
        assert_eq!(diaries.len(), 2, "{names:?}");
        for name in diaries {
            assert_eq!(mode(&world, &format!("{device}/{name}")), 0o600, "{device}/{name}");
        }
    }
    assert!(is_private(&world));
}

#[test]
fn a_file_becomes_private_or_executable_with_its_next_edit() {
    let world = World::new(&["a", "b"]);
    write(&world, "a/note", "one", 0o644);
    write(&world, "a/script", "one", 0o755);
    world.sync("a");
    world.sync("b");
    let usual = mode(&world, "b/note");
    write(&world, "a/note", "two", 0o700);
    write(&world, "a/script", "two", 0o644);
    world.sync("a");
    world.sync("b");
    assert_eq!((mode(&world, "b/note"), mode(&world, "b/script")), (0o700, usual));
    // Nobody gets the rights back that were taken here.
    write(&world, "a/note", "three", 0o644);
    world.sync("a");
    world.sync("b");
    assert_eq!((mode(&world, "b/note"), world.read("b/note").as_str()), (0o600, "three"));
}
