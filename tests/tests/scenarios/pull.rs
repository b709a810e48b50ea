//! Pulls: long after the last one, into an application that refuses some documents, stopped anywhere
//! (rules P1, P4, P8 and P10).

use std::sync::Arc;

use bytes::Bytes;
use db_to_cloud::{DeferReason, ErrorKind, Key, Resolution};
use db_to_cloud_tests::{Device, Judge, TroubledDatabase, World};

pub(crate) use crate::counterexamples::large;

/// Bob has pushed large documents "a", "b" and "c"; Alice has not pulled them.
pub(crate) fn three_large() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    ["a", "b", "c"].iter().for_each(|id| bob.edit(*id, &large("first")));
    bob.sync();
    (world, alice, bob)
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

/// Rule P4.
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

/// Rule P1.
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

/// Rule P10.
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

/// Rule P8.
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

/// Rule P3.
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
