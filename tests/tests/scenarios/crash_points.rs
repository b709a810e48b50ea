//! A device is stopped at every single step of a sync, restarts and syncs again: nothing is lost,
//! and the end is the same.

use db_to_cloud::RemoteWins;
use db_to_cloud_tests::{Device, World};

/// Alice and Bob know some documents; then both edit, and Bob has pushed first.
fn story() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for id in ["a", "b", "c", "gone", "both"] {
        alice.edit(id, "old");
    }
    alice.sync();
    bob.sync();
    bob.edit("b", "bob's");
    bob.edit("new", &"large".repeat(2000));
    bob.edit("both", "bob's version");
    bob.delete("gone");
    bob.sync();
    let alice = alice.resolving_by(RemoteWins);
    alice.edit("a", "alice's");
    alice.edit("c", &"larger".repeat(2000));
    alice.edit("both", "alice's version");
    alice.delete("c2");
    (world, alice, bob)
}

#[test]
fn stopped_at_any_step_the_next_sync_ends_the_same() {
    let (_, alice, bob) = story();
    alice.sync();
    bob.sync();
    let end = bob.all();
    assert_eq!(alice.all(), end);
    let mut step = 1;
    loop {
        let (world, mut alice, bob) = story();
        if !alice.sync_stopping_at(step) {
            break;
        }
        alice.sync();
        bob.sync();
        alice.sync();
        assert_eq!(alice.all(), end, "alice, stopped at step {step}");
        assert_eq!(bob.all(), end, "bob, after alice stopped at step {step}");
        let carol = world.device("carol");
        carol.sync();
        assert_eq!(carol.all(), end, "carol, after alice stopped at step {step}");
        step += 1;
    }
    assert!(step > 40, "the sync has only {step} steps");
}
