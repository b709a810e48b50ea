//! Devices that were reinstalled over old documents or were offline for long: nothing comes back
//! from the dead (lesson 2, rule P6).

use std::time::Duration;

use db_to_cloud::Action;
use db_to_cloud_tests::{Device, Judge, World, settle};

/// Alice and Bob hold "note" in its third version, "gone" was deleted after its second one, and
/// Alice has the versions of these documents that her backup had.
fn reinstalled(note: &str, gone: Option<&str>) -> (World, Device, Device, Judge) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for text in ["first", "second"] {
        bob.edit("note", text);
        bob.edit("gone", text);
        bob.sync();
    }
    bob.edit("note", "third");
    bob.delete("gone");
    bob.sync();
    let judge = Judge::merging();
    let mut alice = alice.resolving_by(judge.clone());
    alice.edit_unqueued("note", note);
    gone.into_iter().for_each(|text| alice.edit_unqueued("gone", text));
    alice.reinstall();
    (world, alice, bob, judge)
}

#[test]
fn a_reinstalled_device_neither_brings_back_the_deleted_nor_asks_about_the_old() {
    for note in ["first", "second", "third"] {
        for gone in [None, Some("first"), Some("second")] {
            let (world, alice, bob, judge) = reinstalled(note, gone);
            let report = alice.sync();
            assert_eq!((judge.count(), report.pushed), (0, 0), "{note}, {gone:?}");
            assert_eq!(alice.read("note").as_deref(), Some("third"), "{note}, {gone:?}");
            assert_eq!(alice.read("gone"), None, "{note}, {gone:?}");
            settle(&[&alice, &bob]);
            assert_eq!(world.commits(), 3);
        }
    }
}

#[test]
fn what_a_reinstalled_device_made_of_old_documents_is_put_to_the_application() {
    let (_, alice, bob, judge) = reinstalled("first alice", Some("second alice"));
    alice.sync();
    assert_eq!(judge.count(), 2);
    settle(&[&alice, &bob]);
    assert_eq!(bob.read("note").as_deref(), Some("alice first third"));
    assert_eq!(bob.read("gone").as_deref(), Some("second alice"));
}

#[test]
fn a_reinstalled_device_behind_a_snapshot_knows_the_old_and_the_deleted_too() {
    for old in [0, 10, 39] {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        for i in 0..40 {
            bob.edit("note", &format!("version {i}"));
            bob.edit("gone", &format!("version {i}"));
            bob.sync();
        }
        bob.delete("gone");
        bob.sync();
        // Enough for a snapshot that holds the delete as well.
        for i in 40..100 {
            bob.edit("note", &format!("version {i}"));
            bob.sync();
        }
        assert!(!world.keys("snapshot").is_empty());
        let judge = Judge::merging();
        let mut alice = alice.resolving_by(judge.clone());
        ["note", "gone"]
            .into_iter()
            .for_each(|id| alice.edit_unqueued(id, &format!("version {old}")));
        alice.reinstall();
        alice.sync();
        assert_eq!(judge.count(), 0, "version {old}");
        assert_eq!(alice.all(), bob.all(), "version {old}");
    }
}

#[test]
fn a_document_made_again_on_purpose_survives() {
    for text in ["first", "something new"] {
        let world = World::new();
        let (alice, bob, carol) =
            (world.device("alice"), world.device("bob"), world.device("carol"));
        alice.edit("note", "first");
        settle(&[&alice, &bob, &carol]);
        bob.delete("note");
        settle(&[&bob, &alice]);
        alice.edit("note", text);
        settle(&[&alice, &bob, &carol]);
        assert_eq!(carol.read("note").as_deref(), Some(text));
        assert_eq!(world.changes(3), [("note".to_owned(), Action::Put)]);
    }
}

#[test]
fn a_device_long_offline_does_not_bring_back_the_deleted() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    (0..5).for_each(|i| alice.edit(format!("doc-{i}"), "text"));
    settle(&[&alice, &bob]);
    (0..3).for_each(|i| bob.delete(format!("doc-{i}")));
    bob.sync();
    for i in 0..60 {
        bob.edit("doc-4", &format!("version {i}"));
        bob.sync();
    }
    world.time.pass(Duration::from_secs(300 * 24 * 3600));
    let judge = Judge::merging();
    let mut alice = alice.resolving_by(judge.clone());
    alice.restart();
    alice.edit("mine", "text");
    let report = alice.sync();
    assert_eq!((report.deleted, report.pushed, judge.count()), (3, 1, 0));
    settle(&[&alice, &bob]);
}
