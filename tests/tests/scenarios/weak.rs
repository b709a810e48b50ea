//! Storage without atomic create (rules W1 to W5, S3): the lock carries the push, and what a late
//! write destroys is found and offered again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use db_to_cloud::{Atomicity, Environment, ErrorKind, RemoteWins};
use db_to_cloud_tests::{Device, Fault, World};
use futures::FutureExt;

const LOCK: &str = "lock.json";
const TTL: Duration = Duration::from_secs(300);
const MARGIN: Duration = Duration::from_secs(30);

/// Alice and Bob on a weak storage both know some documents.
fn two_devices() -> (World, Device, Device) {
    let world = World::weak();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for id in ["a", "b", "both", "gone"] {
        alice.edit(id, "old");
    }
    alice.sync();
    bob.sync();
    (world, alice, bob)
}

/// The device's sync fails: its put of the slot is under way, and arrives when it is delivered.
fn sync_with_a_late_put(device: &Device) {
    for _ in 0..100 {
        device.storage.fail("put", "changes/", Fault::Delayed);
    }
    assert!(device.try_sync().is_err());
    device.storage.heal();
}

fn deliver_late_puts(device: &Device) {
    device.storage.deliver().now_or_never().expect("it does not wait");
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
        // W1: free; put; wait; own.
        "get lock.json",
        "put lock.json",
        "get lock.json",
        // The pull, with its anchor.
        "get changes/1.json",
        "get changes/2.json",
        "put docs/…",
        // W3: own; absent; put; own.
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
fn a_commit_that_a_late_write_replaced_is_offered_again_without_asking() {
    let (world, alice, bob) = two_devices();
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's");
    alice.edit("new", "alice's");
    alice.delete("gone");
    alice.sync();
    assert_eq!(world.entry(2).client, "alice");
    deliver_late_puts(&bob);
    assert_eq!(world.entry(2).client, "bob");
    let report = alice.sync();
    assert_eq!((report.conflicts, report.pushed), (0, 3));
    assert_eq!(alice.read("a").as_deref(), Some("alice's"));
    assert_eq!(alice.read("new").as_deref(), Some("alice's"));
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
    assert_eq!(alice.read("gone"), None);
    assert_all_equal(&world, &[&alice, &bob]);
}

#[test]
fn a_replaced_commit_is_not_lost_where_the_storage_wins_conflicts() {
    let (world, alice, bob) = two_devices();
    let alice = alice.resolving_by(RemoteWins);
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's");
    alice.edit("new", "alice's");
    alice.sync();
    deliver_late_puts(&bob);
    alice.sync();
    assert_eq!(alice.read("a").as_deref(), Some("alice's"));
    assert_eq!(alice.read("new").as_deref(), Some("alice's"));
    assert_all_equal(&world, &[&alice, &bob]);
}

#[test]
fn a_replaced_commit_conflicts_with_the_write_that_replaced_it_where_both_changed_a_document() {
    let (world, alice, bob) = two_devices();
    bob.edit("both", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("both", "alice's");
    alice.edit("a", "alice's");
    alice.sync();
    deliver_late_puts(&bob);
    let report = alice.sync();
    assert_eq!((report.conflicts, report.pushed), (1, 1));
    assert_eq!(alice.read("both").as_deref(), Some("alice's"), "put off, not overwritten");
    let alice = alice.resolving_by(db_to_cloud::LocalWins);
    assert_all_equal(&world, &[&alice, &bob]);
    assert_eq!(bob.read("both").as_deref(), Some("alice's"));
}

#[test]
fn an_edit_made_after_the_replaced_commit_is_not_lost() {
    let (world, alice, bob) = two_devices();
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's first");
    alice.sync();
    deliver_late_puts(&bob);
    alice.edit("a", "alice's second");
    assert_eq!(alice.sync().conflicts, 0);
    assert_all_equal(&world, &[&alice, &bob]);
    assert_eq!(bob.read("a").as_deref(), Some("alice's second"));
}

#[test]
fn a_reader_of_the_replaced_commit_ends_up_the_same() {
    let (world, alice, bob) = two_devices();
    let dave = world.device("dave");
    dave.sync();
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's");
    alice.edit("new", "alice's");
    alice.sync();
    dave.sync();
    deliver_late_puts(&bob);
    dave.sync();
    assert_eq!(dave.read("a").as_deref(), Some("alice's"), "nothing is undone unasked");
    assert_eq!(dave.read("new").as_deref(), Some("alice's"));
    alice.sync();
    assert_all_equal(&world, &[&alice, &bob, &dave]);
    assert_eq!(dave.read("a").as_deref(), Some("alice's"));
}

#[test]
fn two_writers_that_both_believe_in_the_lock_lose_nothing() {
    let (world, alice, bob) = two_devices();
    let bob = Arc::new(bob);
    alice.edit("a", "alice's");
    bob.edit("b", "bob's");
    // Alice stands still between her last look and her write: no lock helps against that.
    let rival = bob.clone();
    alice.storage.before("put", "changes/", move || drop(rival.sync()));
    alice.sync();
    assert_eq!(world.entry(2).client, "alice", "Bob's commit is overwritten");
    assert_all_equal(&world, &[&bob, &alice]);
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
}

/// What rule W4 cannot see, because only the slot of the last commit is looked at: a write that
/// arrives so late that other commits stand on the one it replaces. Devices that were there agree
/// and keep all documents; a new device is told that the log is broken and gets none.
#[test]
fn known_hole_a_very_late_write_under_other_commits_locks_out_new_devices() {
    let world = World::weak();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("a", "alice's");
    sync_with_a_late_put(&alice);
    bob.edit("b", "bob's");
    bob.sync();
    alice.sync();
    assert_eq!(world.commits(), 2);
    bob.sync();
    deliver_late_puts(&alice);
    assert_eq!(world.entry(1).client, "alice", "Bob's commit is gone from the log");
    for device in [&alice, &bob] {
        device.sync();
        assert_eq!(device.read("a").as_deref(), Some("alice's"));
        assert_eq!(device.read("b").as_deref(), Some("bob's"));
    }
    let carol = world.device("carol");
    assert_eq!(carol.try_sync().unwrap_err().kind(), ErrorKind::Diverged);
    assert_eq!(carol.all(), []);
}

#[test]
fn a_client_that_requires_a_strong_storage_refuses_a_weak_one() {
    let world = World::weak();
    let alice = world.device("alice").set_up(|builder| builder.require_strong());
    alice.edit("note", "hello");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::WeakStorage);
    assert_eq!(alice.storage.journal.take(), [""; 0]);
}

fn probing(world: &World) -> Device {
    let device = world.device("alice");
    device.storage.set_capabilities(|capabilities| capabilities.create = Atomicity::Probe);
    device
}

fn count(journal: &[String], request: &str) -> usize {
    journal.iter().filter(|line| line.starts_with(request)).count()
}

#[test]
fn a_storage_that_may_ignore_conditions_is_raced_once_and_the_answer_is_remembered() {
    let world = World::new();
    let mut alice = probing(&world);
    alice.edit("note", "hello");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!(count(&journal, "create probe/"), 3 * (8 + 1), "8 creators and a late one");
    assert_eq!(count(&journal, "delete probe/"), 3);
    assert_eq!(world.keys("probe"), [""; 0]);
    assert_eq!(count(&journal, "create changes/1.json"), 1);
    alice.restart();
    alice.edit("note", "hello again");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!(count(&journal, "create probe/"), 0);
}

#[test]
fn a_storage_that_ignores_conditions_is_found_weak_and_used_under_the_lock() {
    let world = World::new();
    let mut alice = probing(&world);
    alice.storage.ignore_conditions();
    alice.edit("note", "hello");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!(count(&journal, "put changes/1.json"), 1);
    assert_eq!(count(&journal, "put lock.json"), 1);
    assert_eq!(world.keys("probe"), [""; 0]);
    alice.restart();
    alice.edit("note", "hello again");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!((count(&journal, "create"), count(&journal, "put changes/2.json")), (0, 1));
    let strict = alice.set_up(|builder| builder.require_strong());
    assert_eq!(strict.try_sync().unwrap_err().kind(), ErrorKind::WeakStorage);
}

#[test]
fn a_race_that_could_not_be_run_is_run_again() {
    let world = World::new();
    let alice = probing(&world);
    alice.edit("note", "hello");
    for i in 0..27 {
        alice.storage.fail_later(i, "create", "probe/", Fault::Refused(ErrorKind::Unavailable));
        let result = alice.try_sync();
        assert_eq!(result.map_err(|e| e.kind()).err(), Some(ErrorKind::Unavailable), "create {i}");
        assert_eq!(world.keys("probe"), [""; 0]);
        assert_eq!(world.commits(), 0);
    }
    alice.storage.journal.take();
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "create probe/"), 27);
}
