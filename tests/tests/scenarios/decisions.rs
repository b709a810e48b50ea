//! A device stops at every step while a decision about a conflict is carried out (rule P8): neither
//! side of the conflict is lost, and no copy is made twice.

use db_to_cloud::Resolution;
use db_to_cloud_tests::Judge;

use crate::counterexamples::edits::{clash, stop_everywhere};

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
