//! The lock (rules L1, L2 and L3): it calms contention, it never gets stuck, and nothing depends on
//! it.

mod policy;

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{ErrorKind, LockAdmin, LockPolicy, SyncOptions};
use db_to_cloud_tests::{Device, Fault, World};
use futures::FutureExt;
use serde_json::json;

const TTL: Duration = Duration::from_secs(60);
const MARGIN: Duration = Duration::from_secs(30);
const LOCK: &str = "lock.json";

fn locking(device: Device) -> Device {
    device.set_up(|builder| builder.with_lock(LockPolicy::Always))
}

/// Alice has stopped for good while she held the lock; Bob knows nothing yet.
fn alice_is_gone_with_the_lock() -> (World, Device, Device) {
    for step in 1.. {
        let world = World::new();
        let (mut alice, bob) = (locking(world.device("alice")), locking(world.device("bob")));
        alice.edit("note", "alice's");
        assert!(alice.sync_stopping_at(step), "the lock was never there");
        if world.object(LOCK).is_some() {
            return (world, alice, bob);
        }
    }
    unreachable!()
}

/// How long a sync takes on this device's clock.
fn sync_time(world: &World, device: &Device) -> Duration {
    let began = monotonic(world);
    device.sync();
    monotonic(world) - began
}

fn monotonic(world: &World) -> Duration {
    db_to_cloud::Environment::monotonic(&world.time)
}

#[test]
fn the_lock_names_its_owner_a_fresh_nonce_and_its_time() {
    let (world, _, _) = alice_is_gone_with_the_lock();
    let lock = world.json(LOCK);
    assert_eq!(lock["format"], 1);
    assert_eq!(lock["owner"], "alice");
    assert_eq!(lock["ttl"], 60);
    assert!(lock["time"].is_u64());
    assert_eq!(lock["nonce"].as_str().map(str::len), Some(32));
    assert_eq!(lock.as_object().map(|lock| lock.len()), Some(5));
}

#[test]
fn the_lock_is_gone_after_a_sync() {
    let world = World::new();
    let alice = locking(world.device("alice"));
    alice.edit("note", "hello");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert!(journal.contains(&"create lock.json".to_owned()), "{journal:?}");
    assert_eq!(journal.last().map(String::as_str), Some("delete lock.json"));
    assert_eq!(world.object(LOCK), None);
}

#[test]
fn only_one_has_the_lock_and_the_other_waits_until_it_is_given_back() {
    let (world, alice, bob) = alice_is_gone_with_the_lock();
    let alice = Arc::new(alice);
    bob.edit("b", "bob's");
    // When Bob looks for the third time Alice is back, and finishes.
    let (cloud, returning) = (world.cloud.clone(), alice.clone());
    bob.storage.before("get", LOCK, || {});
    bob.storage.before("get", LOCK, || {});
    bob.storage.before("get", LOCK, move || {
        assert!(cloud.objects().keys().all(|key| key.slot().is_none()), "Bob did not wait");
        returning.sync();
    });
    assert!(sync_time(&world, &bob) < Duration::from_secs(20));
    alice.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(world.object(LOCK), None);
}

#[test]
fn a_client_stopped_with_the_lock_delays_others_by_its_ttl_and_the_margin() {
    let (world, _, bob) = alice_is_gone_with_the_lock();
    bob.edit("b", "bob's");
    let time = sync_time(&world, &bob);
    assert!(time >= TTL + MARGIN, "broken after {time:?}");
    assert!(time <= TTL + MARGIN + Duration::from_secs(10), "waited {time:?}");
    assert_eq!(world.object(LOCK), None);
    bob.edit("b", "bob's second");
    assert!(sync_time(&world, &bob) < Duration::from_secs(1));
}

#[test]
fn wrong_clocks_on_the_wall_do_not_break_a_lock_early_or_late() {
    const YEARS: i64 = 10 * 365 * 24 * 3600 * 1000;
    for (alices, bobs) in [(-YEARS, 0), (0, -YEARS), (YEARS, -YEARS), (-YEARS, YEARS)] {
        let (world, alice, bob) = alice_is_gone_with_the_lock();
        alice.time.set_wrong_by(alices);
        bob.time.set_wrong_by(bobs);
        bob.edit("b", "bob's");
        let time = sync_time(&world, &bob);
        assert!(time >= TTL + MARGIN, "broken after {time:?}");
        assert!(time <= TTL + MARGIN + Duration::from_secs(10), "waited {time:?}");
    }
}

#[test]
fn a_lock_that_is_taken_anew_is_waited_for_anew() {
    let (world, _, bob) = alice_is_gone_with_the_lock();
    let cloud = world.cloud.clone();
    let (began, time) = (monotonic(&world), world.time.clone());
    bob.edit("b", "bob's");
    // Carol takes it over from Alice when Bob looks for the second time.
    bob.storage.before("get", LOCK, || {});
    bob.storage.before("get", LOCK, move || {
        let nonce = "0123456789abcdef0123456789abcdef";
        let lock = json!({"format": 1, "owner": "carol", "nonce": nonce, "ttl": 100, "time": 0});
        cloud.objects().insert(db_to_cloud::Key::lock(), lock.to_string().into());
        time.pass(Duration::from_secs(50));
    });
    bob.sync();
    let waited = monotonic(&world) - began;
    assert!(waited >= Duration::from_secs(50 + 100) + MARGIN, "broken after {waited:?}");
}

#[test]
fn ones_own_stale_lock_is_entered_again_at_once() {
    let (world, alice, _) = alice_is_gone_with_the_lock();
    let time = sync_time(&world, &alice);
    assert!(time < Duration::from_secs(10), "waited {time:?}");
    assert_eq!(world.commits(), 1);
    assert_eq!(world.object(LOCK), None);
}

#[test]
fn a_client_that_held_the_lock_too_long_leaves_it_to_others_to_break() {
    let world = World::new();
    let alice = locking(world.device("alice"));
    alice.edit("note", "hello");
    let time = world.time.clone();
    alice.storage.before("create", "changes/", move || time.pass(TTL));
    alice.sync();
    assert_eq!(world.json(LOCK)["owner"], "alice", "it might have been another's by then");
}

#[test]
fn a_damaged_lock_is_broken_in_time() {
    for damage in
        ["", "{", "null", "[1]", r#"{"format":1}"#, "\0\0\0\0", r#"{"format":1,"ttl":-1}"#]
    {
        let world = World::new();
        let alice = locking(world.device("alice"));
        world.overwrite(LOCK, damage);
        alice.edit("note", "hello");
        let time = sync_time(&world, &alice);
        assert!(time >= TTL, "{damage:?} was broken after {time:?}");
        assert!(time <= TTL + MARGIN + Duration::from_secs(10), "{damage:?} took {time:?}");
        assert_eq!(world.object(LOCK), None);
    }
}

#[test]
fn a_lock_that_claims_to_last_for_ever_is_broken_after_five_minutes() {
    let world = World::new();
    let alice = locking(world.device("alice"));
    let longest = Duration::from_secs(300);
    for (i, ttl) in [301, 3600, u64::MAX].into_iter().enumerate() {
        let nonce = format!("{i:032x}");
        let lock = json!({"format": 1, "owner": "x", "nonce": nonce, "ttl": ttl, "time": u64::MAX});
        world.overwrite(LOCK, lock.to_string());
        alice.edit("note", &format!("the lock says {ttl}"));
        let time = sync_time(&world, &alice);
        assert!(time >= longest + MARGIN, "{ttl}: broken after {time:?}");
        assert!(time <= longest + MARGIN + Duration::from_secs(10), "{ttl}: waited {time:?}");
    }
}
