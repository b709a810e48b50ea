//! Excluded documents are alive for snapshots, garbage collection and repairs, and on other storages (rule C8).

use std::sync::Arc;
use std::time::Duration;

use db_to_cloud::SyncOptions;
use db_to_cloud_tests::options::{ACCEPT_REMOTE, GO_ON};
use db_to_cloud_tests::{Judge, TroubledDatabase, World, settle};

use super::{bob_excludes, large};

const DAY: Duration = Duration::from_secs(24 * 3600);

#[test]
fn c8_garbage_collection_of_a_device_that_excludes_them_leaves_them() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", &large("a"));
    alice.edit("x1", &large("b"));
    alice.edit("x2", &large("c"));
    alice.sync();
    bob.sync();
    bob.chosen.exclude(&["x"]);
    for i in 0..12 {
        world.time.pass(10 * DAY);
        bob.edit("note", &large(&format!("text {i} ")));
        bob.sync();
    }
    assert!(world.keys("docs").len() < 10, "garbage was collected: {:?}", world.keys("docs"));
    bob.try_sync_with(SyncOptions { verify: true, ..SyncOptions::default() }).unwrap();
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.read("x1"), Some(large("b")));
    assert_eq!(fresh.read("x2"), Some(large("c")));
    world.assert_whole();
}

#[test]
fn c8_a_device_far_behind_takes_a_snapshot() {
    let (world, alice, bob) = bob_excludes();
    alice.edit("x2", "x2");
    for i in 0..60 {
        alice.edit("note", &large(&format!("text {i} ")));
        alice.edit("x1", &large(&format!("text {i} ")));
        alice.sync();
    }
    assert!(!world.keys("snapshot").is_empty());
    let report = bob.sync();
    assert_eq!((report.pulled, report.excluded, report.deferred.len()), (1, 2, 0));
    assert_eq!(bob.read("x1").as_deref(), Some("old"));
    bob.chosen.everything();
    assert_eq!(bob.sync().pulled, 2);
    settle(&[&alice, &bob]);
}

#[test]
fn c8_a_storage_that_is_put_back_gets_what_is_selected() {
    let (world, alice, bob) = bob_excludes();
    bob.edit("x2", "new");
    bob.sync();
    world.restore(&[]);
    bob.try_sync_with(GO_ON).unwrap();
    assert_eq!(world.changes(1).len(), 1, "{:?}", world.changes(1));
    let alice = alice.resolving_by(Judge::merging());
    alice.try_sync_with(GO_ON).unwrap();
    bob.chosen.everything();
    let bob = bob.resolving_by(Judge::merging());
    bob.sync();
    settle(&[&alice, &bob]);
    assert_eq!(alice.all().len(), 3);
}

#[test]
fn c8_a_new_document_that_no_comparison_finds_outlives_its_storage() {
    for goes_back in [false, true] {
        let (world, _alice, bob) = bob_excludes();
        let database = TroubledDatabase::of(&bob.documents);
        database.queue_in_transactions();
        database.chosen.exclude(&["x"]);
        let bob = bob.with_database(Arc::new(database.clone()));
        let backup = if goes_back { world.backup() } else { Vec::new() };
        bob.edit("x2", "new");
        bob.edit("note", "bob's");
        bob.sync();
        world.restore(&backup);
        bob.try_sync_with(GO_ON).unwrap();
        database.chosen.everything();
        bob.sync();
        let fresh = world.device("fresh");
        fresh.sync();
        assert_eq!(fresh.read("x2").as_deref(), Some("new"), "{goes_back}");
    }
}

#[test]
fn c8_another_storage_leaves_them_as_they_are() {
    let (world, _alice, bob) = bob_excludes();
    let other = World::new();
    let carol = other.device("carol");
    carol.edit("note", "carol's");
    carol.edit("x1", "carol's");
    carol.edit("x2", "carol's");
    carol.sync();
    world.restore(&other.backup());
    let bob = bob.resolving_by(Judge::merging());
    let report = bob.try_sync_with(ACCEPT_REMOTE).unwrap();
    assert_eq!(report.excluded, 2);
    assert_eq!(bob.read("x1").as_deref(), Some("old"));
    bob.chosen.everything();
    let report = bob.sync();
    assert_eq!((report.pulled, report.conflicts), (1, 1), "x2, and x1 is merged");
    assert_eq!(bob.read("x1").as_deref(), Some("carol's old"));
}
