//! What the model found, as stories. Each names the configuration that showed it first.

use bytes::Bytes;
use db_to_cloud::{ErrorKind, Key, Resolution, SyncOptions};
use db_to_cloud_tests::{Device, Judge, World};
use futures::FutureExt;

use crate::counterexamples::storage::sync_with_a_late_put;

const ACCEPT: SyncOptions = db_to_cloud_tests::options::ACCEPT_REMOTE;

/// Bob's pull is stopped at this step: after Alice's commits up to a snapshot, and one more, of
/// `other`. He finds no hint to the snapshot and reads all of the log; then the hint is back. With
/// the storage as it was before `other`.
fn stopped_at(step: u64) -> (World, Device, Vec<(Key, Bytes)>) {
    let world = World::new();
    let (alice, mut bob) = (world.device("alice"), world.device("bob"));
    for i in 0.. {
        alice.edit("note", &format!("text {i}"));
        alice.sync();
        if !world.snapshots().is_empty() {
            break;
        }
    }
    let before = world.backup();
    alice.edit("other", "alice's");
    alice.sync();
    let hint = world.object("meta.json").unwrap();
    world.remove("meta.json");
    assert!(bob.sync_stopping_at(step), "the sync has no such step");
    world.overwrite("meta.json", hint);
    (world, bob, before)
}

/// Rule P9, `without-P9-farthest`: Bob's first pull stops when `other` is there and `v` has not
/// moved. The next one begins with the snapshot, and stops too. The storage goes back to when the
/// snapshot was the newest: that entry is there, and Bob has the only copy of `other`.
#[test]
fn a_pull_that_stops_nearer_than_the_one_before_does_not_forget_how_far_that_one_went() {
    let is_half_applied = |step: &u64| {
        let (_, bob, _) = stopped_at(*step);
        bob.read("other").is_some() && bob.status().version == 0
    };
    let half = (1..).find(is_half_applied).unwrap();
    for step in 1.. {
        let (world, mut bob, before) = stopped_at(half);
        let stopped = bob.sync_stopping_at(step);
        if !stopped || bob.status().version == world.commits() {
            assert!(step > 5, "the pull has only {step} steps");
            break;
        }
        world.restore(&before);
        assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::Diverged, "step {step}");
        let bob = bob.resolving_by(Judge::always(Resolution::KeepLocal));
        bob.try_sync_with(ACCEPT).unwrap();
        let dave = world.device("dave");
        dave.sync();
        assert_eq!(dave.read("other").as_deref(), Some("alice's"), "step {step}");
    }
}

/// Rule P6, `weak-without-P6-as-read`: Alice's first commit is under way for long. She comes in by
/// a snapshot, and then it lands in the first slot, below it: her own edit is no older version of
/// Bob's.
#[test]
fn an_own_commit_that_lands_late_below_a_snapshot_does_not_make_an_old_copy_of_the_edit() {
    let world = World::weak();
    let judge = Judge::always(Resolution::KeepLocal);
    let (alice, bob) = (world.device("alice").resolving_by(judge.clone()), world.device("bob"));
    alice.edit("note", "alice's");
    sync_with_a_late_put(&alice);
    for i in 0..20 {
        bob.edit("note", &format!("bob's {i}"));
        bob.sync();
    }
    assert_eq!(world.snapshots().len(), 1);
    let late = alice.storage.clone();
    alice.storage.before("get", "snapshot/", move || {
        late.deliver().now_or_never().expect("it does not wait");
    });
    alice.sync();
    assert_eq!(world.entry(1).client, "alice", "Bob's commit is gone from the log");
    assert_eq!(judge.count(), 1, "it is a conflict");
    assert_eq!(alice.read("note").as_deref(), Some("alice's"));
}
