//! A log that ends before its newest snapshot, or went on without it: after a restore of some of the
//! objects (rule P13).

use super::*;
use crate::counterexamples::days;
use futures::FutureExt;

const ACCEPT: db_to_cloud::SyncOptions = db_to_cloud_tests::options::ACCEPT_REMOTE;

/// Each commit of the device adds a document.
fn add_many(device: &Device, numbers: std::ops::Range<usize>) {
    for i in numbers {
        device.edit(format!("{}-{i}", device.name), &format!("text {i}"));
        device.sync();
    }
}

fn cut_log_after(world: &World, last: u64) {
    for n in last + 1..=world.commits() {
        world.remove(&format!("changes/{n}.json"));
    }
}

/// Alice has committed 20 documents; there is a snapshot of 16. Bob has seen 12. The log is cut
/// behind the 12th.
fn log_is_cut() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    add_many(&alice, 0..12);
    bob.sync();
    add_many(&alice, 12..20);
    assert_eq!(world.snapshots().len(), 1);
    cut_log_after(&world, 12);
    (world, alice, bob)
}

/// The writer of what the log lacks stops when it has an edit, and puts it all again on consent.
fn converge(world: &World, alice: &Device, others: &[&Device]) {
    alice.edit("late", "text");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Diverged);
    alice.try_sync_with(ACCEPT).unwrap();
    alice.sync();
    for other in others {
        other.sync();
        assert_eq!(other.all(), alice.all(), "{}", other.name);
    }
    assert_fresh_equals(world, alice);
    assert!((0..20).all(|i| alice.read(format!("alice-{i}")).is_some()));
}

#[test]
fn a_device_behind_the_cut_goes_on_and_a_new_device_gets_every_document() {
    let (world, alice, bob) = log_is_cut();
    let dead = newest(&world);
    add_many(&bob, 0..40);
    assert_ne!(world.json("meta.json")["snapshot"], json!(dead), "the hint is written anew");
    assert_eq!(content(&world, &newest(&world)).len() as u64, world_seq(&world));
    let new = world.device("new");
    assert_eq!(preview(&new).pull.len(), 52);
    assert!(new.sync().requests.get < 30);
    assert_eq!(new.all(), bob.all());
    let alice = alice.resolving_by(db_to_cloud::LocalWins);
    converge(&world, &alice, &[&bob, &new]);
}

#[test]
fn a_new_device_reads_the_log_if_nobody_stands_at_the_cut() {
    let (world, alice, _) = log_is_cut();
    let new = world.device("new");
    assert_eq!(preview(&new).pull.len(), 12);
    assert_eq!(new.sync().pulled, 12);
    add_many(&new, 0..3);
    let alice = alice.resolving_by(db_to_cloud::LocalWins);
    converge(&world, &alice, &[&new]);
}

#[test]
fn an_older_snapshot_that_counts_is_taken_instead() {
    let world = World::new();
    let alice = world.device("alice");
    add_many(&alice, 0..60);
    let snapshots = world.snapshots();
    assert!(snapshots.len() >= 2, "{snapshots:?}");
    cut_log_after(&world, 17);
    let new = world.device("new");
    // Hint, the dead heads and their slots, the list, the head and its part, the entry, the end.
    let requests = new.sync().requests;
    assert!(requests.get < 17 && requests.list == 1, "{requests:?}");
    assert_eq!(new.all().len(), 17);
    // It is the base of the next snapshot.
    new.storage.journal.take();
    add_many(&new, 0..30);
    let read = new.storage.journal.take();
    assert!(
        !read.contains(&"get changes/1.json".to_owned()),
        "the log was read from its beginning"
    );
    assert_fresh_equals(&world, &new);
}

#[test]
fn a_snapshot_whose_last_entry_is_damaged_counts_unless_the_next_entry_says_otherwise() {
    for (damaged, count) in [(&[16][..], 20), (&[16], 16), (&[16, 17], 20)] {
        let world = World::new();
        let alice = world.device("alice");
        add_many(&alice, 0..count);
        for n in damaged {
            world.overwrite(&format!("changes/{n}.json"), "{");
        }
        let new = world.device("new");
        let synced = new.try_sync();
        assert!(new.all().len() >= 16, "{damaged:?} of {count}");
        assert_eq!(synced.is_ok(), damaged.len() == 1, "slot 17 is in no snapshot");
    }
    let (world, _, bob) = log_is_cut();
    let bob = bob.set_up(|builder| builder.with_maintenance(false));
    add_many(&bob, 0..8);
    world.overwrite("changes/16.json", "{");
    let new = world.device("new");
    // The dead snapshot is not taken; the log is read as far as it can be.
    assert_eq!(new.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
    assert!((12..16).contains(&new.all().len()), "{} documents", new.all().len());
}

#[test]
fn a_dead_snapshot_is_collected_once_another_one_counts() {
    let (world, _, bob) = log_is_cut();
    let dead = newest(&world);
    add_many(&bob, 0..40);
    days(&world, 60, &[&bob]);
    assert_eq!(world.object(&dead), None);
    assert!(!world.snapshots().is_empty());
    assert_fresh_equals(&world, &bob);
}

#[test]
fn a_dead_snapshot_without_another_one_is_neither_named_nor_collected() {
    let (world, _, bob) = log_is_cut();
    let bob = bob.set_up(|b| b.with_grace(std::time::Duration::from_secs(30 * 24 * 3600)));
    let (dead, before) = (newest(&world), world.keys("snapshot"));
    bob.sync();
    days(&world, 60, &[&bob]);
    assert!(world.object(&dead).is_some());
    assert_eq!(world.keys("snapshot"), before);
}

fn preview(device: &Device) -> db_to_cloud::Preview {
    device.client().preview().now_or_never().unwrap().unwrap()
}

fn world_seq(world: &World) -> u64 {
    world.json(&newest(world))["seq"].as_u64().unwrap()
}
