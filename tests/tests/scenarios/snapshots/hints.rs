//! Hints that lead astray: to a snapshot of another log, or to an old one.

use super::*;

/// Bob has read `known` commits of Alice's; she has made so many in all, and no snapshot but at 16.
fn bob_knows(known: usize, all: usize) -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    commit_many(&alice, known);
    bob.sync();
    let [alice, bob] = [alice, bob].map(|d| d.set_up(|builder| builder.with_maintenance(false)));
    commit_many(&alice, all - known);
    (world, alice, bob)
}

/// The hint and the snapshots of a storage that Dave filled.
fn hint_to_another_log(world: &World) {
    let other = World { time: world.time.clone(), ..World::new() };
    let dave = other.device("dave");
    dave.edit("daves", "text");
    commit_many(&dave, 60);
    for key in other.keys("snapshot").into_iter().chain(["meta.json".to_owned()]) {
        world.overwrite(&key, other.object(&key).unwrap());
    }
}

#[test]
fn a_snapshot_of_another_log_is_not_jumped_to() {
    let (world, alice, bob) = bob_knows(1, 60);
    hint_to_another_log(&world);
    assert_eq!(bob.sync().pulled, 1);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_snapshot_of_another_log_does_not_lead_around_a_damaged_entry() {
    let (world, _, bob) = bob_knows(1, 20);
    hint_to_another_log(&world);
    world.overwrite("changes/2.json", "{");
    let before = bob.all();
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(bob.all(), before);
}

#[test]
fn a_snapshot_that_is_behind_is_not_gone_back_to() {
    let (world, alice, bob) = bob_knows(20, 40);
    assert_eq!(world.json(&newest(&world))["seq"], 16);
    bob.storage.journal.take();
    bob.sync();
    let asked = bob.storage.journal.take();
    assert!(asked.contains(&"get meta.json".to_owned()), "Bob is far behind");
    assert!(!asked.contains(&"get snapshot/…".to_owned()), "the hint was enough to see");
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_hint_to_an_old_snapshot_does_not_lead_around_a_damaged_entry() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    commit_many(&alice, 20);
    bob.sync();
    let old = world.object("meta.json").unwrap();
    commit_many(&alice, 60);
    assert!(world.snapshots().len() > 1);
    world.overwrite("meta.json", old);
    world.overwrite("changes/21.json", "{");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
    assert_eq!(bob.status().version, world.commits());
}
