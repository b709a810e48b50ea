//! Garbage collection (rules G1, G2 and D2): what nothing names is deleted in the end, what
//! somebody needs never is.

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::{Action, ErrorKind, Key, LocalWins, LockPolicy};
use db_to_cloud_tests::{Device, Fault, World};

const DAY: Duration = Duration::from_secs(24 * 3600);
const DAYS: i64 = 24 * 3600 * 1000;

/// So many days pass, and these devices sync on each of them.
fn days(world: &World, count: u32, devices: &[&Device]) {
    for _ in 0..count {
        world.time.pass(DAY);
        devices.iter().for_each(|device| drop(device.sync()));
    }
}

/// The key of the version of a document that is the newest now.
fn version(world: &World, id: &str) -> String {
    let change = world.fold().remove(&id.into()).expect("the document was committed");
    Key::document(&change.id, change.vid).to_string()
}

#[test]
fn a_superseded_version_is_kept_for_30_days_and_then_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    let first = version(&world, "note");
    alice.edit("note", "second");
    alice.sync();
    days(&world, 30, &[&alice]);
    assert!(world.object(&first).is_some(), "too early");
    days(&world, 16, &[&alice]);
    assert_eq!(world.object(&first), None, "too late");
    world.assert_whole();
}

#[test]
fn a_deleted_document_is_kept_for_30_days_and_then_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "text");
    alice.sync();
    let key = version(&world, "note");
    alice.delete("note");
    alice.sync();
    days(&world, 30, &[&alice]);
    assert!(world.object(&key).is_some());
    days(&world, 16, &[&alice]);
    assert_eq!(world.object(&key), None);
}

#[test]
fn an_application_that_wants_history_keeps_versions_longer() {
    let world = World::new();
    let alice = world.device("alice").set_up(|builder| builder.with_grace(DAY * 365));
    alice.edit("note", "first");
    alice.sync();
    let first = version(&world, "note");
    alice.edit("note", "second");
    alice.sync();
    days(&world, 300, &[&alice]);
    assert!(world.object(&first).is_some());
}

#[test]
fn nobody_can_ask_for_less_than_30_days() {
    let world = World::new();
    let alice = world.device("alice").set_up(|builder| builder.with_grace(Duration::ZERO));
    alice.edit("note", "first");
    alice.sync();
    let first = version(&world, "note");
    alice.edit("note", "second");
    alice.sync();
    days(&world, 29, &[&alice]);
    assert!(world.object(&first).is_some());
}

#[test]
fn a_clock_that_jumps_does_not_age_what_is_young() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    let first = version(&world, "note");
    alice.edit("note", "second");
    alice.sync();
    days(&world, 8, &[&alice]);
    alice.storage.journal.take();
    // It was seen once; a run counts for 10 days at the most.
    for jump in 1..=2 {
        alice.time.set_wrong_by(jump * 365 * DAYS);
        alice.sync();
        assert!(world.object(&first).is_some(), "deleted at jump {jump}");
    }
    let runs = alice.storage.journal.take().iter().filter(|line| *line == "list docs").count();
    assert_eq!(runs, 2, "each jump was a run");
}

#[test]
fn a_clock_that_goes_back_ages_nothing() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    let first = version(&world, "note");
    alice.edit("note", "second");
    alice.sync();
    days(&world, 8, &[&alice]);
    for back in 1..100 {
        alice.time.set_wrong_by(-back * 30 * DAYS);
        alice.sync();
    }
    assert!(world.object(&first).is_some());
}

/// Bob's upload is in the storage, and he stopped before his commit.
fn bob_stopped_after_his_upload(world: &World) -> (Device, String) {
    for step in 1.. {
        let mut bob = world.device("bob");
        let before = world.keys("docs");
        bob.edit("bobs", "text");
        assert!(bob.sync_stopping_at(step), "no upload was ever seen");
        let uploads: Vec<_> =
            world.keys("docs").into_iter().filter(|key| !before.contains(key)).collect();
        if let [upload] = &uploads[..] {
            return (bob, upload.clone());
        }
    }
    unreachable!()
}

#[test]
fn an_upload_that_no_commit_ever_named_is_deleted_in_the_end() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "text");
    alice.sync();
    let (bob, upload) = bob_stopped_after_his_upload(&world);
    days(&world, 30, &[&alice]);
    assert!(world.object(&upload).is_some(), "too early");
    days(&world, 16, &[&alice]);
    assert_eq!(world.object(&upload), None);
    bob.sync();
    assert_eq!(bob.read("bobs").as_deref(), Some("text"));
    alice.sync();
    assert_eq!(alice.read("bobs").as_deref(), Some("text"));
    world.assert_whole();
}

/// Bob stopped when he had recorded his commit, at each step until it was sent.
#[test]
fn an_upload_that_a_resumed_push_names_is_never_deleted() {
    for away in [1, 10, 14, 16, 25, 31, 40, 60, 100] {
        for step in 1.. {
            let world = World::new();
            let (alice, mut bob) = (world.device("alice"), world.device("bob"));
            alice.edit("note", "text");
            alice.sync();
            bob.sync();
            bob.edit("bobs", "text");
            let stopped = bob.sync_stopping_at(step);
            days(&world, away, &[&alice]);
            bob.try_sync().or_else(|_| bob.try_sync()).unwrap();
            alice.sync();
            world.assert_whole();
            days(&world, 60, &[&alice]);
            world.assert_whole();
            assert_eq!(alice.read("bobs").as_deref(), Some("text"));
            if !stopped {
                break;
            }
        }
    }
}

#[test]
fn a_slow_push_uploads_anew_what_has_become_old() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("old", "text");
    alice.sync();
    alice.edit("a", "text");
    alice.edit("b", "text");
    let (time, first) = (world.time.clone(), world.keys("docs"));
    // The laptop sleeps between its uploads and its commit.
    alice.storage.before("get", "changes/2.json", || {});
    alice.storage.before("put", "docs/b", move || time.pass(DAY * 16));
    alice.sync();
    let uploads = alice.storage.journal.take().iter().filter(|l| *l == "put docs/…").count();
    assert_eq!(uploads, 1 + 2 + 2, "uploads that old are not relied on");
    assert!(world.keys("docs").len() > first.len() + 2);
    world.assert_whole();
}

#[test]
fn what_the_head_names_is_never_deleted_whatever_happens() {
    for seed in 1..=6 {
        let world = World::new();
        let mut devices =
            ["alice", "bob", "carol"].map(|n| world.device(n).resolving_by(LocalWins));
        let mut next = random(seed);
        for round in 0..250 {
            let device = &mut devices[next(3) as usize];
            for _ in 0..next(4) {
                let id = format!("doc-{}", next(12));
                match next(5) {
                    0 => device.delete(id),
                    _ => device.edit(id, &format!("{} {round}", device.name)),
                }
            }
            match next(5) {
                0 => drop(device.sync_stopping_at(1 + next(60))),
                1 => device.restart(),
                2 => device.storage.fail("create", "changes/", Fault::AnswerLost),
                _ => {}
            }
            let _ = device.try_sync();
            device.storage.heal();
            world.time.pass(DAY * next(9) as u32);
            world.assert_whole();
        }
        for _ in 0..2 {
            devices.iter().for_each(|device| drop(device.sync()));
        }
        let [alice, bob, carol] = &devices;
        assert_eq!(alice.all(), bob.all(), "seed {seed}");
        assert_eq!(alice.all(), carol.all(), "seed {seed}");
        let deletes = |d: &Device| d.storage.journal.take().contains(&"delete docs/…".to_owned());
        assert!(devices.iter().any(deletes), "nothing was ever collected");
    }
}

fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |n| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    }
}

#[test]
fn what_a_deferred_conflict_still_needs_is_not_deleted() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("both", "alice's");
    alice.sync();
    bob.edit("both", "bob's");
    bob.sync();
    days(&world, 120, &[&bob]);
    world.assert_whole();
    let bob = bob.resolving_by(db_to_cloud::RemoteWins);
    bob.sync();
    assert_eq!(bob.read("both").as_deref(), Some("alice's"));
}

#[test]
fn a_lost_document_is_put_again_by_a_device_that_has_it() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("large", &"x".repeat(5000));
    alice.sync();
    let key = version(&world, "large");
    world.remove(&key);
    let report = bob.sync();
    assert_eq!(report.deferred.len(), 1, "{report:?}");
    assert_eq!(bob.read("large"), None);
    days(&world, 9, &[&alice]);
    assert_eq!(world.object(&key).as_deref(), Some("x".repeat(5000).as_bytes()));
    assert_eq!(bob.sync().pulled, 1);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_lost_document_is_not_put_again_with_other_bytes() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    let key = version(&world, "note");
    world.remove(&key);
    world.time.pass(DAY * 9);
    let documents = alice.documents.clone();
    // Edited while the sync is under way.
    alice.storage.before("list", "docs", move || documents.save("note", "second"));
    alice.sync();
    assert_eq!(world.object(&key), None);
    alice.sync();
}

#[test]
fn old_snapshots_are_deleted_and_the_newest_is_not() {
    let world = World::new();
    let alice = world.device("alice");
    for i in 0..80 {
        alice.edit("note", &format!("text {i}"));
        alice.sync();
    }
    let snapshots = world.snapshots();
    assert!(snapshots.len() > 2);
    days(&world, 50, &[&alice]);
    assert_eq!(world.snapshots(), snapshots[snapshots.len() - 1..]);
    assert_eq!(world.keys("snapshot").len(), 2, "a head and its part");
    let bob = world.device("bob");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
    assert!(bob.storage.journal.take().len() < 30);
}

#[test]
fn parts_that_the_newest_snapshot_uses_again_are_not_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    for i in 0..1500 {
        alice.edit(format!("doc-{i:04}"), &"x".repeat(3000));
    }
    alice.sync();
    for round in 0..40 {
        for i in 0..40 {
            alice.edit(format!("doc-{i:04}"), &"z".repeat(3000 + round));
        }
        alice.sync();
        if round % 2 == 0 {
            days(&world, 10, &[&alice]);
        }
    }
    let head = world.json(world.snapshots().last().unwrap());
    for part in head["parts"].as_array().unwrap() {
        assert!(world.object(part["key"].as_str().unwrap()).is_some());
    }
    days(&world, 60, &[&alice]);
    let bob = world.device("bob");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn without_a_readable_hint_no_snapshot_is_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    for i in 0..40 {
        alice.edit("note", &format!("text {i}"));
        alice.sync();
    }
    let snapshots = world.keys("snapshot");
    world.overwrite("meta.json", "{");
    days(&world, 100, &[&alice]);
    assert_eq!(world.keys("snapshot"), snapshots);
}

#[test]
fn gc_is_put_off_if_somebody_commits_meanwhile() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), Arc::new(world.device("bob")));
    alice.edit("note", "first");
    alice.sync();
    let first = version(&world, "note");
    alice.edit("note", "second");
    alice.sync();
    for i in 0..30 {
        world.time.pass(DAY * 8);
        let rival = bob.clone();
        alice.storage.before("list", "docs", move || {
            rival.edit("bobs", &format!("{i}"));
            rival.try_sync().unwrap();
        });
        alice.sync();
        assert!(world.object(&first).is_some(), "round {i}");
    }
    days(&world, 50, &[&alice]);
    assert_eq!(world.object(&first), None);
}

#[test]
fn gc_is_put_off_while_somebody_holds_the_lock() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    alice.edit("note", "second");
    alice.sync();
    world.time.pass(DAY * 9);
    let lock = r#"{"format":1,"owner":"bob","nonce":"0123456789abcdef0123456789abcdef","ttl":60,"time":0}"#;
    world.overwrite("lock.json", lock);
    alice.storage.journal.take();
    alice.sync();
    assert!(!alice.storage.journal.take().contains(&"list docs".to_owned()));
    world.remove("lock.json");
    alice.sync();
    assert!(alice.storage.journal.take().contains(&"list docs".to_owned()));
}

#[test]
fn gc_without_lists_or_deletes_does_not_fail_the_sync() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    alice.edit("note", "second");
    alice.sync();
    for _ in 0..8 {
        world.time.pass(DAY * 8);
        alice.storage.fail("list", "docs", Fault::Refused(ErrorKind::Forbidden));
        alice.sync();
    }
    alice.storage.heal();
    for _ in 0..8 {
        world.time.pass(DAY * 8);
        alice.storage.fail("delete", "docs", Fault::Refused(ErrorKind::Forbidden));
        alice.sync();
    }
    world.assert_whole();
}

#[test]
fn gc_deletes_nothing_in_a_storage_that_went_back_to_a_backup() {
    let world = World::new();
    let alice = world.device("alice").set_up(|b| b.with_lock(LockPolicy::Never));
    alice.edit("note", "first");
    alice.sync();
    let backup = world.backup();
    alice.edit("note", "second");
    alice.sync();
    for _ in 0..3 {
        world.time.pass(DAY * 10);
        alice.sync();
    }
    // The backup comes back when Alice has just looked for her anchor, and is about to delete.
    world.time.pass(DAY * 10);
    let cloud = world.cloud.clone();
    let restored = backup.clone();
    alice.storage.before("list", "docs", move || *cloud.objects() = restored.into_iter().collect());
    let _ = alice.try_sync();
    world.assert_whole();
}

#[test]
fn collected_deletes_were_superseded_or_deleted_or_never_committed() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for i in 0..30 {
        alice.edit(format!("doc-{}", i % 5), &format!("text {i}"));
        alice.sync();
        bob.sync();
        if i % 7 == 0 {
            bob.delete(format!("doc-{}", i % 5));
            bob.sync();
        }
    }
    days(&world, 60, &[&alice, &bob]);
    assert_eq!(world.keys("docs").len(), world.live().len(), "only what is named is left");
    let deleted = world.fold().values().filter(|c| c.action == Action::Delete).count();
    assert!(deleted > 0);
    world.assert_whole();
}
