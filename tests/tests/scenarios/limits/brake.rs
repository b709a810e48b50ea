//! The brake (rule B1) and documents that were edited before they went: nobody said that they are
//! to be deleted.

use db_to_cloud::ErrorKind;
use db_to_cloud_tests::{Device, Fault, World};

use super::{ACCEPT, two_devices};

const SIGNED_OUT: Fault = Fault::Refused(ErrorKind::Unauthorized);

/// Bob edited all documents while nobody looked, and his sync failed.
fn edited_and_not_synced() -> (World, Device, Device) {
    let (world, alice, mut bob) = two_devices(20);
    (0..20).for_each(|i| bob.edit_unqueued(format!("doc-{i}"), "edited"));
    bob.restart();
    bob.storage.fail("get", "changes/", SIGNED_OUT);
    assert!(bob.try_sync().is_err());
    assert_eq!(bob.status().queued, 20);
    (world, alice, bob)
}

/// Three programs in a row ask, and nothing happens.
fn asks(world: &World, bob: &mut Device) {
    let objects = world.backup();
    for _ in 0..3 {
        bob.restart();
        let error = bob.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyDeletes);
        assert!(error.to_string().contains("20 of 20"), "{error}");
        assert_eq!(world.backup(), objects);
    }
}

#[test]
fn documents_that_were_edited_and_then_went_are_not_deleted_unasked() {
    let (world, alice, mut bob) = edited_and_not_synced();
    bob.documents.documents().clear();
    asks(&world, &mut bob);
    assert_eq!(bob.try_sync_with(ACCEPT).unwrap().pushed, 20);
    alice.try_sync_with(ACCEPT).unwrap();
    assert_eq!(alice.all(), []);
}

#[test]
fn documents_that_come_back_are_pushed_as_they_were_edited() {
    let (world, alice, mut bob) = edited_and_not_synced();
    let edited = bob.documents.documents().clone();
    bob.documents.documents().clear();
    asks(&world, &mut bob);
    *bob.documents.documents() = edited;
    assert_eq!(bob.sync().pushed, 20);
    alice.sync();
    assert_eq!(alice.read("doc-7").as_deref(), Some("edited"));
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn who_accepted_the_deletes_is_not_asked_again_after_a_failure() {
    let (_, alice, mut bob) = edited_and_not_synced();
    bob.documents.documents().clear();
    bob.restart();
    bob.storage.fail("get", "changes/", SIGNED_OUT);
    assert!(bob.try_sync_with(ACCEPT).is_err());
    bob.restart();
    assert_eq!(bob.sync().pushed, 20);
    alice.try_sync_with(ACCEPT).unwrap();
    assert_eq!(alice.all(), []);
}

/// The comparison found edits; then everything went, before or while they were pushed.
#[test]
fn documents_that_go_while_a_sync_runs_are_not_deleted_by_it() {
    for (operation, prefix) in [("get", "changes/"), ("put", "docs/"), ("create", "changes/")] {
        let (world, alice, mut bob) = two_devices(20);
        (0..20).for_each(|i| bob.edit_unqueued(format!("doc-{i}"), "edited"));
        bob.restart();
        let documents = bob.documents.clone();
        bob.storage.before(operation, prefix, move || documents.documents().clear());
        bob.sync();
        assert_eq!(bob.all(), [], "{operation}");
        asks(&world, &mut bob);
        alice.sync();
        assert_eq!(alice.all().len(), 20, "{operation}");
    }
}

#[test]
fn one_document_that_goes_while_a_sync_runs_is_deleted_by_the_next() {
    let (_, alice, mut bob) = two_devices(20);
    bob.edit_unqueued("doc-3", "edited");
    bob.restart();
    let documents = bob.documents.clone();
    let gone = || "doc-3".into();
    bob.storage.before("put", "docs/", move || {
        documents.documents().remove(&gone());
    });
    // It was read before it went: the edit is pushed. That it went is found by the next scan.
    assert_eq!(bob.sync().pushed, 1);
    alice.sync();
    assert_eq!(alice.read("doc-3").as_deref(), Some("edited"));
    assert_eq!([bob.sync().pushed, bob.sync().pushed], [0, 1]);
    alice.sync();
    assert_eq!(alice.read("doc-3"), None);
    assert_eq!(bob.status().queued, 0);
}

#[test]
fn deletes_that_the_application_queues_are_no_accident_whatever_was_found_before() {
    let (_, alice, bob) = edited_and_not_synced();
    (0..20).for_each(|i| bob.delete(format!("doc-{i}")));
    assert_eq!(bob.sync().pushed, 20);
    alice.try_sync_with(ACCEPT).unwrap();
    assert_eq!(alice.all(), []);
}

#[test]
fn documents_that_came_back_after_their_deletes_were_accepted_are_edits_again() {
    let (world, _, mut bob) = edited_and_not_synced();
    let edited = bob.documents.documents().clone();
    bob.documents.documents().clear();
    bob.restart();
    bob.storage.fail("get", "changes/", SIGNED_OUT);
    assert!(bob.try_sync_with(ACCEPT).is_err());
    *bob.documents.documents() = edited;
    bob.restart();
    bob.storage.fail("get", "changes/", SIGNED_OUT);
    assert!(bob.try_sync().is_err());
    bob.documents.documents().clear();
    asks(&world, &mut bob);
}
