//! Edits on their way into the queue and out of it (rules C1, C2, C3, C4, U1, U6 and P7).

use std::sync::Arc;

use db_to_cloud::state::{StateStore, Table, Update, queue_change};
use db_to_cloud::{
    Action, Document, DocumentId, ErrorKind, LocalWins, RemoteWins, Requests, Resolution,
};
use db_to_cloud_tests::options::ACCEPT_REMOTE;
use db_to_cloud_tests::{Device, Judge, TroubledDatabase, World};
use futures::FutureExt;

#[test]
fn an_edit_whose_queueing_was_lost_is_not_overwritten_before_the_next_start() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["edited", "deleted"]);
    bob.edit("edited", "bob's");
    bob.edit("deleted", "bob's");
    bob.sync();
    alice.edit_unqueued("edited", "alice's");
    alice.delete_unqueued("deleted");
    assert_eq!(alice.sync().conflicts, 2);
    assert_eq!(alice.read("edited").as_deref(), Some("alice's"));
    assert_eq!(alice.read("deleted"), None);
}

#[test]
fn after_the_start_documents_are_not_compared_again_unless_asked() {
    let world = World::new();
    let (alice, _) = world.alice_and_bob(&["note"]);
    alice.edit_unqueued("note", "new");
    assert_eq!(alice.sync().pushed, 0);
    alice.client().compare_at_next_sync();
    assert_eq!(alice.sync().pushed, 1);
}

#[test]
fn a_start_without_edits_queues_and_writes_nothing() {
    let world = World::new();
    let (mut alice, _) = world.alice_and_bob(&["a", "b", "c"]);
    alice.delete("c");
    alice.sync();
    alice.restart();
    assert_eq!(alice.sync().requests, Requests { get: 2, ..Requests::default() });
}

#[test]
fn an_application_that_queues_in_its_transactions_is_not_compared() {
    let world = World::new();
    let alice = world.device("alice");
    let documents = TroubledDatabase::of(&alice.documents);
    documents.queue_in_transactions();
    let alice = alice.with_database(Arc::new(documents));
    alice.edit_unqueued("unqueued", "text");
    alice.edit("queued", "text");
    assert_eq!(alice.sync().pushed, 1);
    assert_eq!(world.changes(1), [("queued".to_owned(), Action::Put)]);
}

/// Rule U1.
#[test]
fn queueing_an_unchanged_document_writes_nothing() {
    let world = World::new();
    let (alice, _) = world.alice_and_bob(&["note"]);
    alice.queue(&"note".into());
    alice.queue(&"never there".into());
    let requests = alice.sync().requests;
    assert_eq!((requests.get, requests.total()), (2, 2));
    assert_eq!(alice.status().queued, 0);
}

#[test]
fn queueing_an_unchanged_document_makes_no_conflict_of_the_next_remote_change() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["edited", "deleted"]);
    bob.edit("edited", "bob's");
    bob.delete("deleted");
    bob.sync();
    alice.queue(&"edited".into());
    alice.queue(&"deleted".into());
    let report = alice.sync();
    assert_eq!((report.conflicts, report.pulled, report.deleted), (0, 1, 1));
    assert_eq!((alice.all(), alice.status().queued), (bob.all(), 0));
}

#[test]
fn a_document_made_and_deleted_between_two_syncs_is_never_pushed() {
    let world = World::new();
    let (alice, _) = world.alice_and_bob(&["note"]);
    alice.edit("draft", "text");
    alice.delete("draft");
    assert_eq!(alice.sync().pushed, 0);
    assert_eq!(alice.status().queued, 0);
}

/// Rule C3.
#[test]
fn an_edit_made_on_another_revision_than_the_synced_one_is_a_conflict() {
    let world = World::new();
    let (alice, _) = world.alice_and_bob(&["note"]);
    let stale = alice.revision("note").expect("it is there");
    alice.edit("note", "newer");
    alice.sync();
    let judge = Judge::always(Resolution::TakeRemote);
    let alice = alice.resolving_by(judge.clone());
    // An editor window was open all the time and saves over what it never saw.
    alice.edit_of("note", "from the old window", &stale);
    alice.sync();
    let [asked] = &judge.asked()[..] else { panic!("asked {} times", judge.count()) };
    assert_eq!(asked.remote, Some(Document::of_content("newer")));
    assert_eq!(alice.read("note").as_deref(), Some("newer"));
}

#[test]
fn an_edit_made_on_the_synced_revision_is_no_conflict() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let current = alice.revision("note").expect("it is there");
    alice.edit_of("note", "new", &current);
    let report = alice.sync();
    assert_eq!((report.conflicts, report.pushed), (0, 1));
    bob.sync();
    assert_eq!(bob.read("note").as_deref(), Some("new"));
}

#[test]
fn counters_that_collide_on_two_devices_lose_no_edit() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let save = |device: &Device, revision: u64, text: &'static str| {
        let document = Document::new(revision, text);
        device.documents.documents().insert("note".into(), document);
    };
    save(&alice, 1, "first");
    alice.queue(&"note".into());
    alice.sync();
    bob.sync();
    // Both count on to 2. Bob's queueing is lost, in one case with the process.
    for restart in [false, true] {
        let (mut bob, alice) = (bob.clone_as(&world, "bob"), alice.clone_as(&world, "alice"));
        let backup = world.backup();
        save(&alice, 2, "alice's");
        alice.queue(&"note".into());
        alice.sync();
        save(&bob, 2, "bob's");
        if restart {
            bob.restart();
        }
        let judge = Judge::always(Resolution::Merged(Document::new(3, "alice's and bob's")));
        let bob = bob.resolving_by(judge.clone());
        bob.sync();
        assert_eq!(judge.count(), 1);
        assert_eq!(judge.asked()[0].local, Some(Document::new(2, "bob's")));
        assert_eq!(judge.asked()[0].remote, Some(Document::new(2, "alice's")));
        alice.sync();
        assert_eq!(alice.read("note").as_deref(), Some("alice's and bob's"));
        world.restore(&backup);
    }
}

/// Rule C2.
#[test]
fn a_second_sync_on_the_same_state_is_refused() {
    let world = World::new();
    let (alice, _) = world.alice_and_bob(&["note"]);
    alice.edit("note", "new");
    let (client, told) = (alice.client().clone(), Arc::new(std::sync::Mutex::new(None)));
    let answer = told.clone();
    alice.storage.before("put", "docs/", move || {
        let second = client.sync().now_or_never().expect("it does not wait");
        *answer.lock().expect("unpoisoned") = Some(second.expect_err("it is refused").kind());
    });
    assert_eq!(alice.sync().pushed, 1);
    assert_eq!(*told.lock().expect("unpoisoned"), Some(ErrorKind::Busy));
    assert_eq!(alice.resolving_by(RemoteWins).sync().pushed, 0);
}

#[test]
fn an_edit_that_another_process_queued_upon_an_older_version_is_a_conflict() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["note"]);
    let key = DocumentId::from("note").to_key();
    let read = alice.state.read(Table::Index, std::slice::from_ref(&key)).now_or_never();
    let older = read.expect("no waiting").expect("it works").remove(0);
    bob.edit("note", "bob's");
    bob.sync();
    alice.sync();
    // The other process read the index before this one's pull, and writes the queue after it.
    let queued = queue_change(None, older.as_deref(), 1).expect("the record is sound");
    let update = Update { table: Table::Dirty, key, value: Some(queued) };
    alice.state.write(Vec::new(), vec![update]).now_or_never();
    alice.edit_unqueued("note", "alice's");
    let pushed = alice.sync().pushed + alice.sync().pushed;
    assert_eq!((pushed, alice.status().pending), (0, 1), "the application decides");
}

#[test]
fn a_decision_that_is_stopped_is_not_taken_for_done_because_the_counters_collide() {
    let save = |device: &Device, revision: u64, text: &'static str| {
        let document = Document::new(revision, text);
        device.documents.documents().insert("note".into(), document);
        device.queue(&"note".into());
    };
    for step in 1.. {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        save(&alice, 1, "first");
        alice.sync();
        bob.sync();
        save(&alice, 2, "alice's");
        alice.sync();
        save(&bob, 2, "bob's");
        let mut bob = bob.resolving_by(RemoteWins);
        let stopped = bob.sync_stopping_at(step);
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("alice's"), "step {step}");
        if !stopped {
            break;
        }
    }
}

/// Rule U6: a document that neither side has is forgotten, but for an edit that comes at that very moment.
#[test]
fn u6_an_edit_of_a_document_that_is_just_forgotten_stays_queued() {
    for seed in 1..=12 {
        for step in 1..=90 {
            let world = World::new();
            let alice = world.device("alice").resolving_by(LocalWins);
            alice.edit("a", "first");
            alice.sync();
            alice.delete("a");
            world.cloud.objects().clear();
            alice.steps.interleave(seed);
            alice.sync_and_edit_at(ACCEPT_REMOTE, step, "a", "again").unwrap();
            alice.sync();
            let bob = world.device("bob");
            bob.sync();
            assert_eq!(bob.read("a").as_deref(), Some("again"), "seed {seed}, step {step}");
        }
    }
}

/// Rule C3: whenever the edit of an older revision comes, the version that it did not see is not replaced
/// without a question; also between the write of a pull and its record in the index.
#[test]
fn c3_an_edit_of_an_older_revision_is_a_conflict_at_any_moment_of_a_pull() {
    for seed in 1..=8 {
        for step in 1..=70 {
            let world = World::new();
            let (alice, bob) = world.alice_and_bob(&["x"]);
            let opened = alice.revision("x").unwrap();
            bob.edit("x", "of bob");
            bob.sync();
            alice.steps.interleave(seed);
            let first = alice.sync_and_save_at(step, "x", "of alice", &opened).unwrap();
            let second = alice.sync();
            assert!(first.conflicts + second.conflicts > 0, "seed {seed}, step {step}");
            bob.sync();
            assert_eq!(bob.read("x").as_deref(), Some("of bob"), "seed {seed}, step {step}");
        }
    }
}
