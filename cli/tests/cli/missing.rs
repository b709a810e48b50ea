//! A document that the storage lost, and the two ways on (rules D2 and D6).

use std::fs;

use serde_json::json;

use crate::world::World;

/// `a` has synced a document, and the storage has lost it. Nobody else had it.
fn lost() -> World {
    let world = World::new(&["a", "b", "c"]);
    world.write("a/long", "too long for the log\n".repeat(400));
    world.sync("a");
    let lost = fs::read_dir(world.path("cloud/docs")).unwrap().next().unwrap().unwrap();
    fs::remove_file(lost.path()).unwrap();
    world
}

#[test]
fn the_device_that_wrote_a_lost_document_puts_it_again_when_asked() {
    let world = lost();
    let run = world.sync_as(3, "b", &[]);
    assert!(run.stderr.contains("missing in the storage"), "{run:?}");
    assert!(run.stderr.contains("sync the device that wrote the missing document with --verify"));
    let run = world.sync_as(0, "a", &["--verify"]);
    assert!(run.stderr.contains("put again, as the storage had lost them: 1"), "{run:?}");
    world.sync("b");
    assert_eq!(world.tree("a"), world.tree("b"));
}

#[test]
fn what_is_missing_is_explained_to_people_and_scripts() {
    let world = lost();
    let run = world.sync_as(3, "b", &[]);
    for said in [
        "long: missing in the storage",
        "as first seen here at 20",
        "; written by ",
        "--give-up-missing",
    ] {
        assert!(run.stderr.contains(said), "{said}: {run:?}");
    }
    let report = world.sync_as(3, "b", &["--json"]).report();
    assert_eq!((&report["deferred"], &report["missing"]), (&json!(1), &json!(1)));
    assert_eq!(report["ways"], json!(["--verify", "--give-up-missing"]));
    // Nothing is here that could take its place.
    assert_eq!(world.sync_as(3, "b", &["--yes", "--json"]).report()["given_up"], json!(0));
}

#[test]
fn a_text_of_another_device_takes_its_place_by_consent() {
    for consent in ["--give-up-missing", "--yes"] {
        let world = lost();
        world.write("b/long", "b wrote this\n".repeat(400));
        world.sync_as(3, "b", &[]);
        let run = world.sync_as(0, "b", &[consent]);
        assert!(run.stderr.contains("replaced by what this device has: long"), "{run:?}");
        world.sync("c");
        assert_eq!(world.tree("c"), world.tree("b"), "{consent}");
        // Its author still has it: both are kept.
        world.sync_as(3, "a", &[]);
        assert_eq!(world.tree("a").len(), 2, "{consent}");
    }
}
