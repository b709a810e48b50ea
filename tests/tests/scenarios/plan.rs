//! One plan for a pull: puts and deletes in commit order, what is blocked or refused, and what a
//! stopped pull leaves (rules C3, P11, P12 and B1).

use std::collections::BTreeSet;
use std::sync::Arc;

use db_to_cloud::{DeferReason, ErrorKind, Resolution, SyncOptions};
use db_to_cloud_tests::{
    Device, Fault, Judge, PeculiarDatabase, Rule, TroubledDatabase, World, settle,
};

use crate::pull::{large, three_large};

/// A device with the same documents in a database with this rule.
fn under(device: Device, rule: Rule) -> (Device, PeculiarDatabase) {
    let database = PeculiarDatabase::of(&device.documents, rule);
    (device.with_database(Arc::new(database.clone())), database)
}

/// Bob's editor opened a revision; a pull that stops anywhere wrote Alice's over it; then Bob saves and
/// says which revision he had.
#[test]
fn c3_a_declared_base_survives_a_pull_that_stops_anywhere() {
    let mut stopped = true;
    for step in 1.. {
        if !stopped {
            assert!(step > 10, "the pull has only {step} steps");
            return;
        }
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["note"]);
        let judge = Judge::always(Resolution::KeepLocal);
        let mut bob = bob.resolving_by(judge.clone());
        let opened = bob.revision("note").unwrap();
        alice.edit("note", "old, and Alice's");
        alice.sync();
        stopped = bob.sync_stopping_at(step);
        bob.edit_of("note", "old, and Bob's", &opened);
        bob.sync();
        let [asked] = &judge.asked()[..] else { panic!("step {step}: {} asked", judge.count()) };
        let remote = asked.remote.as_ref().map(|remote| remote.bytes.clone());
        assert_eq!(remote.as_deref(), Some(&b"old, and Alice's"[..]), "step {step}");
        settle(&[&alice, &bob]);
        assert_eq!(alice.read("note").as_deref(), Some("old, and Bob's"), "step {step}");
    }
}

#[test]
fn p11_puts_and_deletes_of_one_pull_are_one_batch_in_commit_order() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "b", "c", "d"]);
    let (bob, database) = under(bob, Rule::Lower);
    alice.delete("d");
    alice.edit("c", "1");
    alice.sync();
    alice.edit("a", "2");
    alice.delete("b");
    alice.sync();
    alice.edit("e", "3");
    alice.sync();
    bob.sync();
    let [batch] = &database.batches()[..] else { panic!("{:?}", database.batches()) };
    let ids: Vec<_> = batch.iter().map(|write| write.id.to_string()).collect();
    assert_eq!(ids, ["c", "d", "a", "b", "e"]);
    assert_eq!(bob.all(), alice.all());
}

/// Each document takes over the text of the next one. No order of single writes can do that but one.
#[test]
fn p11_texts_that_are_handed_over_along_a_chain_arrive_in_one_sync() {
    for documents in [3, 40, 603] {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        let (bob, database) = under(bob, Rule::Unique);
        let id = |i: usize| format!("doc-{:04}", i * 7919 % documents);
        (0..documents).for_each(|i| alice.edit(id(i), &format!("text {i}")));
        alice.sync();
        bob.sync();
        alice.delete(id(0));
        (1..documents).for_each(|i| alice.edit(id(i), &format!("text {}", i - 1)));
        alice.sync();
        let report = bob.try_sync_with(ACCEPT).unwrap();
        assert_eq!(report.deferred, [], "{documents} documents");
        assert_eq!(bob.all(), alice.all(), "{documents} documents");
        assert!(database.batches().iter().all(|batch| batch.len() <= 5500));
    }
}

/// Two documents that swap their texts block each other for good in a database without any means.
#[test]
fn p10_what_stays_blocked_is_reported_and_the_others_sync() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let (bob, _) = under(bob, Rule::Unique);
    alice.edit("a", "1");
    alice.edit("b", "2");
    alice.sync();
    bob.sync();
    alice.edit("a", "2");
    alice.edit("b", "1");
    alice.edit("c", "3");
    alice.sync();
    for pulled in [1, 0] {
        let report = bob.sync();
        assert_eq!(report.pulled, pulled);
        let blocked: BTreeSet<_> = report.deferred.iter().map(|d| d.id.to_string()).collect();
        assert_eq!(blocked, ["a", "b"].map(str::to_owned).into());
        assert!(report.deferred.iter().all(|d| d.detail.contains("another document has this")));
    }
    alice.edit("b", "4");
    alice.sync();
    assert_eq!(bob.sync().deferred, []);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn p12_a_refused_version_is_not_downloaded_again_before_something_changed() {
    let (_, alice, bob) = three_large();
    let documents = TroubledDatabase::of(&alice.documents);
    documents.refuse("b");
    let mut alice = alice.with_database(Arc::new(documents.clone()));
    let size = large("first").len() as u64;
    assert!(alice.sync().bytes_down > 3 * size);
    for _ in 0..3 {
        alice.restart();
        let report = alice.sync();
        assert_eq!(report.deferred[0].reason, DeferReason::Refused);
        assert!(report.deferred[0].detail.contains("does not take"), "{report:?}");
        assert!(report.bytes_down < size, "{report:?}");
    }
    // The user asks for another try.
    let retry = SyncOptions { retry_refused: true, ..SyncOptions::default() };
    assert!(alice.try_sync_with(retry).unwrap().bytes_down >= size);
    // A newer version is another matter, and so is a database that has changed.
    bob.edit("b", &large("second"));
    bob.sync();
    assert!(alice.sync().bytes_down > size);
    assert!(alice.sync().bytes_down < size);
    documents.heal();
    assert_eq!(alice.sync().pulled, 1);
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn a_database_that_does_not_keep_the_exact_bytes_is_no_editor() {
    let world = World::new();
    let (alice, bob, carol) = (world.device("alice"), world.device("bob"), world.device("carol"));
    let ((bob, _), (carol, _)) = (under(bob, Rule::Lower), under(carol, Rule::Upper));
    let mut devices = [alice, bob, carol];
    devices[0].edit("x", "Mixed Case");
    devices[0].edit("exact", "123");
    let texts = [Some("Mixed Case"), Some("mixed case"), Some("MIXED CASE")];
    for _ in 0..3 {
        for device in &mut devices {
            device.sync();
            // Its documents are scanned again.
            device.restart();
        }
        assert_eq!(world.commits(), 1);
    }
    for (device, text) in devices.iter().zip(texts) {
        assert_eq!(device.read("x").as_deref(), text);
        assert_eq!(device.read("exact").as_deref(), Some("123"));
    }
    // A real edit, here or there, is one.
    devices[1].edit("x", "edited");
    devices[1].sync();
    devices[0].sync();
    assert_eq!(devices[0].read("x").as_deref(), Some("edited"));
    devices[0].edit("x", "Again");
    devices[0].sync();
    assert_eq!(devices[1].sync().conflicts, 0);
    assert_eq!(devices[1].read("x").as_deref(), Some("again"));
}

const ACCEPT: SyncOptions = db_to_cloud_tests::options::ACCEPT_DELETES;

#[test]
fn b1_a_scan_that_finds_nothing_at_all_is_asked_about_also_for_few_documents() {
    for count in [2, 10] {
        let world = World::new();
        let (alice, mut bob) = (world.device("alice"), world.device("bob"));
        (0..count).for_each(|i| alice.edit(format!("{i}"), "text"));
        alice.sync();
        bob.sync();
        bob.documents.documents().clear();
        bob.restart();
        assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::TooManyDeletes, "{count}");
        bob.restart();
        assert_eq!(bob.try_sync_with(ACCEPT).unwrap().pushed, count);
        alice.try_sync_with(ACCEPT).unwrap();
        assert_eq!(alice.all(), []);
    }
}

/// Somebody who deletes the last document has hardly lost a drive.
#[test]
fn b1_a_single_document_is_deleted_unasked() {
    let world = World::new();
    let (alice, mut bob) = world.alice_and_bob(&["only"]);
    bob.documents.documents().clear();
    bob.restart();
    assert_eq!(bob.sync().pushed, 1);
    alice.sync();
    assert_eq!(alice.all(), []);
}

/// Nearly all documents get other ids, as in a folder that is renamed.
#[test]
fn b1_a_rename_of_nearly_all_documents_is_no_loss_on_either_side() {
    let world = World::new();
    let (alice, mut bob) = (world.device("alice"), world.device("bob"));
    (0..30).for_each(|i| alice.edit(format!("old/{i}"), &format!("text {i}")));
    alice.sync();
    bob.sync();
    let documents = std::mem::take(&mut *bob.documents.documents());
    for (id, document) in documents {
        let id = id.to_string().replace("old/", "new/");
        bob.documents.documents().insert(id.into(), document);
    }
    bob.restart();
    assert_eq!(bob.sync().pushed, 60);
    let report = alice.sync();
    assert_eq!((report.pulled, report.deleted), (30, 30));
    assert_eq!(alice.all(), bob.all());
}

/// A renamed document is uploaded by nobody and downloaded by nobody who has it (rule U9).
#[test]
fn u9_a_rename_moves_no_bytes() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let (alice, database) = under(alice, Rule::Lower);
    (0..5).for_each(|i| bob.edit(format!("old/{i}"), &large(&format!("text {i}"))));
    bob.sync();
    alice.sync();
    for i in 0..5 {
        // Some ids come before those of the deletes in the queue, some after.
        bob.edit(format!("{}/{i}", ["new", "zoo"][i % 2]), &large(&format!("text {i}")));
        bob.delete(format!("old/{i}"));
    }
    let report = bob.sync();
    let size = large("").len() as u64;
    assert!(report.bytes_up < size, "{report:?}");
    let report = alice.sync();
    assert!(report.bytes_down < size, "{report:?}");
    assert_eq!(alice.all(), bob.all());
    let batch = database.batches().pop().unwrap();
    assert_eq!(batch.iter().filter(|write| write.moved_from.is_some()).count(), 5);
    assert_eq!(batch.iter().filter(|write| write.document.is_none()).count(), 5);
    // A new device gets them from the copies.
    let carol = world.device("carol");
    assert!(carol.sync().bytes_down > 5 * size);
    assert_eq!(carol.all(), bob.all());
}

/// Whatever the storage makes of a copy, the bytes are there in the end (rule U9).
#[test]
fn u9_a_copy_that_fails_is_an_upload() {
    let faults = [
        Fault::Refused(ErrorKind::Unsupported),
        Fault::Refused(ErrorKind::Forbidden),
        Fault::Lost,
        Fault::AnswerLost,
        Fault::Delayed,
    ];
    for fault in faults {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        bob.edit("old", &large("text"));
        bob.sync();
        bob.edit("new", &large("text"));
        bob.delete("old");
        bob.storage.fail_for_long("copy", "docs/", fault);
        bob.sync();
        alice.sync();
        assert_eq!(alice.all(), bob.all(), "{fault:?}");
    }
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    bob.edit("old", &large("text"));
    bob.sync();
    // The storage lost the object.
    world.cloud.objects().retain(|key, _| !key.as_str().starts_with("docs/"));
    bob.edit("new", &large("text"));
    bob.delete("old");
    assert!(bob.sync().bytes_up > large("").len() as u64);
    alice.sync();
    assert_eq!(alice.all(), bob.all());
}
