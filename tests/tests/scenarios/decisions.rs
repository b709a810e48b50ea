//! A device stops at every step while a decision about a conflict is carried out (rule P8): neither
//! side of the conflict is lost, and no copy is made twice.

use db_to_cloud::Resolution;
use db_to_cloud_tests::{Device, Judge, World};

/// Alice and Bob edited one document, both added a word of their own.
fn clash() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "old");
    alice.sync();
    bob.sync();
    bob.edit("note", "bob");
    bob.sync();
    alice.edit("note", "alice");
    (world, alice, bob)
}

/// Stops at each step in turn, restarts, syncs to the end; answers the number of steps.
fn stop_everywhere(judge: impl Fn() -> Judge, check: impl Fn(&Device, u64)) -> u64 {
    for step in 1.. {
        let (world, alice, bob) = clash();
        let mut alice = alice.resolving_by(judge());
        let stopped = alice.sync_stopping_at(step);
        alice.sync();
        bob.sync();
        alice.sync();
        let carol = world.device("carol");
        carol.sync();
        for device in [&alice, &bob, &carol] {
            check(device, step);
        }
        if !stopped {
            return step - 1;
        }
    }
    unreachable!("the loop ends when a sync is not stopped")
}

#[test]
fn a_merge_that_is_stopped_anywhere_loses_neither_half() {
    let steps = stop_everywhere(Judge::merging, |device, step| {
        let text = device.read("note");
        assert_eq!(text.as_deref(), Some("alice bob"), "{}, step {step}", device.name);
    });
    assert!(steps > 20, "the sync has only {steps} steps");
}

#[test]
fn a_copy_that_is_stopped_anywhere_is_made_once() {
    let both = || Judge::always(Resolution::KeepBoth { copy: "copy".into() });
    let expected = [("copy", "alice"), ("note", "bob")];
    let steps = stop_everywhere(both, |device, step| {
        let expected = expected.map(|(id, text)| (id.into(), text.to_owned()));
        assert_eq!(device.all(), expected, "{}, step {step}", device.name);
    });
    assert!(steps > 20, "the sync has only {steps} steps");
}

#[test]
fn a_local_version_kept_is_pushed_wherever_the_device_stops() {
    stop_everywhere(
        || Judge::always(Resolution::KeepLocal),
        |device, step| {
            let text = device.read("note");
            assert_eq!(text.as_deref(), Some("alice"), "{}, step {step}", device.name);
        },
    );
}

#[test]
fn a_remote_version_taken_stays_taken_wherever_the_device_stops() {
    stop_everywhere(
        || Judge::always(Resolution::TakeRemote),
        |device, step| {
            let text = device.read("note");
            assert_eq!(text.as_deref(), Some("bob"), "{}, step {step}", device.name);
        },
    );
}

#[test]
fn a_decision_put_off_leaves_both_versions_wherever_the_device_stops() {
    for step in 1.. {
        let (_, alice, bob) = clash();
        let mut alice = alice.resolving_by(Judge::always(Resolution::Defer));
        let stopped = alice.sync_stopping_at(step);
        let judge = Judge::merging();
        let alice = alice.resolving_by(judge.clone());
        alice.sync();
        assert_eq!(judge.count(), 1, "step {step}");
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("alice bob"), "step {step}");
        if !stopped {
            break;
        }
    }
}
