//! A sync that is asked to end gives its lock back, at whatever step it stands (rules L1 and W3).

use std::time::Duration;

use db_to_cloud::{ErrorKind, LockPolicy};
use db_to_cloud_tests::{Device, Fault, World};

const LOCK: &str = "lock.json";
/// Longer than an ordered end takes, less than any lock lasts.
const SOON: Duration = Duration::from_secs(30);

/// Comes to this step, where it is asked to end; `None` if it was done before.
fn stop_at(device: &Device, step: u64) -> Option<ErrorKind> {
    device.sync_asked_to_end_at(step).err().map(|error| error.kind())
}

/// A device with something to push.
fn with_edits(world: &World, name: &str) -> Device {
    let device = world.device(name).set_up(|b| b.with_lock(LockPolicy::Always));
    device.edit(name, "text");
    device.edit(format!("{name}-large"), &"x".repeat(10_000));
    device
}

#[test]
fn the_lock_is_given_back_at_every_step_but_in_a_write_that_it_protects() {
    for new in [World::new, World::weak] {
        let (mut released, mut kept) = (0, 0);
        for step in 1.. {
            let world = new();
            let mut alice = with_edits(&world, "alice");
            let Some(kind) = stop_at(&alice, step) else { break };
            assert_eq!(kind, ErrorKind::Stopped, "step {step}");
            let journal = alice.storage.journal.take();
            let locked =
                journal.iter().any(|line| line.ends_with(LOCK) && !line.starts_with("get"));
            let last = journal.last().map(String::as_str).unwrap_or_default();
            let protected = last.ends_with(LOCK) || last.contains(" changes/");
            if world.object(LOCK).is_some() {
                assert!(protected, "step {step}: the lock is left after {journal:?}");
                kept += 1;
            } else if locked {
                released += 1;
            }
            // Nothing is lost, whoever comes next.
            let bob = with_edits(&world, "bob");
            bob.sync();
            alice.restart();
            alice.sync();
            bob.sync();
            assert_eq!(alice.all(), bob.all(), "step {step}");
            assert_eq!(alice.all().len(), 4, "step {step}");
            world.assert_whole();
        }
        assert!(released > 10, "{released} times");
        assert!((1..=6).contains(&kept), "{kept} times");
    }
}

#[test]
fn the_next_device_does_not_wait_for_a_sync_that_was_stopped() {
    let world = World::weak();
    let alice = with_edits(&world, "alice");
    let put_lock = (1..).find(|step| {
        let world = World::weak();
        stop_at(&with_edits(&world, "alice"), *step);
        world.object(LOCK).is_some()
    });
    // Some steps after its lock was there, before the commit.
    assert_eq!(stop_at(&alice, put_lock.unwrap() + 6), Some(ErrorKind::Stopped));
    assert_eq!((world.object(LOCK), world.commits()), (None, 0));
    let bob = with_edits(&world, "bob");
    let began = db_to_cloud::Environment::monotonic(&world.time);
    bob.sync();
    let took = db_to_cloud::Environment::monotonic(&world.time) - began;
    assert!(took < SOON, "{took:?}");
}

#[test]
fn the_lock_of_another_device_is_left_alone() {
    let foreign = serde_json::json!({"format": 1, "owner": "carol", "ttl": 300, "time": 0,
                                     "nonce": "0123456789abcdef0123456789abcdef"});
    for step in 1.. {
        let world = World::weak();
        let alice = with_edits(&world, "alice");
        world.overwrite(LOCK, foreign.to_string());
        assert_eq!(stop_at(&alice, step), Some(ErrorKind::Stopped));
        if alice.storage.journal.take().contains(&format!("put {LOCK}")) {
            // She has waited until she may break it.
            assert!(step > 100, "step {step}");
            break;
        }
        assert_eq!(world.json(LOCK), foreign, "step {step}");
    }
}

#[test]
fn a_sync_that_is_out_of_time_gives_its_lock_back() {
    let world = World::weak();
    let alice = with_edits(&world, "alice").set_up(|builder| {
        let sync = Some(Duration::from_secs(120));
        builder.with_limits(db_to_cloud::Limits { sync, ..db_to_cloud::Limits::default() })
    });
    // The request hangs while the lock is held.
    alice.storage.fail("put", "docs/", Fault::Hangs);
    let error = alice.try_sync().unwrap_err();
    assert!(error.to_string().contains("not done within 120 s"), "{error}");
    assert_eq!(world.object(LOCK), None);
}
