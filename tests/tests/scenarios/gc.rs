//! Garbage collection (rules G1, G2 and D2): what nothing names is deleted in the end, what
//! somebody needs never is.

mod needed;
mod put_off;

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Action, ErrorKind, Key, LocalWins, LockPolicy, SyncOptions};
use db_to_cloud_tests::{Device, Fault, World};

use crate::counterexamples::{DAY, days};

const DAYS: i64 = 24 * 3600 * 1000;

/// The key of the version of a document that is the newest now.
fn version(world: &World, id: &str) -> String {
    let change = world.fold().remove(&id.into()).expect("the document was committed");
    Key::document(&change.id, change.vid).to_string()
}

/// The device edits a note twice; the key of the version that the second edit replaced.
fn superseded(world: &World, device: &Device) -> String {
    device.edit("note", "first");
    device.sync();
    let first = version(world, "note");
    device.edit("note", "second");
    device.sync();
    first
}

#[test]
fn a_superseded_version_is_kept_for_30_days_and_then_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    let first = superseded(&world, &alice);
    days(&world, 30, &[&alice]);
    assert!(world.object(&first).is_some(), "too early");
    days(&world, 16, &[&alice]);
    assert_eq!(world.object(&first), None, "too late");
    world.assert_whole();
}

#[test]
fn a_deleted_document_is_kept_for_30_days_and_then_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "text");
    alice.sync();
    let key = version(&world, "note");
    alice.delete("note");
    alice.sync();
    days(&world, 30, &[&alice]);
    assert!(world.object(&key).is_some());
    days(&world, 16, &[&alice]);
    assert_eq!(world.object(&key), None);
}

#[test]
fn an_application_that_wants_history_keeps_versions_longer() {
    let world = World::new();
    let alice = world.device("alice").set_up(|builder| builder.with_grace(DAY * 365));
    let first = superseded(&world, &alice);
    days(&world, 300, &[&alice]);
    assert!(world.object(&first).is_some());
}

#[test]
fn nobody_can_ask_for_less_than_30_days() {
    let world = World::new();
    let alice = world.device("alice").set_up(|builder| builder.with_grace(Duration::ZERO));
    let first = superseded(&world, &alice);
    days(&world, 29, &[&alice]);
    assert!(world.object(&first).is_some());
}

#[test]
fn a_clock_that_jumps_does_not_age_what_is_young() {
    let world = World::new();
    let alice = world.device("alice");
    let first = superseded(&world, &alice);
    days(&world, 8, &[&alice]);
    alice.storage.journal.take();
    // It was seen once; a run counts for 10 days at the most.
    for jump in 1..=2 {
        alice.time.set_wrong_by(jump * 365 * DAYS);
        alice.sync();
        assert!(world.object(&first).is_some(), "deleted at jump {jump}");
    }
    let runs = alice.storage.journal.take().iter().filter(|line| *line == "list docs").count();
    assert_eq!(runs, 2, "each jump was a run");
}

#[test]
fn a_clock_that_goes_back_ages_nothing() {
    let world = World::new();
    let alice = world.device("alice");
    let first = superseded(&world, &alice);
    days(&world, 8, &[&alice]);
    for back in 1..100 {
        alice.time.set_wrong_by(-back * 30 * DAYS);
        alice.sync();
    }
    assert!(world.object(&first).is_some());
}

/// Bob's upload is in the storage, and he stopped before his commit.
fn bob_stopped_after_his_upload(world: &World) -> (Device, String) {
    for step in 1.. {
        let mut bob = world.device("bob");
        let before = world.keys("docs");
        bob.edit("bobs", "text");
        assert!(bob.sync_stopping_at(step), "no upload was ever seen");
        let uploads: Vec<_> =
            world.keys("docs").into_iter().filter(|key| !before.contains(key)).collect();
        if let [upload] = &uploads[..] {
            return (bob, upload.clone());
        }
    }
    unreachable!()
}

#[test]
fn an_upload_that_no_commit_ever_named_is_deleted_in_the_end() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "text");
    alice.sync();
    let (bob, upload) = bob_stopped_after_his_upload(&world);
    days(&world, 30, &[&alice]);
    assert!(world.object(&upload).is_some(), "too early");
    days(&world, 16, &[&alice]);
    assert_eq!(world.object(&upload), None);
    bob.sync();
    assert_eq!(bob.read("bobs").as_deref(), Some("text"));
    alice.sync();
    assert_eq!(alice.read("bobs").as_deref(), Some("text"));
    world.assert_whole();
}

#[test]
fn what_is_named_again_meanwhile_is_kept_for_30_days_anew() {
    let world = World::new();
    let alice = world.device("alice").resolving_by(db_to_cloud::RemoteWins);
    alice.edit("note", "first");
    alice.sync();
    let (first, backup) = (version(&world, "note"), world.backup());
    alice.edit("note", "second");
    alice.sync();
    days(&world, 9, &[&alice]);
    // The storage goes back to where the first version is the newest.
    world.restore(&backup);
    world.time.pass(DAY);
    let accept = SyncOptions { accept_remote: true, ..SyncOptions::default() };
    alice.try_sync_with(accept).unwrap();
    days(&world, 40, &[&alice]);
    alice.edit("note", "third");
    days(&world, 29, &[&alice]);
    assert!(world.object(&first).is_some(), "too early");
    days(&world, 17, &[&alice]);
    assert_eq!(world.object(&first), None);
}
