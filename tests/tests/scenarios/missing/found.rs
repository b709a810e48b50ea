//! Rule D7: bytes that were given up and are there again are put to the application, once.

use super::*;

use std::time::Duration;

use db_to_cloud::{KeepBoth, LocalWins};
use db_to_cloud_tests::{Device, options};

const DAY: Duration = Duration::from_secs(86_400);

/// Bob gave up Alice's "x", and Alice is gone. Then its bytes are there again.
fn healed() -> (World, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("x", &large("first"));
    [&alice, &bob].iter().for_each(|device| drop(device.sync()));
    alice.edit("x", &large("alice's"));
    alice.sync();
    let key = newest(&world, "x");
    let bytes = world.cloud.objects().remove(&key).expect("it is there");
    bob.edit("x", &large("bob's"));
    bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    world.cloud.objects().insert(key, bytes);
    (world, bob)
}

#[test]
fn a_look_at_all_documents_finds_them_and_both_texts_are_kept() {
    let (world, bob) = healed();
    let bob = bob.resolving_by(KeepBoth::new(|_| "copy".into()));
    assert_eq!(bob.sync().conflicts, 0);
    let report = bob.try_sync_with(options::VERIFY).unwrap();
    assert_eq!((report.conflicts, report.pushed, report.deferred.len()), (1, 2, 0));
    assert_eq!(bob.read("x"), Some(large("alice's")));
    assert_eq!(bob.read("copy"), Some(large("bob's")));
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.all(), bob.all());
    // Once.
    assert_eq!(bob.try_sync_with(options::VERIFY).unwrap().conflicts, 0);
}

#[test]
fn garbage_collection_finds_them_too_and_the_next_sync_asks() {
    let (world, bob) = healed();
    let judge = Judge::always(Resolution::TakeRemote);
    let bob = bob.resolving_by(judge.clone());
    for _ in 0..12 {
        world.time.pass(DAY * 8);
        bob.sync();
    }
    assert_eq!((judge.count(), bob.read("x")), (1, Some(large("alice's"))));
    world.assert_whole();
}

#[test]
fn what_is_here_stays_if_the_application_says_so_or_puts_it_off() {
    let (_, bob) = healed();
    let judge = Judge::always(Resolution::Defer);
    let bob = bob.resolving_by(judge.clone());
    let report = bob.try_sync_with(options::VERIFY).unwrap();
    assert_eq!((report.deferred[0].reason, judge.count()), (DeferReason::Conflict, 1));
    bob.sync();
    assert_eq!(judge.count(), 2, "it is asked until it is decided");
    let bob = bob.resolving_by(LocalWins);
    assert_eq!((bob.sync().conflicts, bob.sync().conflicts), (1, 0));
    assert_eq!(bob.read("x"), Some(large("bob's")));
}

#[test]
fn a_stop_anywhere_loses_neither_text() {
    for step in 1.. {
        let (world, bob) = healed();
        let mut bob = bob.resolving_by(Judge::merging());
        let stopped = bob.sync_with_stopping_at(options::VERIFY, step);
        bob.sync();
        bob.try_sync_with(options::VERIFY).unwrap();
        let fresh = world.device("fresh");
        fresh.sync();
        assert_eq!(fresh.all(), bob.all(), "at step {step}");
        let text = fresh.read("x").unwrap();
        assert!(text.contains("alice's") && text.contains("bob's"), "at step {step}");
        if !stopped {
            break;
        }
    }
}
