//! Snapshots and what they are good for (rules K1, K2, P2, P13, S6, S7 and S8).

mod away;
mod dead;
mod hints;
mod trouble;

use std::collections::BTreeMap;

use db_to_cloud::{ContentHash, ErrorKind, KeepBoth, RemoteWins};
use db_to_cloud_tests::{Device, Fault, World};
use serde_json::{Value, json};

/// Edits one document so many times, a commit each.
fn commit_many(device: &Device, count: usize) {
    for i in 0..count {
        device.edit("busy", &format!("{} {i}", device.name));
        device.sync();
    }
}

/// What a snapshot says there is: the vid of each live document, by key.
fn content(world: &World, head: &str) -> BTreeMap<String, Value> {
    let mut content = BTreeMap::new();
    for part in world.json(head)["parts"].as_array().unwrap() {
        let part = world.json(part["key"].as_str().unwrap());
        for (key, record) in part["documents"].as_object().unwrap() {
            if record.get("deleted").is_none() {
                content.insert(key.clone(), record["vid"].clone());
            }
        }
    }
    content
}

/// What the log says there is.
fn fold(world: &World) -> BTreeMap<String, Value> {
    world.live().into_iter().map(|(id, c)| (id.to_key(), json!(c.vid))).collect()
}

fn newest(world: &World) -> String {
    world.snapshots().pop().expect("there is a snapshot")
}

fn assert_fresh_equals(world: &World, device: &Device) {
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.all(), device.all());
}

#[test]
fn sixteen_entries_are_worth_a_snapshot() {
    let world = World::new();
    let alice = world.device("alice");
    commit_many(&alice, 15);
    assert_eq!(world.snapshots().len(), 0);
    alice.storage.journal.take();
    commit_many(&alice, 1);
    assert_eq!(world.snapshots().len(), 1);
    assert!(!alice.storage.journal.take().contains(&"list snapshot".to_owned()));
    assert_eq!(world.json("meta.json")["snapshot"], json!(newest(&world)));
    assert_eq!(world.json(&newest(&world))["seq"], 16);
    assert_eq!(content(&world, &newest(&world)), fold(&world));
}

/// Rule S7: a device that comes back after years must not take a deleted document for a new one.
#[test]
fn a_tombstone_is_kept_through_every_later_snapshot() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("gone", "text");
    alice.sync();
    alice.delete("gone");
    for _ in 0..8 {
        commit_many(&alice, 20);
        world.time.pass(std::time::Duration::from_secs(90 * 24 * 3600));
    }
    let head = newest(&world);
    assert!(world.json(&head)["seq"].as_u64().unwrap() > 140, "an old snapshot");
    let parts = world.json(&head)["parts"].as_array().unwrap().clone();
    let parts_read = parts.iter().map(|part| world.json(part["key"].as_str().unwrap()));
    let is_tombstone = |part: Value| !part["documents"]["sgone"]["deleted"].is_null();
    assert!(parts_read.into_iter().any(is_tombstone), "{parts:?}");
}

#[test]
fn only_one_client_writes_the_snapshot() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for _ in 0..20 {
        commit_many(&alice, 1);
        bob.sync();
        commit_many(&bob, 1);
        alice.sync();
    }
    let snapshots = world.snapshots();
    let numbers: Vec<_> = snapshots.iter().map(|head| world.json(head)["seq"].clone()).collect();
    assert_eq!(numbers.len(), 2, "40 entries: {numbers:?}");
}

#[test]
fn snapshots_never_cost_more_bytes_than_the_documents_and_entries() {
    let world = World::new();
    let devices = [world.device("alice"), world.device("bob"), world.device("carol")];
    let mut random = 7_u64;
    let mut next = |n: u64| {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) % n
    };
    for _ in 0..400 {
        let device = &devices[next(3) as usize];
        for _ in 0..1 + next(4) {
            let id = format!("doc-{}", next(120));
            match next(10) {
                0 => device.delete(id),
                n => device.edit(id, &"text ".repeat((n * n * 60) as usize + next(30) as usize)),
            }
        }
        device.sync();
    }
    // Nothing is ever deleted in this short a time: all that was written is there.
    let bytes = |folder: &str| -> usize {
        let objects = world.cloud.objects();
        let sizes = objects.iter().filter(|(k, _)| k.as_str().starts_with(folder));
        sizes.map(|(_, bytes)| bytes.len()).sum()
    };
    assert!(world.snapshots().len() >= 3, "{}", world.snapshots().len());
    assert!(bytes("snapshot/") <= bytes("docs/") + bytes("changes/"));
    let other = world.device("other").resolving_by(RemoteWins);
    other.sync();
    assert_fresh_equals(&world, &other);
}

#[test]
fn parts_without_a_change_are_used_again() {
    let world = World::new();
    let alice = world.device("alice");
    // Two parts of 4 MiB.
    for i in 0..1800 {
        alice.edit(format!("doc-{i:04}"), &"x".repeat(3000));
    }
    alice.sync();
    commit_many(&alice, 12);
    assert_eq!(world.snapshots().len(), 1);
    let parts = |head: &String| -> Vec<String> {
        let head = world.json(head);
        let parts = head["parts"].as_array().unwrap().iter();
        parts.map(|part| part["key"].as_str().unwrap().to_owned()).collect()
    };
    // Enough changes near the beginning to be worth a new first part.
    for round in 0..16 {
        for i in 0..60 {
            alice.edit(format!("doc-{i:04}"), &"z".repeat(3000 + round));
        }
        alice.sync();
    }
    let snapshots = world.snapshots();
    assert!(snapshots.len() >= 2, "{snapshots:?}");
    let [.., before, last] = &snapshots[..] else { unreachable!() };
    let (before, last) = (parts(before), parts(last));
    assert!(before.len() >= 2, "{before:?}");
    assert_ne!(before.first(), last.first(), "the first part changed");
    assert_eq!(before.last(), last.last(), "the last part did not");
    assert_fresh_equals(&world, &alice);
}

#[test]
fn parts_are_written_before_the_head_and_the_head_before_the_hint() {
    let world = World::new();
    let alice = world.device("alice");
    commit_many(&alice, 15);
    alice.storage.journal.take();
    let cloud = world.cloud.clone();
    let heads = move || {
        cloud
            .objects()
            .keys()
            .filter(|k| k.as_str().split('.').count() == 3 && k.as_str().starts_with("snapshot/"))
            .count()
    };
    alice.storage.before("put", "snapshot/", || {});
    alice.storage.before("put", "snapshot/", move || assert_eq!(heads(), 0));
    let cloud = world.cloud.clone();
    alice.storage.before("put", "meta.json", move || {
        let named = |k: &db_to_cloud::Key| k.as_str().starts_with("snapshot/");
        assert_eq!(cloud.objects().keys().filter(|k| named(k)).count(), 2);
    });
    commit_many(&alice, 1);
    let journal = alice.storage.journal.take();
    let puts: Vec<_> = journal.into_iter().filter(|l| l.starts_with("put")).collect();
    assert_eq!(puts, ["put docs/…", "put snapshot/…", "put snapshot/…", "put meta.json"]);
}

#[test]
fn stopped_at_any_step_of_a_snapshot_readers_are_not_misled() {
    for step in 1.. {
        let world = World::new();
        let (mut alice, bob) = (world.device("alice"), world.device("bob"));
        alice.edit("old", "old");
        commit_many(&alice, 15);
        bob.sync();
        alice.delete("old");
        alice.edit("new", "new");
        let stopped = alice.sync_stopping_at(step);
        bob.sync();
        assert_fresh_equals(&world, &bob);
        world.time.pass(std::time::Duration::from_secs(200));
        commit_many(&alice, 1);
        bob.sync();
        commit_many(&bob, 1);
        alice.sync();
        assert_eq!(alice.all(), bob.all());
        assert_fresh_equals(&world, &alice);
        assert!(!world.snapshots().is_empty(), "stopped at {step}");
        if !stopped {
            assert!(step > 40, "only {step} steps");
            return;
        }
    }
}
