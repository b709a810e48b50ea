//! Documents that a device excludes: they stay as they are on both sides (rule C8). The modules: `again`, what
//! becomes of them once they are included (rule C9); `stopped`, stops in between; `upkeep`, snapshots, garbage
//! collection and other storages.

mod again;
mod stopped;
mod upkeep;

use std::sync::Arc;

use db_to_cloud::{DocumentId, ErrorKind, SyncOptions};
use db_to_cloud_tests::{Device, Judge, TroubledDatabase, World};
use futures::FutureExt;

/// Larger than the copy of a document in an entry.
fn large(text: &str) -> String {
    text.repeat(5000 / text.len() + 1)
}

/// Alice and Bob have `note` and `x1`; Bob excludes what begins with `x`.
fn bob_excludes() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note", "x1"]);
    bob.chosen.exclude(&["x"]);
    bob.sync();
    (world, alice, bob)
}

#[test]
fn c8_an_excluded_document_is_not_fetched_and_counts_in_the_report() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "text");
    alice.edit("x1", "small");
    alice.edit("x2", &large("large"));
    alice.sync();
    bob.chosen.exclude(&["x"]);
    let report = bob.sync();
    assert_eq!((report.pulled, report.excluded, report.deferred.len()), (1, 2, 0));
    assert_eq!(bob.all(), [("note".into(), "text".to_owned())]);
    assert!(report.bytes_down < 2000, "{} bytes were fetched", report.bytes_down);
    let status = bob.status();
    assert_eq!((status.pending, status.excluded, status.documents), (0, 2, 1));
}

#[test]
fn c8_what_is_excluded_is_neither_pushed_nor_deleted_elsewhere() {
    let (world, alice, mut bob) = bob_excludes();
    bob.edit("x1", "bob's");
    bob.edit("x2", "new");
    bob.edit_unqueued("x3", "new and not queued");
    let (before, report) = (world.commits(), bob.sync());
    assert_eq!((report.pushed, report.excluded, bob.status().queued), (0, 1, 0));
    bob.delete("x1");
    bob.delete_unqueued("x3");
    bob.restart();
    bob.sync();
    assert_eq!(world.commits(), before);
    alice.sync();
    assert_eq!(alice.read("x1").as_deref(), Some("old"));
    assert_eq!(bob.read("x2").as_deref(), Some("new"));
}

#[test]
fn c8_a_document_that_becomes_excluded_stays_where_it_is() {
    let (_world, alice, bob) = bob_excludes();
    assert_eq!(bob.read("x1").as_deref(), Some("old"));
    alice.edit("x1", "alice's");
    alice.edit("x2", "new");
    alice.sync();
    let report = bob.sync();
    assert_eq!((report.pulled, report.excluded), (0, 2));
    assert_eq!(bob.read("x1").as_deref(), Some("old"));
    assert_eq!(bob.read("x2"), None);
}

#[test]
fn c8_an_edit_or_a_delete_that_was_queued_before_stays_here() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["x1", "x2"]);
    bob.edit("x1", "bob's");
    bob.delete("x2");
    bob.chosen.exclude(&["x"]);
    assert_eq!(bob.sync().pushed, 0);
    alice.sync();
    assert_eq!(alice.all(), [("x1".into(), "old".to_owned()), ("x2".into(), "old".to_owned())]);
}

#[test]
fn c8_an_edit_that_is_queued_while_a_sync_runs_is_not_pushed() {
    for (step, id) in (1..40).flat_map(|step| [(step, "x1"), (step, "x2")]) {
        let (world, _alice, bob) = bob_excludes();
        let before = world.commits();
        bob.edit("note", "bob's");
        bob.sync_and_edit_at(SyncOptions::default(), step, id, "bob's").unwrap();
        bob.sync();
        assert_eq!(world.commits(), before + 1, "step {step}");
        assert_eq!(world.changes(before + 1).len(), 1, "step {step}");
        assert_eq!(bob.status().queued, 0);
    }
}

#[test]
fn c8_a_comparison_passes_over_what_is_excluded() {
    let (_world, _alice, bob) = bob_excludes();
    let database = TroubledDatabase::of(&bob.documents);
    database.chosen.exclude(&["x"]);
    database.make_unreadable("x1");
    let bob = bob.with_database(Arc::new(database));
    bob.edit_unqueued("x2", "new");
    assert_eq!(bob.sync().deferred, []);
    assert_eq!(bob.status().queued, 0);
}

#[test]
fn c8_an_idle_sync_costs_no_request_more() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "text");
    (0..1200).for_each(|i| alice.edit(format!("x{i}").as_str(), "text"));
    alice.sync();
    bob.chosen.exclude(&["x"]);
    assert_eq!(bob.sync().excluded, 1200);
    let report = bob.sync();
    assert_eq!((report.requests.total(), report.excluded), (2, 1200));
}

#[test]
fn c8_exclusion_is_no_loss_that_stops_the_sync() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    (0..30).for_each(|i| alice.edit(format!("x{i}").as_str(), "text"));
    (0..5).for_each(|i| alice.edit(format!("a{i}").as_str(), "text"));
    alice.sync();
    bob.sync();
    bob.chosen.exclude(&["x"]);
    (0..30).for_each(|i| bob.delete_unqueued(format!("x{i}").as_str()));
    assert_eq!(bob.sync().excluded, 30);
    // Elsewhere all of the rest is moved to where this device excludes it: nothing is lost.
    (0..5).for_each(|i| alice.delete(format!("a{i}").as_str()));
    (0..20).for_each(|i| alice.edit(format!("b{i}").as_str(), &format!("text {i}")));
    alice.sync();
    bob.sync();
    for i in 0..20 {
        alice.delete(format!("b{i}").as_str());
        alice.edit(format!("xb{i}").as_str(), &format!("text {i}"));
    }
    alice.sync();
    assert_eq!(bob.sync().deleted, 20);
    assert_eq!(bob.all(), []);
    alice.sync();
    assert_eq!(alice.all().len(), 50);
}

#[test]
fn c8_a_delete_elsewhere_leaves_the_document_here() {
    let (_world, alice, bob) = bob_excludes();
    alice.edit("x2", "never here");
    alice.sync();
    bob.sync();
    alice.delete("x1");
    alice.delete("x2");
    alice.sync();
    let report = bob.sync();
    assert_eq!((report.deleted, report.excluded), (0, 0));
    assert_eq!(bob.read("x1").as_deref(), Some("old"));
}

#[test]
fn c8_a_selection_that_cannot_be_read_stops_the_sync() {
    let (world, alice, bob) = bob_excludes();
    alice.edit("note", "alice's");
    alice.sync();
    let (documents, before) = (bob.all(), world.backup());
    bob.chosen.damage();
    let error = bob.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Database);
    assert!(format!("{error:#}").contains("selection"), "{error:#}");
    assert_eq!((bob.all(), world.backup()), (documents, before));
    bob.client().compare().now_or_never().unwrap().unwrap_err();
    bob.client().preview().now_or_never().unwrap().unwrap_err();
}

#[test]
fn c8_a_conflict_whose_copy_would_be_excluded_waits() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let keep = db_to_cloud::KeepBoth::new(|c| format!("x {}", c.id).into());
    let bob = bob.resolving_by(keep);
    bob.chosen.exclude(&["x"]);
    alice.edit("note", "alice's");
    alice.sync();
    bob.edit("note", "bob's");
    let report = bob.sync();
    assert_eq!(report.deferred.len(), 1);
    assert!(report.deferred[0].detail.contains("excluded"), "{:?}", report.deferred);
    assert_eq!(bob.all(), [("note".into(), "bob's".to_owned())]);
}

#[test]
fn c8_a_preview_says_what_the_sync_does_with_another_selection() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note", "x1", "x2", "x3", "y1"]);
    alice.edit("x4", "new");
    alice.edit("y1", "alice's");
    alice.sync();
    bob.edit("x2", "bob's");
    bob.delete("x3");
    let preview = |device: &Device| device.client().preview().now_or_never().unwrap().unwrap();
    bob.chosen.exclude(&["x", "y"]);
    let would = preview(&bob);
    assert_eq!(would.excluded, 5);
    let lists = [would.pull, would.push, would.push_deletes, would.conflicts];
    assert!(lists.iter().all(Vec::is_empty), "{lists:?}");
    assert_eq!(bob.sync().excluded, 5);
    bob.chosen.everything();
    let would = preview(&bob);
    assert_eq!(would.excluded, 0);
    assert_eq!(would.pull, ["x3", "x4", "y1"].map(DocumentId::from));
    assert_eq!(would.push, ["x2"].map(DocumentId::from));
    assert_eq!((would.push_deletes.len(), would.conflicts.len()), (0, 0));
    let report = bob.sync();
    assert_eq!((report.pulled, report.pushed), (3, 1));
}

#[test]
fn c8_an_application_that_queues_its_edits_itself_is_not_compared() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note", "x1", "x2"]);
    let database = TroubledDatabase::of(&bob.documents);
    database.queue_in_transactions();
    let bob = bob.with_database(Arc::new(database.clone())).resolving_by(Judge::merging());
    database.chosen.exclude(&["x"]);
    bob.edit("x1", "bob's");
    bob.edit("x3", "new");
    bob.delete("x2");
    assert_eq!((bob.sync().pushed, bob.status().queued), (0, 0));
    bob.edit("x1", "bob's, once more");
    assert_eq!((bob.sync().pushed, bob.status().queued), (0, 0));
    database.chosen.everything();
    let report = bob.sync();
    assert_eq!((report.pushed, report.pulled, report.conflicts), (2, 1, 0));
    alice.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(alice.read("x1").as_deref(), Some("bob's, once more"));
    assert_eq!(alice.read("x3").as_deref(), Some("new"));
}

#[test]
fn c8_the_bytes_of_an_excluded_document_may_be_missing() {
    let (world, alice, bob) = bob_excludes();
    alice.edit("x1", &large("alice's"));
    alice.sync();
    world.cloud.objects().retain(|key, _| key.vid().is_none());
    assert_eq!(bob.sync().deferred, []);
}
