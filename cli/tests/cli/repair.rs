//! `repair`: a storage that no device can read on (rule D5).

use std::fs;

use serde_json::json;

use crate::terminal::Terminal;
use crate::world::World;

/// The second commit, of `a`, is damaged; `b` has not seen it. What the damaged object holds.
fn damaged() -> (World, Vec<u8>) {
    let world = World::new(&["a", "b"]);
    world.write("a/note", "old");
    world.sync("a");
    world.sync("b");
    world.write("a/note", "new");
    world.write("a/more", "more");
    world.sync("a");
    let path = world.path("cloud/changes/2.json");
    let whole = fs::read(&path).unwrap();
    let half = whole[..whole.len() / 2].to_vec();
    fs::write(&path, &half).unwrap();
    (world, half)
}

fn slot(world: &World) -> Vec<u8> {
    fs::read(world.path("cloud/changes/2.json")).unwrap()
}

#[test]
fn it_says_what_it_would_do_and_does_it_only_if_told() {
    let (world, half) = damaged();
    let run = world.sync_as(1, "b", &[]);
    assert!(run.stderr.contains("changes/2.json") && run.stderr.contains("`db-to-cloud repair"));
    let run = world.run(["repair", "b", "cloud"]);
    assert_eq!(run.code, Some(4), "{run:?}");
    assert!(run.stdout.contains("in the place of changes/2.json"), "{run:?}");
    assert!(run.stderr.contains("add --yes"), "{run:?}");
    assert_eq!(slot(&world), half);
    let run = world.run(["repair", "b", "cloud", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    assert!(run.stdout.ends_with("repaired: sync all devices now\n"), "{run:?}");
    assert!(!world.exists("cloud/lock.json"));
    world.sync("b");
    // The device that had applied it finds the other branch, and nothing of it is lost.
    let run = world.sync_as(4, "a", &[]);
    assert!(run.stderr.contains("--rejoin"), "{run:?}");
    world.sync_as(0, "a", &["--rejoin"]);
    world.sync("b");
    for device in ["a", "b"] {
        assert_eq!(world.read(&format!("{device}/note")), "new");
        assert_eq!(world.read(&format!("{device}/more")), "more");
    }
    let run = world.run(["repair", "b", "cloud"]);
    assert_eq!((run.code, run.stdout.starts_with("nothing to repair")), (Some(0), true), "{run:?}");
}

#[test]
fn the_device_that_has_applied_it_loses_nothing_by_a_repair() {
    let (world, _) = damaged();
    world.sync_as(1, "a", &[]);
    let run = world.run(["repair", "a", "cloud", "--json"]);
    let steps = json!([
        {"kind": "snapshot", "slots": [2], "last": 2},
        {"kind": "continue", "slot": 3},
    ]);
    assert_eq!((run.code, run.report()), (Some(4), json!({"steps": steps, "done": false})));
    let run = world.run(["repair", "a", "cloud", "--json", "--yes"]);
    assert_eq!((run.code, run.report()), (Some(0), json!({"steps": steps, "done": true})));
    world.sync("a");
    world.sync("b");
    assert_eq!((world.read("b/note"), world.read("b/more")), ("new".into(), "more".into()));
    let run = world.run(["repair", "b", "cloud", "--json", "--yes"]);
    assert_eq!((run.code, run.report()), (Some(0), json!({"steps": [], "done": false})));
}

#[test]
fn where_nothing_can_be_done_it_says_who_can() {
    let (world, half) = damaged();
    fs::write(world.path("cloud/changes/2.json"), b"").unwrap();
    let run = world.run(["repair", "a", "cloud", "--yes"]);
    assert_eq!(run.code, Some(0), "{run:?}");
    // The snapshot is lost.
    fs::remove_dir_all(world.path("cloud/snapshot")).unwrap();
    let run = world.run(["repair", "b", "cloud", "--yes"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stdout.contains("repair on a device that committed after it"), "{run:?}");
    let run = world.run(["repair", "b", "cloud", "--yes", "--json"]);
    let step = &run.report()["steps"][0];
    assert_eq!((&step["kind"], &step["slot"]), (&json!("elsewhere"), &json!(2)), "{half:?}");
    assert!(step["devices"].as_array().is_some_and(|devices| devices.len() == 1), "{run:?}");
}

#[test]
fn a_person_is_asked() {
    for (answer, code) in [("n\n", 4), ("\n", 4), ("y\n", 0)] {
        let (world, half) = damaged();
        let mut terminal = Terminal::run(&mut world.command(["repair", "b", "cloud"]));
        terminal.wait_for("[y/N] ");
        terminal.type_in(answer);
        assert_eq!(terminal.end().code(), Some(code), "{answer:?}");
        assert_eq!(slot(&world) == half, code == 4, "{answer:?}");
    }
}

#[test]
fn a_damaged_lock_is_shown_and_broken() {
    let (world, _) = damaged();
    for lock in ["", "{", r#"{"format":2}"#] {
        world.write("cloud/lock.json", lock);
        let run = world.run(["unlock", "cloud"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(run.stdout.contains("unknown (the lock object "), "{run:?}");
        let run = world.run(["unlock", "cloud", "--force"]);
        assert_eq!(run.code, Some(0), "{run:?}");
        assert!(!world.exists("cloud/lock.json"));
    }
}

#[test]
fn nothing_is_made_where_there_is_no_storage() {
    let world = World::new(&["a"]);
    world.write("a/note", "text");
    let run = world.run(["repair", "a", "cloud", "--yes"]);
    assert_eq!((run.code, run.stdout.starts_with("nothing to repair")), (Some(0), true), "{run:?}");
    assert!(!world.exists("cloud"));
}
