//! Edits on their way into the queue and out of it, and those of others (rules C4, U6, P7, P8 and P14).

use std::sync::Arc;

use db_to_cloud::Action;
use db_to_cloud_tests::{Device, Judge, TroubledDatabase, World, options};
use futures::FutureExt;

use super::large;

/// Without it a lost QueueChange is never pushed.
#[test]
pub(crate) fn c4_edits_whose_queueing_was_lost_are_found_at_the_next_start() {
    let world = World::new();
    let (mut alice, bob) = world.alice_and_bob(&["edited", "deleted", "same"]);
    alice.edit_unqueued("edited", "new");
    alice.delete_unqueued("deleted");
    alice.edit_unqueued("made", "new");
    alice.restart();
    assert_eq!(alice.sync().pushed, 3);
    let found = world.changes(2);
    let expected = [("deleted", Action::Delete), ("edited", Action::Put), ("made", Action::Put)];
    assert_eq!(found, expected.map(|(id, action)| (id.to_owned(), action)));
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

/// Without it the only copy of a text is overwritten, and nobody is asked.
#[test]
pub(crate) fn p14_a_version_that_another_device_never_saw_is_not_overwritten() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    alice.edit("note", &large("alice's"));
    alice.sync();
    world.cloud.objects().retain(|key, bytes| key.slot().is_some() || bytes.len() < 5000);
    bob.edit("note", "bob's");
    bob.try_sync_with(options::GIVE_UP_MISSING).unwrap();
    let judge = Judge::merging();
    let alice = alice.resolving_by(judge.clone());
    alice.sync();
    assert!(judge.count() == 1 && alice.read("note").unwrap().contains("alice's"));
}

/// Without it an edit made during the push is never pushed.
#[test]
pub(crate) fn u6_an_edit_made_during_a_push_is_pushed_next() {
    for unqueued in [false, true] {
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["note", "gone", "back"]);
        alice.edit("note", "first");
        alice.edit("gone", "first");
        alice.delete("back");
        let (documents, client) = (alice.documents.clone(), alice.client().clone());
        alice.storage.before("create", "changes/", move || {
            documents.save("note", "second");
            documents.remove("gone");
            documents.save("back", "again");
            let ids = ["note", "gone", "back"].map(Into::into);
            // A QueueChange of a document that is queued already changes nothing: either works.
            if !unqueued {
                client.queue_changes(&ids).now_or_never().expect("no waiting").expect("queued");
            }
        });
        alice.sync();
        alice.sync();
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("second"));
        assert_eq!(bob.read("gone"), None);
        assert_eq!(bob.read("back").as_deref(), Some("again"));
        assert_eq!(alice.status().queued, 0);
        assert_eq!(world.entry(3).changes[0].base, Some(world.entry(2).changes[0].vid));
    }
}

/// Without it an edit made during a pull is overwritten.
#[test]
pub(crate) fn p7_an_edit_made_during_a_pull_is_not_overwritten() {
    for queue in [true, false] {
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["gone", "note"]);
        bob.edit("note", "bob's");
        bob.delete("gone");
        bob.sync();
        let documents = TroubledDatabase::of(&alice.documents);
        let alice = alice.with_database(Arc::new(documents.clone()));
        for id in ["gone", "note"] {
            let (memory, client) = (alice.documents.clone(), alice.client().clone());
            documents.before_apply(move || {
                memory.save(id, "alice's");
                if queue {
                    client.queue_change(&id.into()).now_or_never();
                }
            });
        }
        assert_eq!(alice.sync().conflicts, 2);
        assert_eq!(alice.read("note").as_deref(), Some("alice's"));
        assert_eq!(alice.read("gone").as_deref(), Some("alice's"));
    }
}

/// Alice and Bob edited one document, both added a word of their own; Bob has pushed.
pub(crate) fn clash() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    bob.edit("note", "bob");
    bob.sync();
    alice.edit("note", "alice");
    (world, alice, bob)
}

/// Stops Alice at each step of her decision in turn; she restarts and all sync to the end. Answers
/// the number of steps.
pub(crate) fn stop_everywhere(judge: impl Fn() -> Judge, check: impl Fn(&Device, u64)) -> u64 {
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

/// With the other order half of a merge is lost.
#[test]
pub(crate) fn p8_a_merge_that_is_stopped_anywhere_loses_neither_half() {
    let steps = stop_everywhere(Judge::merging, |device, step| {
        let text = device.read("note");
        assert_eq!(text.as_deref(), Some("alice bob"), "{}, step {step}", device.name);
    });
    assert!(steps > 20, "the sync has only {steps} steps");
}
