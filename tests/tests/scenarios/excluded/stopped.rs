//! A sync that changes the selection is stopped at each of its steps (rules C8 and C9).

use db_to_cloud_tests::{Device, Judge, World, settle};

use super::large;

/// Bob has something of each kind when he excludes what begins with `x`; Alice goes on.
fn begin() -> (World, Device, Device) {
    let world = World::new();
    let ids = ["note", "x-same", "x-edited", "x-gone", "x-both", "x-theirs", "x-deleted"];
    let (alice, bob) = world.alice_and_bob(&ids);
    bob.edit("x-edited", "old bob");
    bob.delete("x-gone");
    bob.edit("x-both", "old bob");
    bob.edit("x-new", "bob");
    bob.edit("note", "old bob");
    alice.edit("x-both", "old alice");
    alice.edit("x-theirs", "old alice");
    alice.edit("x-large", &large("alice "));
    alice.delete("x-deleted");
    alice.sync();
    let bob = bob.resolving_by(Judge::merging());
    (world, alice, bob)
}

fn end(world: &World, alice: &Device, bob: &Device, case: &str) {
    bob.chosen.everything();
    let alice = alice.clone_as(world, "alice");
    settle(&[&alice, bob]);
    let word = |id, word: &str| bob.read(id).unwrap_or_default().contains(word);
    let has_all = word("x-both", "alice") && word("x-both", "bob") && word("x-edited", "bob");
    assert!(
        has_all && word("x-theirs", "alice") && word("x-new", "bob"),
        "{case}: {:?}",
        bob.all()
    );
    assert_eq!(bob.read("x-deleted"), None, "{case}");
    assert_eq!(bob.read("x-large"), Some(large("alice ")), "{case}");
}

#[test]
fn c8_excluding_and_including_survive_a_stop_anywhere() {
    let mut stops = 0;
    for first in 1.. {
        let (world, alice, mut bob) = begin();
        bob.chosen.exclude(&["x"]);
        let stopped = bob.sync_stopping_at(first);
        let case = format!("stopped at {first}");
        if first % 2 == 0 {
            bob.sync();
        }
        for id in ["x-edited", "x-gone", "x-both", "x-new"] {
            let here = world.clone().device("fresh");
            here.sync();
            let text = here.read(id).unwrap_or_default();
            assert!(!text.contains("bob"), "{case}: {id} was pushed: {text}");
            assert!(here.read(id).is_some() || id == "x-new", "{case}: {id} was deleted");
        }
        bob.chosen.everything();
        let again = bob.sync_stopping_at(first);
        end(&world, &alice, &bob, &case);
        if first % 2 == 0 {
            assert_eq!(bob.read("x-gone").as_deref(), Some("old"), "{case}: it was excluded");
        }
        stops += u64::from(stopped) + u64::from(again);
        if !stopped && !again {
            break;
        }
    }
    assert!(stops > 60, "only {stops} stops");
}

#[test]
fn c8_a_commit_of_unknown_outcome_is_settled_before() {
    let mut excluded = 0;
    for stop in 1.. {
        let world = World::new();
        let (alice, mut bob) = world.alice_and_bob(&["note", "x1"]);
        bob.edit("x1", "bob's");
        bob.edit("x2", "bob's");
        if !bob.sync_stopping_at(stop) {
            break;
        }
        bob.chosen.exclude(&["x"]);
        let report = bob.sync();
        alice.sync();
        let is_committed = alice.read("x1").as_deref() == Some("bob's");
        assert_eq!(report.excluded, if is_committed { 2 } else { 1 }, "stopped at {stop}");
        excluded += u64::from(is_committed);
        // Their absence means nothing.
        bob.delete_unqueued("x1");
        bob.delete_unqueued("x2");
        bob.restart();
        bob.sync();
        bob.chosen.everything();
        bob.sync();
        settle(&[&alice, &bob]);
        assert_eq!(alice.read("x2").is_some(), is_committed, "stopped at {stop}");
        assert!(alice.read("x1").is_some(), "stopped at {stop}");
    }
    assert!(excluded > 2, "{excluded}");
}

#[test]
fn c8_a_write_that_was_under_way_is_settled_before() {
    for stop in 1.. {
        let world = World::new();
        let (alice, mut bob) = world.alice_and_bob(&["note", "x1"]);
        alice.edit("x1", "alice's");
        alice.edit("x2", "alice's");
        alice.sync();
        if !bob.sync_stopping_at(stop) {
            break;
        }
        bob.chosen.exclude(&["x"]);
        assert_eq!(bob.sync().excluded, 2, "stopped at {stop}");
        bob.chosen.everything();
        bob.sync();
        settle(&[&alice, &bob]);
        assert_eq!(bob.read("x1").as_deref(), Some("alice's"));
    }
}
