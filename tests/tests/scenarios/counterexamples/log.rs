//! The log, its snapshots, and storages that are not what they were (rules K1, K2, P1, P3 and D1).

use std::sync::Arc;

use db_to_cloud::{ErrorKind, RemoteWins};
use db_to_cloud_tests::{Device, World};

use super::*;

/// Commits one document so many times.
fn commit_many(device: &Device, count: usize) {
    for i in 0..count {
        device.edit("busy", &format!("{} {i}", device.name));
        device.sync();
    }
}

/// Without it a device long offline commits into a freed slot, is told that it committed, and nobody
/// ever sees it.
#[test]
pub(crate) fn k2_slots_that_a_snapshot_covers_are_not_free() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    bob.edit("bobs", "text");
    let alice = Arc::new(alice);
    let busy = alice.clone();
    // Bob's laptop sleeps when it has seen that slot 2 is free; meanwhile Alice writes a snapshot.
    bob.storage.before("create", "changes/2.json", move || commit_many(&busy, 20));
    assert_eq!(bob.sync().pushed, 1);
    assert_eq!(world.snapshots().len(), 1);
    alice.sync();
    assert_eq!(alice.read("bobs").as_deref(), Some("text"));
    assert_alike(&world, &[&alice, &bob]);
}

/// Without it a snapshot by a device that put a conflict off misleads every new device.
#[test]
pub(crate) fn k1_a_snapshot_is_the_fold_of_the_log() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["both"]);
    alice.edit("both", "alice's");
    alice.sync();
    bob.edit("both", "bob's");
    assert_eq!(bob.sync().conflicts, 1);
    commit_many(&bob, 20);
    assert_eq!(world.snapshots().len(), 1);
    assert_eq!(bob.read("both").as_deref(), Some("bob's"), "still put off");
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.read("both").as_deref(), Some("alice's"));
}

/// Alice has made two commits that the storage, restored from a backup, forgot.
fn restored() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let backup = world.backup();
    for text in ["second", "third"] {
        alice.edit("note", text);
        alice.sync();
    }
    world.restore(&backup);
    (world, alice, bob)
}

/// Two copies of a storage both went on, and a program that copies files put the entries of one copy
/// beside those of the other. Without it a device applies an entry of a branch that it has not read.
#[test]
pub(crate) fn p1_an_entry_of_another_branch_is_not_applied() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let copy = world.backup();
    for text in ["second", "third"] {
        bob.edit("note", text);
        bob.sync();
    }
    let late = world.object("changes/3.json").unwrap();
    world.restore(&copy);
    alice.edit("note", "alice's");
    alice.sync();
    world.overwrite("changes/3.json", late);
    let error = alice.try_sync().expect_err("entry 3 does not continue entry 2");
    assert_eq!(error.divergence(), Some(db_to_cloud::Divergence::Mixed));
    assert_eq!(alice.read("note").as_deref(), Some("alice's"));
}

#[track_caller]
fn assert_diverged(device: &Device) {
    let error = device.try_sync().expect_err("it is another storage");
    assert_eq!(error.kind(), ErrorKind::Diverged);
}

/// Without it a restored server diverges silently: Alice commits behind a hole that nobody reads past.
#[test]
pub(crate) fn p3_a_device_ahead_of_a_restored_storage_stops() {
    let (world, alice, _) = restored();
    alice.edit("note", "fourth");
    assert_diverged(&alice);
    assert_eq!((world.commits(), alice.read("note").as_deref()), (1, Some("fourth")));
}

/// Without it a device goes on in a log that others continued, and never sees what came before.
#[test]
pub(crate) fn p1_a_device_behind_a_restored_storage_stops() {
    let (_, alice, bob) = restored();
    bob.edit("bobs", "text");
    bob.sync();
    bob.edit("note", "bob's");
    bob.sync();
    bob.edit("note", "bob's second");
    bob.sync();
    assert_diverged(&alice);
    assert_eq!(alice.read("note").as_deref(), Some("third"));
}

/// Without it documents are given up for those of another storage, unasked.
#[test]
pub(crate) fn d1_another_storage_changes_nothing_unasked() {
    let world = World::new();
    let (alice, _) = world.alice_and_bob(&["note"]);
    let alice = alice.resolving_by(RemoteWins);
    world.cloud.objects().clear();
    alice.edit("other", "text");
    let before = alice.all();
    assert_diverged(&alice);
    assert_eq!((alice.all(), world.commits()), (before, 0));
}
