//! Documents that the application cannot read now (lesson 8).

use std::sync::Arc;

use db_to_cloud::DeferReason;
use db_to_cloud_tests::{TroubledDatabase, World};

#[test]
fn documents_that_cannot_be_read_are_reported_and_not_taken_for_deleted() {
    let world = World::new();
    let (mut alice, bob) = world.alice_and_bob(&["broken", "fine"]);
    let documents = TroubledDatabase::of(&alice.documents);
    documents.make_unreadable("broken");
    documents.make_unreadable("new");
    alice = alice.with_database(Arc::new(documents.clone()));
    alice.edit("broken", "edited");
    alice.edit("new", "new");
    alice.edit("fine", "edited");
    bob.edit("other", "bob's");
    bob.sync();
    let report = alice.sync();
    assert_eq!((report.pushed, report.pulled), (1, 1));
    let deferred: Vec<_> = report.deferred.iter().map(|d| (d.id.clone(), d.reason)).collect();
    let unreadable = |id: &str| (id.into(), DeferReason::Unreadable);
    assert_eq!(deferred, [unreadable("broken"), unreadable("new")]);
    bob.sync();
    assert_eq!(bob.read("broken").as_deref(), Some("old"));
    documents.heal();
    alice.sync();
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_remote_change_of_a_document_that_cannot_be_read_waits() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["edited", "deleted", "fine"]);
    let documents = TroubledDatabase::of(&alice.documents);
    documents.make_unreadable("edited");
    documents.make_unreadable("deleted");
    let alice = alice.with_database(Arc::new(documents.clone()));
    bob.edit("edited", "bob's");
    bob.delete("deleted");
    bob.edit("fine", "bob's");
    bob.sync();
    for _ in 0..2 {
        let report = alice.sync();
        assert_eq!(report.deferred.len(), 2);
        assert_eq!(alice.read("fine").as_deref(), Some("bob's"));
        assert_eq!(alice.read("edited").as_deref(), Some("old"));
        assert_eq!(alice.read("deleted").as_deref(), Some("old"));
    }
    documents.heal();
    alice.sync();
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn a_document_that_is_no_longer_listed_is_not_deleted_and_its_edits_are_found() {
    let world = World::new();
    let (mut alice, bob) = world.alice_and_bob(&["ignored", "fine"]);
    let documents = TroubledDatabase::of(&alice.documents);
    documents.unlist("ignored");
    alice = alice.with_database(Arc::new(documents));
    assert_eq!(alice.sync().pushed, 0);
    alice.edit_unqueued("ignored", "edited");
    alice.restart();
    assert_eq!(alice.sync().pushed, 1);
    bob.sync();
    assert_eq!(bob.read("ignored").as_deref(), Some("edited"));
}
