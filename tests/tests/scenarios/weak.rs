//! Storage without atomic create (rules W1, W2, W3, W4 and S3): the lock carries the push, and what
//! a late write destroys is found and offered again.

mod cloned;
mod overwritten;
mod probe;
mod stated;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use db_to_cloud::{Atomicity, ClientBuilder, Environment, ErrorKind, Limits, RemoteWins};
use db_to_cloud_tests::{Device, Fault, World};
use futures::FutureExt;

use crate::counterexamples::storage::sync_with_a_late_put;

const LOCK: &str = "lock.json";
const TTL: Duration = Duration::from_secs(300);
const MARGIN: Duration = Duration::from_secs(30);

/// Alice and Bob on a weak storage both know some documents.
fn two_devices() -> (World, Device, Device) {
    let world = World::weak();
    let (alice, bob) = world.alice_and_bob(&["a", "b", "both", "gone"]);
    (world, alice, bob)
}

fn assert_all_equal(world: &World, devices: &[&Device]) {
    devices.iter().for_each(|device| drop(device.sync()));
    devices.iter().for_each(|device| drop(device.sync()));
    let fresh = world.device("carol");
    fresh.sync();
    for device in devices {
        assert_eq!(device.all(), fresh.all(), "{} and a fresh device", device.name);
    }
}

#[test]
fn two_devices_sync_through_a_weak_storage() {
    let (world, alice, bob) = two_devices();
    alice.edit("a", "alice's");
    bob.edit("b", "bob's");
    bob.delete("gone");
    alice.sync();
    bob.sync();
    alice.sync();
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
    assert_eq!(alice.read("gone"), None);
    assert_all_equal(&world, &[&alice, &bob]);
}

#[test]
fn an_idle_sync_reads_the_next_slot_and_the_anchor_and_takes_no_lock() {
    let (_, alice, _) = two_devices();
    alice.storage.journal.take();
    alice.sync();
    assert_eq!(alice.storage.journal.take(), ["get changes/1.json", "get changes/2.json"]);
}

/// Rule L3.
#[test]
fn a_pull_takes_no_lock() {
    let (world, alice, bob) = two_devices();
    alice.edit("a", "alice's");
    alice.sync();
    world.overwrite(LOCK, "somebody's");
    assert_eq!(bob.sync().pulled, 1);
}

#[test]
fn a_push_locks_pulls_uploads_checks_the_lock_and_the_slot_writes_and_reads_back() {
    let (_, alice, _) = two_devices();
    alice.edit("a", "alice's");
    alice.storage.journal.take();
    alice.sync();
    let expected = [
        // The look at the storage.
        "get changes/1.json",
        "get changes/2.json",
        // Rule W1: free; put; wait; own.
        "get lock.json",
        "put lock.json",
        "get lock.json",
        // The upload, beside the pull with its anchor: what was seen without the lock may have changed.
        "put docs/…",
        "get changes/1.json",
        "get changes/2.json",
        // Rule W3: own; absent; put; own.
        "get lock.json",
        "get changes/2.json",
        "put changes/2.json",
        "get changes/2.json",
        // Unlock: still own.
        "get lock.json",
        "delete lock.json",
    ];
    assert_eq!(alice.storage.journal.take(), expected);
}

#[test]
fn whoever_put_the_lock_first_and_was_overwritten_does_not_hold_it() {
    let (world, alice, bob) = two_devices();
    let bob = Arc::new(bob);
    alice.edit("a", "alice's");
    bob.edit("b", "bob's");
    // Between Alice's put of the lock and her second look Bob puts his.
    let (cloud, rival) = (world.cloud.clone(), bob.clone());
    alice.storage.before("get", LOCK, || {});
    alice.storage.before("get", LOCK, move || {
        cloud.objects().remove(&db_to_cloud::Key::lock());
        rival.sync();
    });
    // Bob is done and the lock is gone: Alice may not go on as if it were hers.
    match alice.try_sync() {
        Ok(_) => {}
        Err(e) => assert_eq!(e.kind(), ErrorKind::Locked),
    }
    assert_eq!(world.entry(2).client, "bob");
    assert_all_equal(&world, &[&alice, &bob]);
}

#[test]
fn a_client_that_lost_the_lock_overwrites_nothing() {
    let (world, alice, bob) = two_devices();
    let bob = Arc::new(bob);
    alice.edit("a", "alice's");
    bob.edit("b", "bob's");
    // Alice stands still before her last look at the lock; Bob breaks it and commits.
    let rival = bob.clone();
    alice.storage.before("get", LOCK, || {});
    alice.storage.before("get", LOCK, || {});
    alice.storage.before("get", LOCK, move || drop(rival.sync()));
    alice.sync();
    assert_eq!(world.entry(2).client, "bob");
    assert_eq!(world.entry(3).client, "alice");
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
    assert_all_equal(&world, &[&alice, &bob]);
}

#[test]
fn a_client_that_was_robbed_of_the_lock_while_it_was_fresh_overwrites_nothing() {
    let (world, alice, bob) = two_devices();
    let bob = Arc::new(bob);
    alice.edit("a", "alice's");
    bob.edit("b", "bob's");
    let (rival, cloud) = (bob.clone(), world.cloud.clone());
    alice.storage.before("get", LOCK, || {});
    alice.storage.before("get", LOCK, || {});
    alice.storage.before("get", LOCK, move || {
        // A person breaks Alice's lock by hand.
        cloud.objects().remove(&db_to_cloud::Key::lock());
        rival.sync();
    });
    alice.sync();
    assert_eq!(world.entry(2).client, "bob");
    assert_all_equal(&world, &[&alice, &bob]);
}

#[test]
fn a_renewed_lock_that_was_left_behind_is_known_as_ones_own() {
    let (world, mut alice, _) = two_devices();
    alice.edit("a", "alice's");
    let time = world.time.clone();
    alice.storage.before("put", "docs/", move || time.pass(TTL - MARGIN));
    alice.storage.fail("delete", LOCK, Fault::Refused(ErrorKind::Forbidden));
    alice.sync();
    assert!(world.object(LOCK).is_some());
    alice.restart();
    alice.edit("a", "alice's second");
    let began = world.time.monotonic();
    alice.sync();
    assert!(world.time.monotonic() - began < Duration::from_secs(20));
}

/// Rule W2.
#[test]
fn the_holder_stops_writing_a_margin_before_its_lock_is_over() {
    let (world, alice, _) = two_devices();
    alice.edit("a", "alice's");
    let taken = Arc::new(Mutex::new(Duration::ZERO));
    for _ in 0..60 {
        let (time, at) = (world.time.clone(), taken.clone());
        alice.storage.before("put", LOCK, move || *at.lock().unwrap() = time.monotonic());
        let (time, at) = (world.time.clone(), taken.clone());
        // Each put of the slot is slow and in vain.
        alice.storage.before("put", "changes/", move || {
            let age = time.monotonic() - *at.lock().unwrap();
            assert!(age <= TTL - MARGIN, "wrote {age:?} after the lock was taken");
            time.pass(Duration::from_secs(29));
        });
        alice.storage.fail("put", "changes/", Fault::Lost);
    }
    alice.try_sync().unwrap_err();
}

#[test]
fn a_commit_that_a_late_write_replaced_before_it_was_read_back_is_made_again_at_once() {
    let (world, alice, bob) = two_devices();
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's");
    let late = bob.storage.clone();
    // Read by the pull, and by rule W3 before and after the put.
    alice.storage.before("get", "changes/2", || {});
    alice.storage.before("get", "changes/2", || {});
    alice.storage.before("get", "changes/2", move || {
        late.deliver().now_or_never();
    });
    assert_eq!((alice.sync().pushed, world.commits()), (1, 3));
    assert_eq!((world.entry(2).client, world.entry(3).client), ("bob".into(), "alice".into()));
    assert_all_equal(&world, &[&alice, &bob]);
}

/// Rule W2: a push takes half of the lock's time at most for one write, however long requests may take.
#[test]
fn a_weak_storage_can_be_pushed_to_however_long_a_request_may_take() {
    let patient: [fn(ClientBuilder) -> ClientBuilder; 4] =
        [|b| limited(b, 75), |b| limited(b, 150), |b| limited(b, 400), |b| limited(b, 24 * 3600)];
    for (request, patient) in patient.into_iter().enumerate() {
        let world = World::weak();
        let alice = world.device("alice").set_up(patient);
        alice.edit("note", "text");
        assert_eq!(alice.sync().pushed, 1, "set-up {request}");
        assert!(world.object(LOCK).is_none(), "set-up {request}");
        // Nobody answers: the write is given up while the lock is ours.
        alice.edit("note", "newer");
        let taken = Arc::new(Mutex::new(Duration::ZERO));
        let (time, at) = (world.time.clone(), taken.clone());
        alice.storage.before("put", LOCK, move || *at.lock().unwrap() = time.monotonic());
        alice.storage.fail("put", "changes/", Fault::Hangs);
        let (time, at) = (world.time.clone(), taken.clone());
        (0..2).for_each(|_| alice.storage.before("get", "changes/2", || {}));
        alice.storage.before("get", "changes/2", move || {
            let age = time.monotonic() - *at.lock().unwrap();
            assert!(age < TTL, "given up {age:?} after the lock was taken");
        });
        assert_eq!(alice.sync().pushed, 1, "set-up {request}");
    }
}

fn limited(builder: ClientBuilder, request: u64) -> ClientBuilder {
    let request = Duration::from_secs(request);
    builder.with_limits(Limits { request, ..Limits::default() })
}

#[test]
fn a_lock_that_took_too_long_says_to_sync_again() {
    let (_, alice, _) = two_devices();
    alice.edit("a", "alice's");
    alice.storage.fail("put", LOCK, Fault::Hangs);
    let error = alice.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::TimedOut);
    assert!(error.to_string().contains("sync again"), "{error}");
    alice.sync();
}
