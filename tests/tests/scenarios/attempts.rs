//! A commit whose fate was open when a sync ended is settled by the next one (rules U2, U4, U5 and
//! U7).

use db_to_cloud::{ErrorKind, Key};
use db_to_cloud_tests::{Device, Fault, World};
use futures::FutureExt;

use crate::counterexamples::DAY;
use crate::counterexamples::attempt::open;

#[track_caller]
fn all_have(text: &str, devices: [&Device; 2]) {
    for device in devices {
        device.sync();
        assert_eq!(device.read("note").as_deref(), Some(text), "{}", device.name);
        assert_eq!((device.status().queued, device.status().unsettled), (0, false));
        assert_eq!(device.sync().requests.total(), 2);
    }
}

#[test]
fn a_commit_that_arrived_is_found_and_not_sent_again() {
    for restart in [false, true] {
        let (world, mut alice, bob) = open(Fault::AnswerLost);
        if restart {
            alice.restart();
        }
        let report = alice.sync();
        assert_eq!((report.pushed, report.requests.create, report.requests.put), (1, 0, 0));
        assert_eq!(world.commits(), 2);
        all_have("new", [&alice, &bob]);
    }
}

#[test]
fn a_commit_that_did_not_arrive_is_sent_again_byte_by_byte() {
    for fault in [Fault::Lost, Fault::Delayed, Fault::Refused(ErrorKind::Throttled)] {
        let (world, mut alice, bob) = open(fault);
        alice.restart();
        assert_eq!(alice.sync().pushed, 1);
        alice.storage.deliver().now_or_never();
        let sent = alice.storage.sent(&Key::change(2));
        assert!(sent.len() >= 2 && sent.iter().all(|bytes| *bytes == sent[0]), "{fault:?}");
        assert_eq!((world.commits(), world.keys("docs").len()), (2, 2), "{fault:?}");
        all_have("new", [&alice, &bob]);
    }
}

#[test]
fn a_commit_that_arrives_late_is_known_as_ones_own() {
    let (world, mut alice, bob) = open(Fault::Delayed);
    alice.restart();
    alice.storage.deliver().now_or_never();
    assert_eq!(alice.sync().requests.create, 0);
    assert_eq!(world.commits(), 2);
    all_have("new", [&alice, &bob]);
}

#[test]
fn a_commit_that_arrives_between_the_look_and_the_second_sending_is_ones_own_too() {
    let (world, mut alice, bob) = open(Fault::Delayed);
    alice.restart();
    let late = alice.storage.clone();
    alice.storage.before("create", "changes/", move || {
        late.deliver().now_or_never();
    });
    assert_eq!((alice.sync().pushed, world.commits()), (1, 2));
    all_have("new", [&alice, &bob]);
}

#[test]
fn a_slot_that_another_device_took_gives_the_edit_a_new_name() {
    for fault in [Fault::Lost, Fault::Delayed] {
        let (world, alice, bob) = open(fault);
        let first = world.keys("docs");
        bob.edit("bobs", "text");
        bob.sync();
        assert_eq!(alice.sync().pushed, 1);
        alice.storage.deliver().now_or_never();
        assert_eq!((world.commits(), world.entry(3).changes.len()), (3, 1));
        let key = Key::document(&"note".into(), world.entry(3).changes[0].vid).to_string();
        assert!(!first.contains(&key), "a new sync uploads under a new name");
        all_have("new", [&alice, &bob]);
    }
}

#[test]
fn the_same_document_in_the_other_devices_commit_is_a_conflict() {
    let (_, alice, bob) = open(Fault::Lost);
    bob.edit("note", "bob's");
    bob.sync();
    let report = alice.sync();
    assert_eq!((report.conflicts, report.pushed), (1, 0));
    assert_eq!(alice.read("note").as_deref(), Some("new"));
}

#[test]
fn an_edit_made_since_the_attempt_follows_it() {
    for fault in [Fault::Lost, Fault::AnswerLost] {
        let (world, mut alice, bob) = open(fault);
        alice.edit("note", "newer");
        alice.restart();
        assert_eq!((alice.sync().pushed, world.commits()), (2, 3), "{fault:?}");
        assert_eq!(world.entry(3).changes[0].base, Some(world.entry(2).changes[0].vid));
        all_have("newer", [&alice, &bob]);
    }
}

#[test]
fn an_attempt_is_sent_again_while_its_uploads_are_young() {
    let (world, mut alice, bob) = open(Fault::Lost);
    world.time.pass(14 * DAY);
    alice.restart();
    alice.sync();
    let sent = alice.storage.sent(&Key::change(2));
    assert!(sent.iter().all(|bytes| *bytes == sent[0]));
    all_have("new", [&alice, &bob]);
}

#[test]
fn an_attempt_whose_uploads_are_old_is_dropped_and_made_anew() {
    let (world, mut alice, bob) = open(Fault::Lost);
    world.time.pass(16 * DAY);
    alice.restart();
    assert_eq!(alice.sync().pushed, 1);
    let sent = alice.storage.sent(&Key::change(2));
    assert_ne!(sent.first(), sent.last());
    let vid = world.entry(2).changes[0].vid;
    let uploads = alice.storage.sent(&Key::document(&"note".into(), vid));
    assert_eq!((uploads.len(), world.keys("docs").len()), (1, 3));
    all_have("new", [&alice, &bob]);
}

#[test]
fn wherever_the_device_stops_what_it_sends_again_are_the_same_bytes() {
    for step in 1.. {
        let world = World::new();
        let (mut alice, bob) = (world.device("alice"), world.device("bob"));
        alice.edit("note", "new");
        let stopped = alice.sync_stopping_at(step);
        let unsettled = alice.status().unsettled;
        alice.sync();
        let sent = alice.storage.sent(&Key::change(1));
        let same = sent.iter().all(|bytes| *bytes == sent[0]);
        assert!(same || !unsettled, "step {step}: other bytes are sent");
        assert_eq!(world.commits(), 1, "step {step}");
        all_have("new", [&alice, &bob]);
        if !stopped {
            break;
        }
    }
}

#[test]
fn wherever_the_device_stops_a_slot_taken_meanwhile_loses_nothing() {
    for step in 1.. {
        let world = World::new();
        let (mut alice, bob) = (world.device("alice"), world.device("bob"));
        alice.edit("note", "new");
        let stopped = alice.sync_stopping_at(step);
        bob.edit("bobs", "text");
        bob.sync();
        alice.sync();
        assert_eq!(world.commits(), 2, "step {step}");
        all_have("new", [&alice, &bob]);
        assert_eq!(alice.all(), bob.all(), "step {step}");
        if !stopped {
            break;
        }
    }
}
