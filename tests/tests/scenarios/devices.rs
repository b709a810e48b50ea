//! Devices that were reinstalled, cloned, rolled back, moved to another storage and back, or whose
//! clock is wrong: nothing comes back from the dead and nothing is lost (lessons 2, 4 and 6).

use std::time::Duration;

use db_to_cloud::{Action, Conflict, Document, Resolution};
use db_to_cloud_tests::{Device, Judge, World};

/// The words of both sides; an edit wins over a delete.
fn merging() -> Judge {
    Judge::new(|conflict: &Conflict| {
        let words = |d: &Document| {
            let text = String::from_utf8_lossy(&d.bytes).into_owned();
            text.split(' ').map(str::to_owned).collect::<Vec<_>>()
        };
        match (&conflict.local, &conflict.remote) {
            (Some(local), Some(remote)) => {
                let mut both = [words(local), words(remote)].concat();
                both.sort_unstable();
                both.dedup();
                Resolution::Merged(Document::of_content(both.join(" ")))
            }
            (Some(_), None) => Resolution::KeepLocal,
            (None, _) => Resolution::TakeRemote,
        }
    })
}

/// Syncs all until nothing moves; then all are alike.
#[track_caller]
fn settle(devices: &[&Device]) {
    for _ in 0..4 {
        devices.iter().for_each(|device| drop(device.sync()));
    }
    for device in devices {
        assert_eq!(device.all(), devices[0].all(), "{}", device.name);
        assert_eq!(device.sync().requests.total(), 1, "{}", device.name);
    }
}

/// Alice and Bob hold "note" in its third version, "gone" was deleted after its second one, and
/// Alice has the versions of these documents that her backup had.
fn reinstalled(note: &str, gone: Option<&str>) -> (World, Device, Device, Judge) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for text in ["first", "second"] {
        bob.edit("note", text);
        bob.edit("gone", text);
        bob.sync();
    }
    bob.edit("note", "third");
    bob.delete("gone");
    bob.sync();
    let judge = merging();
    let mut alice = alice.resolving_by(judge.clone());
    alice.edit_unqueued("note", note);
    gone.into_iter().for_each(|text| alice.edit_unqueued("gone", text));
    alice.reinstall();
    (world, alice, bob, judge)
}

#[test]
fn a_reinstalled_device_neither_brings_back_the_deleted_nor_asks_about_the_old() {
    for note in ["first", "second", "third"] {
        for gone in [None, Some("first"), Some("second")] {
            let (world, alice, bob, judge) = reinstalled(note, gone);
            let report = alice.sync();
            assert_eq!((judge.count(), report.pushed), (0, 0), "{note}, {gone:?}");
            assert_eq!(alice.read("note").as_deref(), Some("third"), "{note}, {gone:?}");
            assert_eq!(alice.read("gone"), None, "{note}, {gone:?}");
            settle(&[&alice, &bob]);
            assert_eq!(world.commits(), 3);
        }
    }
}

#[test]
fn what_a_reinstalled_device_made_of_old_documents_is_put_to_the_application() {
    let (_, alice, bob, judge) = reinstalled("first alice", Some("second alice"));
    alice.sync();
    assert_eq!(judge.count(), 2);
    settle(&[&alice, &bob]);
    assert_eq!(bob.read("note").as_deref(), Some("alice first third"));
    assert_eq!(bob.read("gone").as_deref(), Some("second alice"));
}

#[test]
fn a_reinstalled_device_behind_a_snapshot_knows_the_old_and_the_deleted_too() {
    for old in [0, 10, 39] {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        for i in 0..40 {
            bob.edit("note", &format!("version {i}"));
            bob.edit("gone", &format!("version {i}"));
            bob.sync();
        }
        bob.delete("gone");
        bob.sync();
        // Enough for a snapshot that holds the delete as well.
        for i in 40..100 {
            bob.edit("note", &format!("version {i}"));
            bob.sync();
        }
        assert!(!world.keys("snapshot").is_empty());
        let judge = merging();
        let mut alice = alice.resolving_by(judge.clone());
        ["note", "gone"]
            .into_iter()
            .for_each(|id| alice.edit_unqueued(id, &format!("version {old}")));
        alice.reinstall();
        alice.sync();
        assert_eq!(judge.count(), 0, "version {old}");
        assert_eq!(alice.all(), bob.all(), "version {old}");
    }
}

#[test]
fn a_document_made_again_on_purpose_survives() {
    for text in ["first", "something new"] {
        let world = World::new();
        let (alice, bob, carol) =
            (world.device("alice"), world.device("bob"), world.device("carol"));
        alice.edit("note", "first");
        settle(&[&alice, &bob, &carol]);
        bob.delete("note");
        settle(&[&bob, &alice]);
        alice.edit("note", text);
        settle(&[&alice, &bob, &carol]);
        assert_eq!(carol.read("note").as_deref(), Some(text));
        assert_eq!(world.changes(3), [("note".to_owned(), Action::Put)]);
    }
}

#[test]
fn a_device_long_offline_does_not_bring_back_the_deleted() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    (0..5).for_each(|i| alice.edit(format!("doc-{i}"), "text"));
    settle(&[&alice, &bob]);
    (0..3).for_each(|i| bob.delete(format!("doc-{i}")));
    bob.sync();
    for i in 0..60 {
        bob.edit("doc-4", &format!("version {i}"));
        bob.sync();
    }
    world.time.pass(Duration::from_secs(300 * 24 * 3600));
    let judge = merging();
    let mut alice = alice.resolving_by(judge.clone());
    alice.restart();
    alice.edit("mine", "text");
    let report = alice.sync();
    assert_eq!((report.deleted, report.pushed, judge.count()), (3, 1, 0));
    settle(&[&alice, &bob]);
}

#[test]
fn moving_to_another_storage_and_back_ends_in_the_union() {
    let (home, away) = (World::new(), World::new());
    let (mut at_home, bob) = (home.device("alice").resolving_by(merging()), home.device("bob"));
    at_home.edit("note", "alice");
    at_home.edit("gone", "text");
    settle(&[&at_home, &bob]);
    // The same documents, another storage: another client state.
    let mut abroad = away.device("alice").resolving_by(merging());
    abroad.documents = at_home.documents.clone();
    abroad.restart();
    let carol = away.device("carol");
    carol.edit("carols", "text");
    carol.edit("note", "carol");
    carol.sync();
    abroad.sync();
    abroad.edit("abroad", "text");
    abroad.delete("gone");
    bob.edit("bobs", "text");
    bob.sync();
    settle(&[&abroad, &carol]);
    at_home.restart();
    settle(&[&at_home, &bob]);
    abroad.restart();
    settle(&[&abroad, &carol]);
    let ids = ["abroad", "bobs", "carols", "note"];
    for device in [&at_home, &abroad, &bob, &carol] {
        let found: Vec<_> = device.all().into_iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(found, ids, "{}", device.name);
        assert_eq!(device.read("note").as_deref(), Some("alice carol"));
    }
}

#[test]
fn a_clone_and_its_original_lose_nothing_of_each_other() {
    for synced in [false, true] {
        let world = World::new();
        let alice = world.device("alice").resolving_by(merging());
        alice.edit("note", "old");
        alice.sync();
        alice.edit("before", "text");
        if synced {
            alice.sync();
        }
        let clone = alice.clone_as(&world, "alice's clone");
        alice.edit("note", "old alice");
        clone.edit("note", "clone old");
        alice.edit("alices", "text");
        clone.edit("clones", "text");
        clone.sync();
        alice.sync();
        let carol = world.device("carol");
        settle(&[&alice, &clone, &carol]);
        assert_eq!(carol.read("note").as_deref(), Some("alice clone old"));
        assert_eq!(carol.all().len(), 4);
    }
}

#[test]
fn a_clone_made_while_a_commit_was_open_loses_nothing() {
    for step in 1.. {
        let world = World::new();
        let mut alice = world.device("alice").resolving_by(merging());
        alice.edit("note", "old");
        alice.sync();
        alice.edit("note", "old open");
        let stopped = alice.sync_stopping_at(step);
        let clone = alice.clone_as(&world, "alice's clone");
        clone.edit("note", "clone old open");
        clone.sync();
        alice.edit("note", "alice old open");
        settle(&[&alice, &clone]);
        assert_eq!(clone.read("note").as_deref(), Some("alice clone old open"), "step {step}");
        if !stopped {
            break;
        }
    }
}

#[test]
fn a_device_that_is_rolled_back_loses_nothing_that_was_synced() {
    for edit_after in [false, true] {
        let world = World::new();
        let (mut alice, bob) = (world.device("alice").resolving_by(merging()), world.device("bob"));
        alice.edit("note", "first");
        alice.edit("gone", "text");
        settle(&[&alice, &bob]);
        alice.edit("unsynced", "text");
        let backup = alice.backup();
        alice.edit("note", "first second");
        alice.edit("later", "text");
        alice.delete("gone");
        alice.sync();
        bob.edit("bobs", "text");
        settle(&[&bob, &alice]);
        alice.roll_back(&backup);
        if edit_after {
            alice.edit("note", "first third");
        }
        settle(&[&alice, &bob]);
        let end = if edit_after { "first second third" } else { "first second" };
        assert_eq!(bob.read("note").as_deref(), Some(end));
        let ids: Vec<_> = bob.all().into_iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(ids, ["bobs", "later", "note", "unsynced"]);
    }
}

#[test]
fn documents_or_state_rolled_back_alone_lose_nothing_of_the_others() {
    for documents_too in [false, true] {
        let world = World::new();
        let judge = merging();
        let (mut alice, bob) = (world.device("alice").resolving_by(judge), world.device("bob"));
        alice.edit("note", "first");
        settle(&[&alice, &bob]);
        let old = alice.backup();
        alice.edit("note", "first second");
        alice.sync();
        settle(&[&bob, &alice]);
        let new = alice.backup();
        // Either the state is older than the documents, or the documents are older than the state.
        let mixed = if documents_too { (old.0, new.1) } else { (new.0, old.1) };
        alice.roll_back(&mixed);
        settle(&[&alice, &bob]);
        let note = bob.read("note");
        // Documents older than the state look like an edit that took something back.
        let expected = if documents_too { "first" } else { "first second" };
        assert_eq!(note.as_deref(), Some(expected));
    }
}

#[test]
fn wrong_clocks_change_nothing() {
    const YEAR: i64 = 365 * 24 * 3600 * 1000;
    let story = |wrong: [i64; 3], jump: i64| {
        let world = World::new();
        let judges = [merging(), merging(), merging()];
        let devices = ["alice", "bob", "carol"].into_iter().zip(&judges);
        let devices: Vec<_> =
            devices.map(|(name, judge)| world.device(name).resolving_by(judge.clone())).collect();
        for round in 0..12_i64 {
            for (i, device) in devices.iter().enumerate() {
                device.time.set_wrong_by(wrong[i] + if round % 2 == 0 { 0 } else { jump });
                device.edit("all", &format!("{}{round}", device.name));
                device.edit(format!("{}s", device.name), &format!("{round}"));
                if round % 3 == 2 {
                    device.delete("all");
                }
                if !(round as usize + i).is_multiple_of(3) {
                    device.sync();
                }
                world.time.pass(Duration::from_secs(3600));
            }
        }
        let [alice, bob, carol] = &devices[..] else { unreachable!("three devices") };
        settle(&[alice, bob, carol]);
        (alice.all(), judges.map(|judge| judge.count()), world.commits())
    };
    let right = story([0, 0, 0], 0);
    assert!(right.1.iter().sum::<usize>() > 0, "there are conflicts in the story");
    assert_eq!(story([-10 * YEAR, 0, YEAR], 0), right);
    assert_eq!(story([YEAR, -10 * YEAR, 0], 0), right);
    assert_eq!(story([0, 0, 0], YEAR), right);
    assert_eq!(story([0, -YEAR, YEAR], -10 * YEAR), right);
}
