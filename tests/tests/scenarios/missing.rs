//! Documents whose bytes the storage lost, damaged or does not hand out (rule P5).

mod found;
mod given_up;

use bytes::Bytes;
use db_to_cloud::{DeferReason, ErrorKind, Key, Resolution};
use db_to_cloud_tests::{Fault, Judge, World};

use super::pull::{large, three_large};

/// The newest version of a document in the storage.
fn newest(world: &World, id: &str) -> Key {
    let entries = (1..=world.commits()).rev().map(|n| world.entry(n));
    let change = entries.flat_map(|e| e.changes).find(|c| c.id == id.into());
    Key::document(&id.into(), change.expect("it was committed").vid)
}

#[test]
fn documents_missing_or_damaged_are_reported_and_heal_with_the_next_good_write() {
    for damage in [None, Some(""), Some("\0\0\0\0"), Some("first xxx")] {
        let (world, alice, bob) = three_large();
        let key = newest(&world, "b");
        let length = world.cloud.objects()[&key].len();
        match damage {
            None => drop(world.cloud.objects().remove(&key)),
            // Once torn, once as long as it should be.
            Some(text) if text.starts_with('\0') => {
                drop(world.cloud.objects().insert(key, Bytes::from(vec![0; length])));
            }
            Some(text) => drop(world.cloud.objects().insert(key, Bytes::from(text))),
        }
        for pulled in [2, 0] {
            let report = alice.sync();
            assert_eq!(report.pulled, pulled, "{damage:?}");
            assert_eq!(report.deferred.len(), 1, "{damage:?}");
            assert_eq!(report.deferred[0].reason, DeferReason::Missing);
            assert_eq!(report.deferred[0].id, "b".into());
        }
        assert_eq!((alice.read("b"), alice.status().pending), (None, 1));
        bob.edit("b", "good again");
        bob.sync();
        let report = alice.sync();
        assert_eq!((report.pulled, report.deferred.len()), (1, 0), "{damage:?}");
        assert_eq!(alice.all(), bob.all());
    }
}

#[test]
fn a_missing_document_that_is_there_again_is_applied() {
    let (world, alice, bob) = three_large();
    let key = newest(&world, "b");
    let bytes = world.cloud.objects().remove(&key).expect("it is there");
    alice.sync();
    world.cloud.objects().insert(key, bytes);
    assert_eq!(alice.sync().pulled, 1);
    assert_eq!(alice.all(), bob.all());
}

#[test]
fn a_missing_document_does_not_replace_or_delete_what_is_here() {
    let (world, alice, bob) = three_large();
    alice.sync();
    bob.edit("b", &large("second"));
    bob.sync();
    let key = newest(&world, "b");
    world.cloud.objects().remove(&key);
    alice.edit("c", "alice's");
    let report = alice.sync();
    assert_eq!((report.deferred.len(), report.pushed), (1, 1));
    assert_eq!(alice.read("b"), Some(large("first")));
    // An edit upon the old version is in conflict with the missing one, which nobody can show.
    alice.edit("b", "alice's");
    assert_eq!(alice.sync().pushed, 0);
    bob.delete("b");
    bob.sync();
    let judge = Judge::always(Resolution::KeepLocal);
    alice.resolving_by(judge.clone()).sync();
    assert_eq!((judge.count(), judge.asked()[0].remote.clone()), (1, None));
}

#[test]
fn a_version_that_comes_while_the_old_one_is_missing_is_taken_in_the_same_sync() {
    let (world, alice, bob) = three_large();
    let key = newest(&world, "b");
    world.cloud.objects().remove(&key);
    alice.storage.before("get", "docs/b.", move || {
        bob.edit("b", &large("second"));
        bob.sync();
    });
    let report = alice.sync();
    assert_eq!((report.pulled, report.deferred.len()), (3, 0));
    assert_eq!(alice.read("b"), Some(large("second")));
}

#[test]
fn documents_the_storage_does_not_hand_out_are_reported_and_the_rest_syncs() {
    for ids in [&["a"][..], &["a", "b"], &["a", "b", "c"]] {
        let (_, alice, bob) = three_large();
        bob.edit("small", "text");
        bob.sync();
        for id in ids {
            let refused = Fault::Refused(ErrorKind::Forbidden);
            alice.storage.fail_for_long("get", &format!("docs/{id}."), refused);
        }
        let report = alice.sync();
        assert_eq!((report.pulled, report.deferred.len()), (4 - ids.len() as u64, ids.len()));
        alice.storage.heal();
        assert_eq!(alice.sync().pulled, ids.len() as u64);
        assert_eq!(alice.all(), bob.all());
    }
}

#[test]
fn one_document_that_does_not_come_is_put_off_and_all_of_them_are_the_storages_trouble() {
    for (documents, lost) in [(1, 1), (2, 1), (2, 2)] {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        (0..documents).for_each(|i| alice.edit(format!("doc-{i}"), &large("text")));
        alice.sync();
        (0..lost).for_each(|i| {
            bob.storage.fail_for_long("get", &format!("docs/doc-{i}"), Fault::Lost);
        });
        match bob.try_sync() {
            Ok(report) => {
                assert_eq!((report.deferred.len(), report.pulled), (1, documents - 1));
                assert_eq!(report.deferred[0].reason, DeferReason::NotFetched);
            }
            Err(error) => assert_eq!((error.kind(), lost), (ErrorKind::Unavailable, 2)),
        }
        bob.storage.heal();
        bob.sync();
        assert_eq!(bob.all(), alice.all());
    }
}
