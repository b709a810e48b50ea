//! Documents that were restored from a backup while the client state was not (rule B1): older versions do
//! not replace newer ones on all devices unasked.

use db_to_cloud::ErrorKind;
use db_to_cloud_tests::{Device, World};

use super::{ACCEPT, two_devices};

/// Bob wrote each document anew, `newer` times, and then got all of them back as they were before.
fn restored(newer: usize) -> (World, Device, Device) {
    let (world, alice, mut bob) = two_devices(20);
    let backup = bob.documents.documents().clone();
    for version in 0..newer {
        (0..20).for_each(|i| bob.edit(format!("doc-{i}"), &format!("version {version}")));
        bob.sync();
    }
    alice.sync();
    *bob.documents.documents() = backup;
    bob.restart();
    (world, alice, bob)
}

#[test]
fn b1_restored_documents_do_not_replace_newer_ones_unasked() {
    let (world, alice, mut bob) = restored(1);
    let objects = world.backup();
    for _ in 0..3 {
        let error = bob.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyDeletes);
        assert!(error.to_string().contains("20 of 20"), "{error}");
        assert_eq!(world.backup(), objects);
        bob.restart();
    }
    assert_eq!(bob.try_sync_with(ACCEPT).unwrap().pushed, 20);
    alice.sync();
    assert_eq!(alice.all(), bob.all());
    assert_ne!(alice.read("doc-7").as_deref(), Some("version 0"));
}

/// The way back to the newer versions.
#[test]
fn a_device_whose_documents_were_restored_gets_the_newer_ones_without_its_state() {
    let (world, alice, mut bob) = restored(3);
    bob.try_sync().unwrap_err();
    bob.reinstall();
    let commits = world.commits();
    assert_eq!(bob.sync().conflicts, 0);
    assert_eq!((bob.all(), world.commits()), (alice.all(), commits));
}

#[test]
fn sixteen_versions_of_a_document_are_known_again() {
    for (newer, asks) in [(1, true), (16, true), (17, false)] {
        let (_, _, bob) = restored(newer);
        assert_eq!(bob.try_sync().is_err(), asks, "{newer} versions later");
    }
}

#[test]
fn versions_that_were_pulled_are_known_again_as_well() {
    let (_, alice, mut bob) = two_devices(20);
    let backup = bob.documents.documents().clone();
    (0..20).for_each(|i| alice.edit(format!("doc-{i}"), "alice's"));
    alice.sync();
    bob.sync();
    *bob.documents.documents() = backup;
    bob.restart();
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::TooManyDeletes);
}

#[test]
fn a_few_restored_documents_and_many_that_were_edited_are_pushed() {
    for (back, edited, asks) in [(10, 0, false), (11, 0, true), (11, 9, true), (11, 11, false)] {
        let (_, alice, mut bob) = two_devices(30);
        let backup = bob.documents.documents().clone();
        (0..back).for_each(|i| bob.edit(format!("doc-{i}"), "newer"));
        bob.sync();
        *bob.documents.documents() = backup;
        (0..edited).for_each(|i| bob.edit_unqueued(format!("doc-{}", 29 - i), "the work of a day"));
        bob.restart();
        assert_eq!(bob.try_sync().is_err(), asks, "{back} of {}", back + edited);
        if !asks {
            alice.sync();
            assert_eq!(alice.all(), bob.all());
        }
    }
}

/// An application that queues its edits says that they are edits.
#[test]
fn edits_that_the_application_queued_are_not_asked_about() {
    let (_, alice, bob) = restored(1);
    (0..20).for_each(|i| bob.queue(&format!("doc-{i}").into()));
    assert_eq!(bob.sync().pushed, 20);
    alice.sync();
    assert_eq!(alice.all(), bob.all());
}
