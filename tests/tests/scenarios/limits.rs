//! Limits: the brake on deletes (rule B1), time-outs, repetitions and the pauses between them, and
//! the counts of requests in the report.

mod batches;
mod brake;
mod races;
mod requests;
mod restored;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use db_to_cloud::{
    BoxError, Conflict, Environment, ErrorKind, Limits, LocalWins, Requests, Resolution, Resolver,
    SyncOptions,
};
use db_to_cloud_tests::{Device, Fault, World};

const ACCEPT: SyncOptions = db_to_cloud_tests::options::ACCEPT_DELETES;
const SECOND: Duration = Duration::from_secs(1);

/// Alice and Bob both have so many documents.
fn two_devices(documents: usize) -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for i in 0..documents {
        alice.edit(format!("doc-{i}"), "text");
    }
    alice.sync();
    bob.sync();
    (world, alice, bob)
}

fn delete_many(device: &Device, count: usize) {
    (0..count).for_each(|i| device.delete(format!("doc-{i}")));
}

fn elapsed(world: &World) -> Duration {
    world.time.monotonic()
}

#[test]
fn a_pull_that_would_delete_most_documents_stops_before_the_first() {
    let (world, alice, bob) = two_devices(20);
    delete_many(&alice, 11);
    alice.sync();
    let (documents, objects) = (bob.all(), world.backup());
    for _ in 0..3 {
        let error = bob.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyDeletes);
        assert!(error.to_string().contains("11 of 20"), "{error}");
        assert_eq!(bob.all(), documents);
        assert_eq!(world.backup(), objects);
    }
    assert_eq!(bob.try_sync_with(ACCEPT).unwrap().deleted, 11);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn deletes_that_the_application_queued_itself_do_not_brake_after_a_restart() {
    let (_, mut alice, bob) = two_devices(20);
    delete_many(&alice, 11);
    alice.restart();
    assert_eq!(alice.sync().pushed, 11);
    assert_eq!(bob.try_sync_with(ACCEPT).unwrap().deleted, 11);
}

#[test]
fn the_brake_survives_a_restart() {
    let (_, alice, mut bob) = two_devices(20);
    delete_many(&alice, 20);
    alice.sync();
    let documents = bob.all();
    assert!(bob.try_sync().is_err());
    bob.restart();
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::TooManyDeletes);
    assert_eq!(bob.all(), documents);
}

#[test]
fn the_brake_counts_deletes_of_many_commits_together() {
    let (_, alice, bob) = two_devices(20);
    for i in 0..15 {
        alice.delete(format!("doc-{i}"));
        alice.sync();
    }
    let documents = bob.all();
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::TooManyDeletes);
    assert_eq!(bob.all(), documents);
}

#[test]
fn the_brake_holds_before_a_jump_to_a_snapshot_deletes() {
    let (world, alice, bob) = two_devices(20);
    delete_many(&alice, 15);
    for i in 0..40 {
        alice.edit("busy", &format!("text {i}"));
        alice.sync();
    }
    assert!(!world.snapshots().is_empty());
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::TooManyDeletes);
    assert!((0..20).all(|i| bob.read(format!("doc-{i}")).is_some()));
    bob.try_sync_with(ACCEPT).unwrap();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn few_deletes_or_no_more_than_half_do_not_brake() {
    for (documents, deletes) in [(12, 10), (10, 10), (22, 11), (100, 50)] {
        let (_, alice, bob) = two_devices(documents);
        delete_many(&alice, deletes);
        alice.sync();
        assert_eq!(bob.sync().deleted, deletes as u64, "{deletes} of {documents}");
    }
}

#[test]
fn deletes_that_the_application_queued_are_no_accident() {
    let (_, alice, bob) = two_devices(20);
    delete_many(&alice, 20);
    assert_eq!(alice.sync().pushed, 20);
    bob.try_sync_with(ACCEPT).unwrap();
    assert_eq!(bob.all(), []);
}

#[test]
fn an_emptied_database_deletes_nothing_in_the_storage_unasked() {
    let (world, alice, mut bob) = two_devices(20);
    bob.restart();
    bob.documents.documents().clear();
    let objects = world.backup();
    for _ in 0..3 {
        let error = bob.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TooManyDeletes);
        assert_eq!(world.backup(), objects);
        assert_eq!(bob.status().queued, 0, "not queued for later either");
        bob.restart();
    }
    assert_eq!(bob.try_sync_with(ACCEPT).unwrap().pushed, 20);
    alice.try_sync_with(ACCEPT).unwrap();
    assert_eq!(alice.all(), []);
}

#[test]
fn a_database_that_was_away_for_a_moment_is_no_harm() {
    let (world, alice, mut bob) = two_devices(20);
    let documents = bob.documents.documents().clone();
    bob.restart();
    bob.documents.documents().clear();
    assert!(bob.try_sync().is_err());
    *bob.documents.documents() = documents;
    let objects = world.backup();
    let report = bob.sync();
    assert_eq!((report.pushed, report.deleted), (0, 0));
    assert_eq!(world.backup(), objects);
    assert_eq!(alice.all(), bob.all());
}
