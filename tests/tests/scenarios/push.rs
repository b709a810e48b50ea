//! A push on a storage that loses answers, refuses documents and is shared with faster devices
//! (rules U1, U2, U3, U5 and U8).

use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use db_to_cloud::{Action, DeferReason, Document, ErrorKind, Key, LocalWins, VersionId};
use db_to_cloud_tests::{Device, Fault, World};
use futures::FutureExt;

const DAY: Duration = Duration::from_secs(24 * 3600);
const UNANSWERED: [Fault; 4] = [Fault::Lost, Fault::AnswerLost, Fault::Hangs, Fault::Delayed];

/// Alice and Bob both hold "note"; Alice has edited it.
fn edited() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "old");
    alice.sync();
    bob.sync();
    alice.edit("note", "new");
    (world, alice, bob)
}

/// The versions of a document in the storage.
fn versions(world: &World, id: &str) -> Vec<VersionId> {
    let keys = world.keys("docs");
    let of_id = keys.iter().filter(|key| key.starts_with(&format!("docs/{id}.")));
    of_id.filter_map(|key| Key::parse(key).ok()?.vid()).collect()
}

/// Rule U5.
#[test]
fn a_create_whose_answer_is_lost_neither_duplicates_nor_loses() {
    for fault in UNANSWERED {
        let (world, alice, bob) = edited();
        alice.storage.fail("create", "changes/", fault);
        assert_eq!(alice.sync().pushed, 1, "{fault:?}");
        alice.storage.deliver().now_or_never();
        assert_eq!(world.commits(), 2, "{fault:?}");
        let sent = alice.storage.sent(&Key::change(2));
        assert!(sent.iter().all(|bytes| *bytes == sent[0]), "{fault:?}: the same is sent again");
        assert_eq!(alice.sync().requests.total(), 2, "{fault:?}");
        assert_eq!(bob.sync().pulled, 1);
        assert_eq!(bob.read("note").as_deref(), Some("new"));
    }
}

#[test]
fn an_upload_whose_answer_is_lost_is_repeated_under_its_name() {
    for fault in UNANSWERED {
        let (world, alice, bob) = edited();
        alice.storage.fail("put", "docs/", fault);
        assert_eq!(alice.sync().pushed, 1, "{fault:?}");
        alice.storage.deliver().now_or_never();
        assert_eq!(versions(&world, "note").len(), 2, "{fault:?}");
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("new"));
    }
}

#[test]
fn a_delete_that_failed_on_the_wire_stays_queued() {
    let refused = [ErrorKind::Forbidden, ErrorKind::Throttled, ErrorKind::Full].map(Fault::Refused);
    for fault in refused.into_iter().chain(UNANSWERED) {
        let (world, mut alice, bob) = edited();
        alice.delete("note");
        alice.storage.fail_for_long("create", "changes/", fault);
        let found = matches!(fault, Fault::AnswerLost | Fault::Hangs);
        assert_eq!(alice.try_sync().is_ok(), found, "{fault:?}");
        alice.storage.heal();
        alice.restart();
        alice.sync();
        alice.storage.deliver().now_or_never();
        assert_eq!(world.changes(2), [("note".to_owned(), Action::Delete)], "{fault:?}");
        bob.sync();
        assert_eq!((bob.read("note"), alice.read("note")), (None, None), "{fault:?}");
        assert_eq!((world.commits(), alice.sync().requests.total()), (2, 2), "{fault:?}");
    }
}

#[test]
fn a_document_the_storage_refuses_is_reported_and_the_rest_syncs() {
    for (bad, good) in [(1, 2), (1, 0), (2, 0), (2, 3)] {
        let (_, alice, bob) = edited();
        alice.sync();
        bob.edit("bob", "bob's");
        bob.sync();
        (0..bad).for_each(|i| alice.edit(format!("bad-{i}"), "far too large"));
        (0..good).for_each(|i| alice.edit(format!("good-{i}"), "fine"));
        let refused = Fault::Refused(ErrorKind::Unsupported);
        alice.storage.fail_for_long("put", "docs/bad-", refused);
        let report = alice.sync();
        assert_eq!((report.pulled, report.pushed), (1, good), "{bad} bad, {good} good");
        assert_eq!(report.deferred.len(), bad, "{bad} bad, {good} good");
        assert!(report.deferred.iter().all(|d| d.reason == DeferReason::NotStored));
        alice.storage.heal();
        assert_eq!(alice.sync().pushed, bad as u64, "it is tried again");
        bob.sync();
        assert_eq!(bob.all(), alice.all());
    }
}

#[test]
fn uploads_that_all_fail_alike_are_the_storages_trouble() {
    let (_, alice, _) = edited();
    alice.edit("other", "text");
    for kind in [ErrorKind::Unauthorized, ErrorKind::Full, ErrorKind::Forbidden] {
        alice.storage.fail_for_long("put", "docs/", Fault::Refused(kind));
        assert_eq!(alice.try_sync().expect_err("nothing can be stored").kind(), kind);
        alice.storage.heal();
    }
    assert_eq!(alice.sync().pushed, 2);
}

#[test]
fn what_no_document_would_be_spared_is_not_one_documents_trouble() {
    let (_, alice, _) = edited();
    let kinds =
        [ErrorKind::Unauthorized, ErrorKind::Full, ErrorKind::NewerFormat, ErrorKind::Diverged];
    for kind in kinds {
        alice.storage.fail("put", "docs/", Fault::Refused(kind));
        assert_eq!(alice.try_sync().expect_err("nothing can be stored").kind(), kind);
    }
    assert_eq!(alice.sync().pushed, 1);
}

/// Just before Alice's next commits, Bob makes so many of his own.
fn bob_is_faster(alice: &Device, bob: Device, times: usize) -> Arc<Mutex<Device>> {
    let bob = Arc::new(Mutex::new(bob));
    for i in 0..times {
        let bob = bob.clone();
        alice.storage.before("create", "changes/", move || {
            let bob = bob.lock().expect("unpoisoned");
            bob.edit("bobs", &format!("race {i}"));
            bob.sync();
        });
    }
    bob
}

#[test]
fn a_lost_race_uses_the_uploads_again() {
    let (world, alice, bob) = edited();
    let bob = bob_is_faster(&alice, bob, 1);
    let report = alice.sync();
    assert_eq!((report.pushed, report.pulled, report.requests.put), (1, 1, 1));
    assert_eq!(versions(&world, "note").len(), 2);
    assert_eq!(world.changes(3), [("note".to_owned(), Action::Put)]);
    let bob = bob.lock().expect("unpoisoned");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn several_lost_races_in_a_row_take_the_lock_which_is_given_back() {
    let (world, alice, bob) = edited();
    let (cloud, locked) = (world.cloud.clone(), Arc::new(AtomicUsize::new(0)));
    let bob = bob_is_faster(&alice, bob, 3);
    let seen = locked.clone();
    alice.storage.before("create", "lock.json", move || {
        seen.fetch_add(1, SeqCst);
    });
    assert_eq!(alice.sync().pushed, 1);
    assert_eq!((world.commits(), locked.load(SeqCst)), (5, 1));
    assert!(!cloud.objects().contains_key(&Key::lock()));
    let bob = bob.lock().expect("unpoisoned");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_device_that_always_loses_gives_up_for_now_and_loses_nothing() {
    let (_, alice, bob) = edited();
    let bob = bob_is_faster(&alice, bob, 12);
    assert_eq!(alice.try_sync().expect_err("it always loses").kind(), ErrorKind::Locked);
    assert_eq!(alice.read("bobs").as_deref(), Some("race 10"));
    assert_eq!(alice.sync().pushed, 1);
    let bob = bob.lock().expect("unpoisoned");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn three_devices_that_race_each_other_all_get_through() {
    let (world, alice, bob) = edited();
    let carol = world.device("carol");
    carol.sync();
    bob.edit("bobs", "text");
    carol.edit("carols", "text");
    // Carol is faster than Bob, who is faster than Alice.
    bob.storage.before("create", "changes/", move || drop(carol.sync()));
    alice.storage.before("create", "changes/", move || drop(bob.sync()));
    let report = alice.sync();
    assert_eq!((report.pulled, report.pushed, world.commits()), (2, 1, 4));
}

/// Rules U8 and S5.
#[test]
fn many_documents_are_commits_of_500_each_complete_in_itself() {
    for missing in 0..3 {
        let (world, mut alice, bob) = edited();
        alice.sync();
        (0..1200).for_each(|i| alice.edit(format!("doc-{i:04}"), "text"));
        let refused = Fault::Refused(ErrorKind::Forbidden);
        alice.storage.fail_later(missing, "create", "changes/", refused);
        alice.try_sync().expect_err("a commit is refused");
        bob.sync();
        assert_eq!(bob.all().len(), 1 + 500 * missing);
        alice.restart();
        assert_eq!(alice.sync().pushed, 1200 - 500 * missing as u64);
        let sizes: Vec<_> = (3..=5).map(|n| world.entry(n).changes.len()).collect();
        assert_eq!(sizes, [500, 500, 200]);
        bob.sync();
        assert_eq!(bob.all(), alice.all());
        for change in world.entry(3).changes.iter().step_by(100) {
            let uploads = versions(&world, &change.id.to_string()).len();
            assert_eq!(uploads, 1, "what an attempt names is not uploaded again");
        }
    }
}

/// Rule U3.
#[test]
fn uploads_half_a_grace_period_old_are_not_committed() {
    let slow: [(&str, &str); 3] = [("put", "docs/"), ("get", "changes/"), ("create", "changes/")];
    for (operation, prefix) in slow {
        let (world, alice, bob) = edited();
        let (time, before) = (world.time.clone(), versions(&world, "note"));
        let (bob, cloud) = (Arc::new(bob), world.clone());
        let (faster, first) = (bob.clone(), Arc::new(Mutex::new(Vec::new())));
        let uploaded = first.clone();
        alice.storage.before(operation, prefix, move || {
            time.pass(16 * DAY);
            *uploaded.lock().expect("unpoisoned") = versions(&cloud, "note");
            if operation == "create" {
                // Else the commit is under way, and old uploads are what the hour F is for.
                faster.edit("bobs", "text");
                faster.sync();
            }
        });
        assert_eq!(alice.sync().pushed, 1);
        let committed = world.entry(world.commits()).changes[0].vid;
        let stale = first.lock().expect("unpoisoned");
        assert!(!stale.contains(&committed), "uploaded before the {operation} took 16 days");
        assert!(versions(&world, "note").contains(&committed) && !before.contains(&committed));
        bob.sync();
        assert_eq!(bob.read("note").as_deref(), Some("new"));
    }
}

#[test]
fn a_new_revision_of_the_same_bytes_is_pushed() {
    let (world, alice, bob) = edited();
    alice.sync();
    let again = Document::new("saved again", "new");
    alice.documents.documents().insert("note".into(), again.clone());
    alice.queue(&"note".into());
    assert_eq!((alice.sync().pushed, world.commits()), (1, 3));
    bob.sync();
    assert_eq!(bob.documents.documents()[&"note".into()], again);
}

#[test]
fn a_document_edited_during_a_lost_race_is_committed_as_it_is_then() {
    let (_, alice, bob) = edited();
    let documents = alice.documents.clone();
    alice.storage.before("create", "changes/", move || documents.save("note", "newer"));
    let bob = bob_is_faster(&alice, bob, 1);
    // One hook a request: Alice's first create fails, her second loses the race.
    alice.storage.fail("create", "changes/", Fault::Lost);
    assert_eq!(alice.sync().pushed, 1);
    let bob = bob.lock().expect("unpoisoned");
    bob.sync();
    assert_eq!(bob.read("note").as_deref(), Some("newer"));
}

#[test]
fn a_document_kept_in_a_lost_race_replaces_the_winners_version() {
    let (world, alice, bob) = edited();
    let alice = alice.resolving_by(LocalWins);
    alice.storage.before("create", "changes/", move || {
        bob.edit("note", "bob's");
        bob.sync();
    });
    assert_eq!((alice.sync().conflicts, world.commits()), (1, 3));
    assert_eq!(world.entry(3).changes[0].base, Some(world.entry(2).changes[0].vid));
}

#[test]
fn a_single_document_that_is_refused_is_its_own_trouble() {
    let (_, alice, _) = edited();
    alice.storage.fail("put", "docs/", Fault::Refused(ErrorKind::Forbidden));
    let report = alice.sync();
    assert_eq!((report.pushed, report.deferred[0].reason), (0, DeferReason::NotStored));
    assert_eq!(alice.sync().pushed, 1);
}
