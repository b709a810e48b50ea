//! Two devices, and a storage that goes back, or goes, while one of them joins its branches (rules D3 and
//! D4). The model found the first story.

use std::collections::BTreeSet;

use db_to_cloud_tests::{Device, World};

use super::branches::{GO_ON, JoinLines, sync};

/// Both sync until nothing is left to do, and have the same text.
fn settled(devices: [&mut Device; 2]) -> String {
    let [alice, bob] = devices;
    for _ in 0..3 {
        sync(alice, &mut BTreeSet::new(), None);
        sync(bob, &mut BTreeSet::new(), None);
    }
    let text = alice.read("text").unwrap_or_default();
    assert_eq!(bob.read("text").as_deref(), Some(text.as_str()));
    text
}

/// Alice joins a log and is stopped before she has applied any of it. When she goes on, another log is
/// in its place: the entries that hers and the first had in common say nothing about that one.
#[test]
fn d3_a_rejoin_that_was_stopped_does_not_go_on_upon_another_log() {
    for stop in 1..120 {
        let world = World::new();
        let device = |name| world.device(name).resolving_by(JoinLines::default());
        let [mut alice, mut bob] = ["alice", "bob"].map(device);
        alice.edit("text", "a1");
        alice.sync();
        let backup = world.backup();
        alice.edit("text", "a1\na2");
        alice.sync();
        world.restore(&backup);
        alice.sync_with_stopping_at(GO_ON, stop);
        world.cloud.objects().clear();
        bob.edit("text", "b1");
        sync(&mut bob, &mut BTreeSet::new(), None);
        assert_eq!(settled([&mut alice, &mut bob]), "a1\na2\nb1", "stopped at step {stop}");
    }
}

/// Bob's line is in the version that alice synced, and not in the one that she edited.
fn contested(world: &World) -> [Device; 2] {
    let device = |name| world.device(name).resolving_by(JoinLines::default());
    let [alice, bob] = ["alice", "bob"].map(device);
    alice.edit("text", "a1");
    alice.sync();
    let edited = alice.revision("text").unwrap();
    bob.sync();
    bob.edit("text", "a1\nb1");
    bob.sync();
    alice.sync();
    alice.edit_of("text", "a1\na2", &edited);
    world.cloud.objects().clear();
    [alice, bob]
}

#[test]
fn d4_an_edit_of_an_older_revision_stays_apart_when_its_device_puts_the_storage_back() {
    let [mut alice, mut bob] = contested(&World::new());
    assert_eq!(settled([&mut alice, &mut bob]), "a1\na2\nb1");
}

#[test]
fn d3_an_edit_of_an_older_revision_stays_apart_from_the_same_version_of_another_log() {
    let [mut alice, mut bob] = contested(&World::new());
    sync(&mut bob, &mut BTreeSet::new(), None);
    assert_eq!(settled([&mut alice, &mut bob]), "a1\na2\nb1");
}
