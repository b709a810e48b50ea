//! Rules D6 and P14: what this device has takes the place of a version that is lost, by consent, and no
//! device's own is overwritten unseen by that.

use super::*;

use db_to_cloud::{DeferAll, RemoteWins};
use db_to_cloud_tests::{Device, options};

/// All have "x" as "first". Alice has put another text in its place, whose bytes the storage lost.
fn lost() -> (World, [Device; 3]) {
    let world = World::new();
    let devices = ["alice", "bob", "carol"].map(|name| world.device(name));
    devices[0].edit("x", &large("first"));
    devices.iter().for_each(|device| drop(device.sync()));
    devices[0].edit("x", &large("alice's"));
    devices[0].sync();
    let key = newest(&world, "x");
    world.cloud.objects().remove(&key);
    (world, devices)
}

fn merging(device: Device) -> (Device, Judge) {
    let judge = Judge::merging();
    (device.resolving_by(judge.clone()), judge)
}

#[track_caller]
fn assert_missing(report: &db_to_cloud::Report) {
    let reasons: Vec<_> = report.deferred.iter().map(|d| d.reason).collect();
    assert_eq!(reasons, [DeferReason::Missing]);
}

#[test]
fn an_edit_takes_the_place_of_what_is_lost_once_the_user_agrees() {
    let (world, [_, bob, carol]) = lost();
    bob.edit("x", &large("bob's"));
    for _ in 0..3 {
        let report = bob.sync();
        assert_missing(&report);
        assert_eq!((report.pushed, world.commits()), (0, 2));
    }
    // No answer that a resolver could give takes the text away.
    let bob = bob.resolving_by(RemoteWins);
    let report = bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    assert_eq!((report.pushed, report.conflicts, report.deferred.len()), (1, 0, 0));
    assert_eq!((report.given_up, bob.status().pending), (vec!["x".into()], 0));
    assert_eq!(carol.sync().pulled, 1);
    assert_eq!(carol.read("x"), Some(large("bob's")));
    assert_eq!((bob.sync().requests.total(), carol.sync().requests.total()), (2, 2));
    world.assert_whole();
}

#[test]
fn a_document_that_nobody_edited_takes_the_place_too() {
    let (world, [alice, bob, carol]) = lost();
    let report = bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    assert_eq!((report.pushed, report.given_up.len()), (1, 1));
    assert_eq!(world.entry(3).changes[0].base, world.entry(1).changes[0].vid.into());
    assert_eq!((carol.sync().deferred.len(), carol.read("x")), (0, Some(large("first"))));
    world.assert_whole();
    // Rule P14: its author still has what is lost for the others.
    let (alice, judge) = merging(alice);
    assert_eq!((alice.sync().conflicts, judge.count()), (1, 1));
    carol.sync();
    assert_eq!(carol.read("x"), alice.read("x"));
    assert!(alice.read("x").unwrap().contains("alice's"));
}

#[test]
fn a_document_that_was_never_synced_and_a_delete_take_the_place_too() {
    for deletes in [true, false] {
        let (world, [alice, bob, _]) = lost();
        let dave = world.device("dave");
        match deletes {
            true => bob.delete("x"),
            false => dave.edit("x", &large("dave's")),
        }
        let device = if deletes { &bob } else { &dave };
        assert_missing(&device.sync());
        let report = device.try_sync_with(options::GIVE_UP_MISSING).unwrap();
        assert_eq!((report.pushed, report.deferred.len()), (1, 0));
        let (alice, judge) = merging(alice);
        alice.sync();
        assert_eq!((judge.count(), judge.asked()[0].remote.is_none()), (1, deletes));
        assert!(alice.read("x").unwrap().contains("alice's"));
    }
}

#[test]
fn a_device_that_has_nothing_of_its_own_changes_nothing() {
    let (world, [..]) = lost();
    let dave = world.device("dave");
    let report = dave.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    assert_missing(&report);
    assert_eq!((report.given_up.len(), world.commits(), dave.status().pending), (0, 2, 1));
}

#[test]
fn an_edit_of_an_older_revision_is_put_to_those_that_have_the_newer() {
    let (world, [alice, bob, carol]) = lost();
    let first = bob.revision("x").unwrap();
    carol.edit("x", &large("carol's"));
    carol.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    bob.sync();
    let (alice, _) = merging(alice);
    alice.sync();
    let key = newest(&world, "x");
    world.cloud.objects().remove(&key);
    // Bob has carol's text now; his editor has had the first one open all the time.
    bob.edit_of("x", &large("bob's"), &first);
    assert_missing(&bob.sync());
    bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    let (carol, judge) = merging(carol);
    carol.sync();
    assert_eq!(judge.count(), 1);
    assert!(carol.read("x").unwrap().contains("carol's"));
}

#[test]
fn p14_a_device_that_has_what_another_never_saw_is_asked() {
    let (_, [alice, bob, carol]) = lost();
    bob.edit("x", &large("bob's"));
    bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    // An edit upon it comes before alice syncs.
    carol.sync();
    carol.edit("x", &large("carol's"));
    carol.sync();
    let (alice, judge) = merging(alice.resolving_by(DeferAll));
    assert_eq!((alice.sync().conflicts, judge.count()), (1, 1));
    let asked = &judge.asked()[0];
    assert_eq!(asked.remote_device.as_deref(), Some("carol"));
    assert_eq!(asked.local.as_ref().unwrap().bytes, large("alice's"));
    [&bob, &carol, &alice, &bob, &carol].iter().for_each(|device| drop(device.sync()));
    assert_eq!((alice.all(), carol.all()), (bob.all(), bob.all()));
}

#[test]
fn a_reinstalled_device_that_has_what_another_never_saw_is_asked() {
    for snapshot in [false, true] {
        let (world, [mut alice, bob, carol]) = lost();
        bob.edit("x", &large("bob's"));
        bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
        (0..if snapshot { 40 } else { 0 }).for_each(|i| {
            carol.edit("other", &large(&format!("{i}")));
            carol.sync();
        });
        assert_eq!(world.keys("snapshot").is_empty(), !snapshot);
        alice.reinstall();
        let (alice, judge) = merging(alice);
        alice.sync();
        assert_eq!(judge.count(), 1, "snapshot: {snapshot}");
        assert!(alice.read("x").unwrap().contains("alice's"));
    }
}

#[test]
fn what_is_missing_says_who_wrote_it_and_since_when() {
    let (world, [_, bob, _]) = lost();
    let first = bob.sync().deferred[0].detail.clone();
    assert!(first.contains("written by \"alice\""), "{first}");
    assert!(first.contains("as first seen here at 20"), "{first}");
    world.time.pass(std::time::Duration::from_secs(86_400));
    assert_eq!(bob.sync().deferred[0].detail, first);
}

#[test]
fn a_stop_anywhere_leaves_the_question_open_or_settles_it() {
    for step in 1.. {
        let (world, [alice, mut bob, carol]) = lost();
        bob.sync();
        let stopped = bob.sync_with_stopping_at(options::GIVE_UP_MISSING, step);
        let report = bob.sync();
        assert_eq!(report.deferred.len() as u64, 3 - world.commits(), "at step {step}");
        bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
        let (alice, judge) = merging(alice);
        alice.sync();
        assert_eq!((judge.count(), world.commits()), (1, 4), "at step {step}");
        [&bob, &carol].iter().for_each(|device| drop(device.sync()));
        assert_eq!((bob.all(), carol.all()), (alice.all(), alice.all()), "at step {step}");
        world.assert_whole();
        if !stopped {
            assert!(step > 15, "the sync took {step} steps");
            break;
        }
    }
}
