//! A pull over missing and damaged documents, with an application that refuses some, stopped
//! anywhere (rules P1 to P10).

use std::sync::Arc;

use bytes::Bytes;
use db_to_cloud::{DeferReason, ErrorKind, Key, Resolution};
use db_to_cloud_tests::{Device, Fault, Judge, TroubledDatabase, World};

/// More than fits into an entry.
fn large(text: &str) -> String {
    format!("{text} {}", "x".repeat(5000))
}

/// Bob has pushed large documents "a", "b" and "c"; Alice has not pulled them.
fn three_large() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    ["a", "b", "c"].iter().for_each(|id| bob.edit(*id, &large("first")));
    bob.sync();
    (world, alice, bob)
}

/// The newest version of a document in the storage.
fn newest(world: &World, id: &str) -> Key {
    let entries = (1..=world.commits()).rev().map(|n| world.entry(n));
    let change = entries.flat_map(|e| e.changes).find(|c| c.id == id.into());
    Key::document(&id.into(), change.expect("it was committed").vid)
}

#[test]
fn a_device_long_offline_catches_up_with_all_that_happened() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("0", "old");
    alice.edit("mine", "old");
    alice.sync();
    bob.sync();
    for i in 0..200 {
        bob.edit(format!("{}", i % 7), &format!("version {i}"));
        if i % 50 == 49 {
            bob.delete("0");
        }
        bob.sync();
    }
    alice.edit("mine", "made offline");
    let report = alice.sync();
    assert_eq!((report.pushed, report.conflicts), (1, 0));
    assert!(report.requests.total() < 40, "it reads a snapshot, not 200 entries");
    bob.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(bob.read("mine").as_deref(), Some("made offline"));
}

#[test]
fn a_pull_applies_only_the_last_version_of_each_document() {
    let (_, alice, bob) = three_large();
    bob.edit("a", &large("second"));
    bob.delete("b");
    bob.sync();
    let report = alice.sync();
    assert_eq!((report.pulled, report.deleted, report.requests.get), (2, 0, 1 + 2 + 1 + 2));
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn an_entry_that_does_not_continue_the_log_stops_the_pull() {
    let (world, alice, bob) = three_large();
    alice.sync();
    bob.edit("a", "second");
    bob.sync();
    let text = String::from_utf8(world.cloud.objects()[&Key::change(2)].to_vec()).expect("JSON");
    let prev = world.entry(1).commit.to_string();
    let other = text.replace(&prev, &"0".repeat(prev.len()));
    world.cloud.objects().insert(Key::change(2), Bytes::from(other));
    assert_eq!(alice.try_sync().expect_err("it stops").kind(), ErrorKind::Diverged);
    assert_eq!(alice.read("a"), Some(large("first")));
}

#[test]
fn documents_missing_or_damaged_are_reported_and_heal_with_the_next_good_write() {
    for damage in [None, Some(""), Some("\0\0\0\0"), Some("first xxx")] {
        let (world, alice, bob) = three_large();
        let key = newest(&world, "b");
        let length = world.cloud.objects()[&key].len();
        match damage {
            None => drop(world.cloud.objects().remove(&key)),
            // Once torn, once as long as it should be.
            Some(text) if text.starts_with('\0') => {
                drop(world.cloud.objects().insert(key, Bytes::from(vec![0; length])));
            }
            Some(text) => drop(world.cloud.objects().insert(key, Bytes::from(text))),
        }
        for pulled in [2, 0] {
            let report = alice.sync();
            assert_eq!(report.pulled, pulled, "{damage:?}");
            assert_eq!(report.deferred.len(), 1, "{damage:?}");
            assert_eq!(report.deferred[0].reason, DeferReason::Missing);
            assert_eq!(report.deferred[0].id, "b".into());
        }
        assert_eq!((alice.read("b"), alice.status().pending), (None, 1));
        bob.edit("b", "good again");
        bob.sync();
        let report = alice.sync();
        assert_eq!((report.pulled, report.deferred.len()), (1, 0), "{damage:?}");
        assert_eq!(alice.all(), bob.all());
    }
}

#[test]
fn a_missing_document_that_is_there_again_is_applied() {
    let (world, alice, bob) = three_large();
    let key = newest(&world, "b");
    let bytes = world.cloud.objects().remove(&key).expect("it is there");
    alice.sync();
    world.cloud.objects().insert(key, bytes);
    assert_eq!(alice.sync().pulled, 1);
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn a_missing_document_does_not_replace_or_delete_what_is_here() {
    let (world, alice, bob) = three_large();
    alice.sync();
    bob.edit("b", &large("second"));
    bob.sync();
    let key = newest(&world, "b");
    world.cloud.objects().remove(&key);
    alice.edit("c", "alice's");
    let report = alice.sync();
    assert_eq!((report.deferred.len(), report.pushed), (1, 1));
    assert_eq!(alice.read("b"), Some(large("first")));
    // An edit upon the old version is in conflict with the missing one, which nobody can show.
    alice.edit("b", "alice's");
    assert_eq!(alice.sync().pushed, 0);
    bob.delete("b");
    bob.sync();
    let judge = Judge::always(Resolution::KeepLocal);
    alice.resolving_by(judge.clone()).sync();
    assert_eq!((judge.count(), judge.asked()[0].remote.clone()), (1, None));
}

#[test]
fn a_version_that_comes_while_the_old_one_is_missing_is_taken_in_the_same_sync() {
    let (world, alice, bob) = three_large();
    let key = newest(&world, "b");
    world.cloud.objects().remove(&key);
    alice.storage.before("get", "docs/b.", move || {
        bob.edit("b", &large("second"));
        bob.sync();
    });
    let report = alice.sync();
    assert_eq!((report.pulled, report.deferred.len()), (3, 0));
    assert_eq!(alice.read("b"), Some(large("second")));
}

#[test]
fn documents_the_storage_does_not_hand_out_are_reported_and_the_rest_syncs() {
    for ids in [&["a"][..], &["a", "b"], &["a", "b", "c"]] {
        let (_, alice, bob) = three_large();
        bob.edit("small", "text");
        bob.sync();
        for id in ids {
            let refused = Fault::Refused(ErrorKind::Forbidden);
            alice.storage.fail_for_long("get", &format!("docs/{id}."), refused);
        }
        let report = alice.sync();
        assert_eq!((report.pulled, report.deferred.len()), (4 - ids.len() as u64, ids.len()));
        alice.storage.heal();
        assert_eq!(alice.sync().pulled, ids.len() as u64);
        assert_eq!(alice.all(), bob.all());
    }
}

#[test]
fn a_document_the_application_refuses_is_reported_and_the_others_sync() {
    let (_, alice, bob) = three_large();
    let documents = TroubledDatabase::of(&alice.documents);
    documents.refuse("b");
    let mut alice = alice.with_database(Arc::new(documents.clone()));
    for pulled in [2, 0] {
        let report = alice.sync();
        assert_eq!((report.pulled, report.deferred.len()), (pulled, 1));
        assert_eq!(report.deferred[0].reason, DeferReason::Refused);
        alice.restart();
    }
    alice.edit("d", "alice's");
    assert_eq!(alice.sync().pushed, 1);
    documents.heal();
    assert_eq!(alice.sync().pulled, 1);
    bob.sync();
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn a_delete_the_application_refuses_is_tried_again() {
    let (_, alice, bob) = three_large();
    alice.sync();
    let documents = TroubledDatabase::of(&alice.documents);
    documents.refuse("b");
    let alice = alice.with_database(Arc::new(documents.clone()));
    bob.delete("b");
    bob.sync();
    assert_eq!(alice.sync().deferred.len(), 1);
    documents.heal();
    assert_eq!(alice.sync().deleted, 1);
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn a_decision_the_application_then_refuses_loses_neither_side() {
    let decisions = [Resolution::TakeRemote, Resolution::KeepBoth { copy: "copy".into() }];
    for decision in decisions {
        let (_, alice, bob) = three_large();
        alice.sync();
        bob.edit("b", "bob's");
        bob.sync();
        alice.edit("b", "alice's");
        let documents = TroubledDatabase::of(&alice.documents);
        ["b", "copy"].into_iter().for_each(|id| documents.refuse(id));
        let judge = Judge::always(decision);
        let alice = alice.resolving_by(judge).with_database(Arc::new(documents.clone()));
        let report = alice.sync();
        assert_eq!((report.deferred[0].reason, report.pushed), (DeferReason::Refused, 0));
        assert_eq!(alice.read("b").as_deref(), Some("alice's"));
        documents.heal();
        assert_eq!(alice.sync().deferred, []);
        assert_eq!(alice.read("b").as_deref(), Some("bob's"));
    }
}

/// Alice knows three documents; Bob has since made eight, edited two and deleted one.
fn much_to_pull() -> (World, Device, Device) {
    let (world, alice, bob) = three_large();
    alice.sync();
    (0..8).for_each(|i| bob.edit(format!("small-{i}"), "text"));
    bob.edit("a", &large("second"));
    bob.edit("b", "second");
    bob.delete("c");
    bob.sync();
    (world, alice, bob)
}

#[test]
fn stopped_at_any_step_of_a_pull_nothing_is_asked_and_all_arrives() {
    for bob_goes_on in [false, true] {
        for step in 1.. {
            let (world, alice, bob) = much_to_pull();
            let judge = Judge::always(Resolution::Defer);
            let mut alice = alice.resolving_by(judge.clone());
            let stopped = alice.sync_stopping_at(step);
            if bob_goes_on {
                // What was applied and not yet remembered is an old version now.
                ["a", "small-0", "c"].into_iter().for_each(|id| bob.edit(id, "third"));
                ["b", "small-1"].into_iter().for_each(|id| bob.delete(id));
                bob.sync();
            }
            let report = alice.sync();
            assert_eq!((judge.count(), report.pushed), (0, 0), "step {step}");
            assert_eq!(alice.all(), bob.all(), "step {step}");
            assert_eq!(world.commits(), 2 + u64::from(bob_goes_on), "step {step}");
            assert_eq!(alice.status().queued, 0, "step {step}");
            if !stopped {
                assert!(step > 15, "the sync has only {step} steps");
                break;
            }
        }
    }
}

#[test]
fn an_edit_queued_during_the_pull_does_not_go_into_another_log() {
    let (world, alice, _) = three_large();
    alice.sync();
    // The storage is emptied, and an edit comes when the sync no longer expects one.
    world.cloud.objects().clear();
    let (documents, client) = (alice.documents.clone(), alice.client().clone());
    alice.storage.before("get", "changes/2", move || {
        documents.save("late", "text");
        drop(futures::FutureExt::now_or_never(client.queue_change(&"late".into())));
    });
    assert_eq!(alice.try_sync().expect_err("the log is gone").kind(), ErrorKind::Diverged);
    assert_eq!(world.keys("changes"), Vec::<String>::new());
    assert_eq!(alice.all().len(), 4);
}
