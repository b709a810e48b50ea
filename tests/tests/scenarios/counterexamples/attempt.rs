//! Commits whose fate is open when a sync ends (rules U2, U3, G1 and U7).

use std::sync::Arc;

use db_to_cloud::RemoteWins;
use db_to_cloud_tests::{Device, Fault, World, settle};
use futures::FutureExt;

use super::*;

/// Alice and Bob both hold "note"; Alice's commit of an edit met this fault again and again.
pub(crate) fn open(fault: Fault) -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    fail_to_commit(&alice, "new", fault);
    (world, alice, bob)
}

/// The device edits its note; what became of the commit it cannot find out.
fn fail_to_commit(device: &Device, text: &str, fault: Fault) {
    device.edit("note", text);
    device.storage.fail_for_long("create", "changes/", fault);
    // The slot was read once when it was free, and cannot be read back.
    device.storage.fail_later(1, "get", "changes/2", Fault::Lost);
    device.storage.fail_for_long("get", "changes/2", Fault::Lost);
    let failed = device.try_sync().expect_err("the fate of the commit is open");
    assert!(failed.is_transient());
    device.storage.heal();
}

/// Alice's commit did not arrive, and she is away for some days. Her laptop sleeps again when she has seen
/// that all uploads are there. Bob looks for garbage each day, and did so for some days before. Alice does
/// not: she would put again what is missing (rule D2).
fn resumed_after(before: u32, away: u32, asleep: u32) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let (alice, bob) = (alice.set_up(|builder| builder.with_maintenance(false)), Arc::new(bob));
    days(&world, before, &[&bob]);
    fail_to_commit(&alice, &large("new"), Fault::Lost);
    days(&world, away, &[&bob]);
    let (late, time) = (bob.clone(), world.clone());
    alice.storage.before("create", "changes/", move || days(&time, asleep, &[&late]));
    alice.sync();
    world.assert_whole();
    bob.sync();
    assert_eq!(bob.read("note"), Some(large("new")));
    days(&world, 60, &[&bob]);
    world.assert_whole();
}

/// Without it garbage collection deletes a document that a resumed upload then names.
#[test]
pub(crate) fn u3_an_old_upload_is_not_named() {
    resumed_after(0, 20, 25);
}

/// Without it garbage collection deletes a document that a young upload is about to name.
#[test]
pub(crate) fn g1_a_young_upload_is_not_deleted() {
    // Bob looks for the second time on the 16th day.
    resumed_after(7, 5, 5);
}

/// Without it the log names bytes that are nowhere, and no device can read or replace the document.
#[test]
pub(crate) fn u7_an_attempt_is_sent_again_only_if_it_is_whole() {
    for edits in [true, false] {
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["note"]);
        let before = world.keys("docs");
        fail_to_commit(&alice, &large("new"), Fault::Lost);
        // The storage is restored to what it was before the upload.
        for key in world.keys("docs").iter().filter(|key| !before.contains(key)) {
            world.remove(key);
        }
        let text = large(if edits { "newer" } else { "new" });
        alice.edit("note", &text);
        alice.sync();
        world.assert_whole();
        bob.sync();
        assert_eq!(bob.read("note"), Some(text));
    }
}

/// Without it the head names a document that garbage collection is just deleting.
#[test]
pub(crate) fn u2_an_upload_that_lost_its_slot_is_never_named_again() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    fail_to_commit(&alice, &large("new"), Fault::Lost);
    bob.edit("bobs", "text");
    bob.sync();
    let (alice, again) = (Arc::new(alice), Arc::new(()));
    let (late, told) = (alice.clone(), again.clone());
    // After weeks Bob deletes the upload, and in this very moment Alice uploads the edit anew.
    bob.storage.before("delete", "docs/", move || {
        late.sync();
        drop(told);
    });
    days(&world, 46, &[&bob]);
    assert_eq!(Arc::strong_count(&again), 1, "nothing was ever collected");
    world.assert_whole();
    bob.sync();
    assert_eq!((bob.read("note"), alice.read("note")), (Some(large("new")), Some(large("new"))));
}

/// Alice's commit arrived without her knowing, and she edited the note again before her next sync.
/// Her own commit must not stand against her edit.
fn edited_again(fault: Fault) {
    let (world, mut alice, bob) = open(fault);
    alice.storage.deliver().now_or_never();
    alice.edit("note", "newer");
    alice.restart();
    let alice = alice.resolving_by(RemoteWins);
    let report = alice.sync();
    assert_eq!(alice.read("note").as_deref(), Some("newer"));
    assert_eq!((report.conflicts, world.commits()), (0, 3));
    settle(&[&alice, &bob]);
}

/// Without it a device that edited on is in conflict with itself, and its older edit may win.
#[test]
pub(crate) fn u7_an_attempt_is_settled_before_all_else() {
    edited_again(Fault::AnswerLost);
}

/// Without it the same happens once a commit arrives late.
#[test]
pub(crate) fn u7_an_attempt_of_unknown_fate_is_kept() {
    edited_again(Fault::Delayed);
}

/// Without it a device looks for the fate of a commit for ever.
#[test]
pub(crate) fn u7_an_attempt_that_lost_its_slot_is_dropped() {
    let (_, alice, bob) = open(Fault::Lost);
    bob.edit("bobs", "text");
    bob.sync();
    alice.edit("note", "old");
    alice.sync();
    assert!(!alice.status().unsettled);
    settle(&[&alice, &bob]);
}

/// Without it a commit takes its slot that was given up.
#[test]
pub(crate) fn u7_an_attempt_that_may_yet_arrive_is_not_dropped() {
    let (world, mut alice, bob) = open(Fault::Lost);
    world.time.pass(15 * DAY - HOUR / 2);
    alice.storage.fail_for_long("create", "changes/", Fault::Delayed);
    alice.try_sync().expect_err("its fate is open again");
    alice.storage.heal();
    world.time.pass(HOUR * 3 / 4);
    alice.restart();
    alice.try_sync().expect_err("it may neither be sent nor be dropped");
    assert_eq!(world.commits(), 1);
    alice.storage.deliver().now_or_never();
    assert_eq!((alice.sync().pushed, world.commits()), (1, 2));
    settle(&[&alice, &bob]);
}
