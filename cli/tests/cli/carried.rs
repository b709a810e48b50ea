//! A storage in a folder that another program carries between two machines (rule D6): each has a copy of its own,
//! and the newest file of each name wins when they are joined.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::world::{Run, World};

/// Each file is in both copies: the newest one.
fn join(world: &World) {
    for (from, to) in [("one", "two"), ("two", "one")] {
        for name in world.names(from) {
            let (from, to) = (world.path(from).join(&name), world.path(to).join(&name));
            let changed = |path: &Path| fs::metadata(path).and_then(|there| there.modified()).ok();
            if changed(&to) < changed(&from) {
                fs::create_dir_all(to.parent().unwrap()).unwrap();
                let moment = changed(&from).unwrap();
                fs::copy(from, &to).unwrap();
                fs::File::options().write(true).open(to).unwrap().set_modified(moment).unwrap();
            }
        }
    }
}

#[track_caller]
fn sync(world: &World, code: i32, device: &str, more: &[&str]) -> Run {
    let copy = if device == "b" { "two" } else { "one" };
    let run = world.run(["sync", device, copy, "--device", device].iter().chain(more));
    assert_eq!(run.code, Some(code), "{run:?}");
    run
}

/// Device `a` commits three times, `b` twice; then the copies are joined.
fn mixed(world: &World) {
    world.write("a/start", "start");
    sync(world, 0, "a", &[]);
    fs::create_dir(world.path("two")).unwrap();
    join(world);
    sync(world, 0, "b", &[]);
    for n in 1..=3 {
        for device in ["a", "b"].iter().filter(|device| n < 3 || **device == "a") {
            world.write(&format!("{device}/of {device} {n}"), device.repeat(9000));
            world.write(&format!("{device}/both"), format!("{device} {n}"));
            sync(world, 0, device, &[]);
        }
    }
    join(world);
}

#[test]
fn copies_of_entries_that_the_other_program_made_are_named() {
    let world = World::new(&["a", "b"]);
    mixed(&world);
    for name in ["3 (conflicted copy).json", "3.sync-conflict-20261126-101112-ABCDEFG.json"] {
        fs::copy(world.path("two/changes/3.json"), world.path("two/changes").join(name)).unwrap();
    }
    let run = sync(&world, 4, "b", &[]);
    for name in ["3 (conflicted copy).json", "3.sync-conflict-20261126-101112-ABCDEFG.json"] {
        assert!(run.stderr.contains(name), "{run:?}");
    }
    // The text of both is kept beside it.
    sync(&world, 3, "b", &["--rejoin"]);
}

#[test]
fn copies_that_both_went_on_are_joined_by_consent() {
    let world = World::new(&["a", "b", "new"]);
    mixed(&world);
    sync(&world, 0, "a", &[]);
    for device in ["b", "new"] {
        let run = sync(&world, 4, device, &["--json"]);
        let error = run.report();
        assert_eq!(
            [&error["code"], &error["ways"]],
            [&json!("mixed"), &json!(["--rejoin"])],
            "{run:?}"
        );
    }
    // The text of both is kept beside it.
    sync(&world, 3, "b", &["--rejoin"]);
    join(&world);
    let run = sync(&world, 4, "a", &[]);
    assert!(run.stderr.contains("--rejoin"), "{run:?}");
    sync(&world, 0, "a", &["--rejoin"]);
    join(&world);
    sync(&world, 0, "b", &[]);
    join(&world);
    for device in ["a", "new"] {
        sync(&world, 0, device, &[]);
        assert_eq!(world.tree(device), world.tree("b"), "{device}");
    }
    let tree = world.tree("new");
    for name in ["start", "of a 1", "of a 2", "of a 3", "of b 1", "of b 2"] {
        assert!(tree.contains_key(name), "{name}");
    }
    for text in ["a 3", "b 2"] {
        assert!(tree.values().any(|bytes| bytes == text.as_bytes()), "{text}");
    }
}
