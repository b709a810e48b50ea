//! What the simulator found, as stories. Each names the seed that showed it first, in the
//! simulator as it was then.

use std::sync::Arc;

use db_to_cloud::{ErrorKind, LocalWins, Resolution, SyncOptions};
use db_to_cloud_tests::{Device, Judge, World};

const ACCEPT: SyncOptions = db_to_cloud_tests::options::ACCEPT_REMOTE;

/// Weak storage, seed 48: between a new device's look at the empty log and its first commit others
/// had committed so much that there was a snapshot. It took the snapshot, then the entry that had
/// won the first slot, which of course did not continue the snapshot.
#[test]
fn who_loses_the_first_slot_and_then_finds_a_snapshot_is_not_told_that_the_storage_diverged() {
    let world = World::new();
    let (alice, bob) = (Arc::new(world.device("alice")), world.device("bob"));
    bob.edit("bobs", "text");
    let rival = alice.clone();
    bob.storage.before("create", "changes/1.json", move || {
        for i in 0..20 {
            rival.edit("alices", &format!("text {i}"));
            rival.sync();
        }
    });
    bob.sync();
    assert_eq!(world.snapshots().len(), 1);
    alice.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(alice.all().len(), 2);
}

/// Bob's sync stops when it has applied Alice's two documents, and before it knows that it has; then
/// the storage is emptied, and Alice's device is lost: Bob has the only copies.
fn half_applied() -> (World, Device) {
    let mut half = None;
    for step in 1.. {
        let world = World::new();
        let (alice, mut bob) = (world.device("alice"), world.device("bob"));
        alice.edit("note", "alice's");
        alice.edit("other", "alice's");
        alice.sync();
        let stopped = bob.sync_stopping_at(step);
        if !stopped {
            break;
        }
        if bob.all().len() == 2 && bob.status().version == 0 {
            world.cloud.objects().clear();
            half = Some((world, bob));
        }
    }
    half.expect("there is such a step")
}

/// Weak storage, seed 1122.
#[test]
fn a_first_pull_that_was_interrupted_before_the_storage_was_emptied_overwrites_nothing() {
    let (world, bob) = half_applied();
    let carol = world.device("carol");
    carol.edit("note", "carol's");
    carol.sync();
    let error = bob.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Diverged, "{error}");
    assert_eq!(bob.read("note").as_deref(), Some("alice's"));
    let judge = Judge::always(Resolution::KeepLocal);
    let bob = bob.resolving_by(judge.clone());
    bob.try_sync_with(ACCEPT).unwrap();
    bob.sync();
    carol.sync();
    assert!(judge.asked().iter().any(|conflict| conflict.id == "note".into()));
    assert_eq!(carol.all(), bob.all());
    assert_eq!(carol.read("other").as_deref(), Some("alice's"), "the only copy");
}

/// The same, if nothing has been written to the storage since.
#[test]
fn what_an_interrupted_pull_applied_is_not_forgotten_by_all_others() {
    let (world, bob) = half_applied();
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::Diverged);
    let bob = bob.resolving_by(Judge::always(Resolution::KeepLocal));
    bob.try_sync_with(ACCEPT).unwrap();
    let dave = world.device("dave");
    dave.sync();
    assert_eq!(dave.all(), bob.all());
    assert_eq!(dave.read("note").as_deref(), Some("alice's"));
}

/// Strong storage, seed 10881: a device started over on an emptied storage and was stopped before its
/// conflicts were decided; the next change of such a document found a document that was not edited
/// since, and overwrote it.
#[test]
fn a_start_over_that_was_interrupted_overwrites_nothing_at_the_next_change() {
    for step in 1.. {
        let world = World::new();
        let mut bob = world.device("bob").resolving_by(LocalWins);
        bob.edit("note", "bob's");
        bob.sync();
        world.cloud.objects().clear();
        let carol = world.device("carol");
        carol.edit("note", "carol's");
        carol.sync();
        bob.edit("other", "text");
        let stopped = bob.sync_with_stopping_at(ACCEPT, step);
        // Made without knowing what Bob may have committed.
        carol.edit("note", "carol's second");
        carol.sync();
        bob.try_sync().or_else(|_| bob.try_sync_with(ACCEPT)).unwrap();
        assert_eq!(bob.read("note").as_deref(), Some("bob's"), "stopped at step {step}");
        if !stopped {
            assert!(step > 20, "the sync has only {step} steps");
            break;
        }
    }
}
