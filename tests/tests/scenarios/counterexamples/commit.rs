//! One commit among others (rules U2, U5 and C5) and an upload beside a pull.

use db_to_cloud::{RemoteWins, Resolution};
use db_to_cloud_tests::{Fault, Judge, World, settle};
use futures::FutureExt;

/// Without it a merge is not what is committed, and the other device loses its words.
#[test]
pub(crate) fn u2_an_upload_is_committed_only_as_what_it_is() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let alice = alice.resolving_by(Judge::merging());
    alice.edit("note", "alice");
    bob.edit("note", "bob");
    let bob = std::sync::Arc::new(bob);
    let faster = bob.clone();
    // Alice's upload is in the storage when Bob is faster; she merges.
    alice.storage.before("create", "changes/2", move || drop(faster.sync()));
    alice.sync();
    bob.sync();
    assert_eq!(bob.read("note").as_deref(), Some("alice bob"));
    settle(&[&alice, &bob]);
}

/// Without it a device that edited on is in conflict with itself, and its older edit may win.
#[test]
pub(crate) fn u5_a_commit_that_was_heard_is_not_taken_for_lost() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let alice = alice.resolving_by(RemoteWins);
    alice.edit("note", "new");
    alice.storage.fail("create", "changes/", Fault::AnswerLost);
    let (documents, client) = (alice.documents.clone(), alice.client().clone());
    alice.storage.before("create", "changes/", move || {
        documents.save("note", "newer");
        client.queue_change(&"note".into()).now_or_never().expect("no waiting").expect("queued");
    });
    let report = alice.sync();
    assert_eq!(alice.read("note").as_deref(), Some("newer"));
    assert_eq!(report.conflicts, 0);
    settle(&[&alice, &bob]);
}

/// Without it an edit that never arrived counts as pushed.
#[test]
pub(crate) fn u5_a_commit_that_was_not_heard_is_not_taken_for_success() {
    for fault in [Fault::Lost, Fault::Delayed] {
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["note"]);
        alice.edit("note", "new");
        alice.storage.fail("create", "changes/", fault);
        assert_eq!(alice.sync().pushed, 1);
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("new"), "{fault:?}");
    }
}

/// Rule C5. Without it an edit of a version that is just being pulled is queued on the one before, and
/// the application is asked about a conflict that there is not.
#[test]
pub(crate) fn edits_queue_and_index_are_read_at_one_moment() {
    for seed in 0..600 {
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["note"]);
        bob.edit("note", "bob");
        bob.sync();
        let judge = Judge::always(Resolution::KeepLocal);
        let alice = alice.resolving_by(judge.clone());
        alice.steps.interleave(seed);
        alice.sync_and_edit("note", "bob", "bob alice");
        alice.sync();
        assert_eq!(judge.count(), 0, "seed {seed}");
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("bob alice"), "seed {seed}");
    }
}
