//! Snapshots and what they are good for (rules K1, K2, P2, S6 to S8).

use std::collections::BTreeMap;

use db_to_cloud::{ErrorKind, KeepBoth, RemoteWins};
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
    commit_many(&alice, 1);
    assert_eq!(world.snapshots().len(), 1);
    assert_eq!(world.json("meta.json")["snapshot"], json!(newest(&world)));
    assert_eq!(world.json(&newest(&world))["seq"], 16);
    assert_eq!(content(&world, &newest(&world)), fold(&world));
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

#[test]
fn a_fresh_device_takes_the_snapshot_and_the_entries_after_it() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for i in 0..30 {
        alice.edit(format!("doc-{i}"), &format!("text {i}"));
    }
    alice.edit("large", &"x".repeat(10_000));
    alice.delete("doc-3");
    commit_many(&alice, 20);
    alice.delete("doc-4");
    alice.edit("doc-5", "after the snapshot");
    alice.sync();
    assert!(bob.sync().requests.get < 15, "not the whole log");
    assert_eq!(bob.all(), alice.all());
    assert_eq!(bob.read("doc-4"), None);
}

/// Alice and Bob know some documents; Bob goes away, and Alice does a great deal.
fn bob_was_away() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for id in ["kept", "gone", "edited", "mine", "both"] {
        alice.edit(id, "old");
    }
    alice.sync();
    bob.sync();
    alice.delete("gone");
    alice.edit("edited", "alice's");
    alice.edit("both", "alice's");
    commit_many(&alice, 40);
    (world, alice, bob)
}

#[test]
fn a_device_long_away_jumps_to_the_snapshot() {
    let (_, alice, bob) = bob_was_away();
    let requests = bob.sync().requests;
    assert!(requests.get < 30, "{requests:?}");
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_device_long_away_keeps_its_edits_when_it_jumps() {
    let (world, alice, bob) = bob_was_away();
    bob.edit("mine", "bob's");
    bob.edit("both", "bob's");
    bob.edit("gone", "bob's");
    bob.edit_unqueued("kept", "bob's unqueued");
    bob.delete("edited");
    let bob = bob.resolving_by(KeepBoth::new(|c| format!("{} of bob", c.id).into()));
    let report = bob.sync();
    assert_eq!(report.conflicts, 3);
    alice.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(bob.read("mine").as_deref(), Some("bob's"));
    assert_eq!(bob.read("kept").as_deref(), Some("bob's unqueued"));
    assert_eq!(bob.read("both").as_deref(), Some("alice's"));
    assert_eq!(bob.read("\"both\" of bob").or(bob.read("both of bob")).as_deref(), Some("bob's"));
    assert_eq!(bob.read("gone").as_deref(), Some("bob's"), "an edit wins over a delete");
    assert_eq!(bob.read("edited").as_deref(), Some("alice's"));
    assert_fresh_equals(&world, &alice);
}

/// The tombstone of a document leaves the newest snapshot, as it may after a year.
fn drop_tombstone(world: &World, key: &str) {
    let name = newest(world);
    let mut head = world.json(&name);
    for part in head["parts"].as_array_mut().unwrap() {
        let part_key = part["key"].as_str().unwrap().to_owned();
        let mut content = world.json(&part_key);
        let removed = content["documents"].as_object_mut().unwrap().remove(key);
        if removed.is_some_and(|record| record.get("deleted").is_some()) {
            let bytes = content.to_string();
            part["bytes"] = json!(bytes.len());
            world.overwrite(&part_key, bytes);
            world.overwrite(&name, head.to_string());
            return;
        }
    }
    panic!("there was no tombstone of {key}");
}

#[test]
fn a_document_that_the_snapshot_has_forgotten_was_deleted() {
    let (world, alice, bob) = bob_was_away();
    drop_tombstone(&world, "sgone");
    assert_eq!(bob.sync().deleted, 1);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_document_that_the_snapshot_has_forgotten_is_not_deleted_if_it_was_edited() {
    let (world, alice, bob) = bob_was_away();
    drop_tombstone(&world, "sgone");
    bob.edit("gone", "bob's");
    assert_eq!(bob.sync().conflicts, 1);
    assert_eq!(bob.read("gone").as_deref(), Some("bob's"));
    let bob = bob.resolving_by(db_to_cloud::LocalWins);
    bob.sync();
    alice.sync();
    assert_eq!(alice.read("gone").as_deref(), Some("bob's"));
}

/// Entries up to the newest snapshot become stubs.
fn make_stubs(world: &World) {
    let snapshot = newest(world);
    let last = world.json(&snapshot)["seq"].as_u64().unwrap();
    for n in 1..=last {
        let entry = world.entry(n);
        let stub = json!({"format": 1, "commit": entry.commit, "prev": entry.prev,
                          "snapshot": snapshot});
        world.overwrite(&format!("changes/{n}.json"), stub.to_string());
    }
}

#[test]
fn stubs_lead_old_and_new_devices_to_the_snapshot() {
    let (world, alice, bob) = bob_was_away();
    make_stubs(&world);
    bob.edit("mine", "bob's");
    bob.sync();
    alice.sync();
    assert_eq!(alice.read("mine").as_deref(), Some("bob's"));
    assert_eq!(alice.all(), bob.all());
    assert_fresh_equals(&world, &alice);
}

#[test]
fn stubs_are_read_around_when_the_hint_is_gone() {
    let (world, alice, bob) = bob_was_away();
    make_stubs(&world);
    world.remove("meta.json");
    bob.sync();
    assert_eq!(alice.all(), bob.all());
    assert_fresh_equals(&world, &alice);
}

#[test]
fn new_snapshots_are_written_after_stubs_though_the_hint_is_gone() {
    let (world, alice, bob) = bob_was_away();
    make_stubs(&world);
    let before = world.snapshots().len();
    bob.sync();
    world.remove("meta.json");
    for device in [&alice, &bob] {
        commit_many(device, 40);
    }
    assert!(world.snapshots().len() > before);
    alice.sync();
    assert_fresh_equals(&world, &alice);
}

#[test]
fn stubs_without_any_snapshot_are_a_clear_error_and_nothing_is_lost() {
    let (world, _, bob) = bob_was_away();
    make_stubs(&world);
    world.keys("snapshot").iter().for_each(|key| world.remove(key));
    let before = bob.all();
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(bob.all(), before);
    let fresh = world.device("fresh");
    assert_eq!(fresh.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
}

#[test]
fn an_unknown_format_of_any_object_stops_with_the_version_needed() {
    let names = |world: &World| -> Vec<String> {
        let parts = world.keys("snapshot");
        let last = world.commits();
        let mut names = vec!["meta.json".to_owned(), format!("changes/{last}.json")];
        names.extend(parts);
        names
    };
    let count = names(&bob_was_away().0).len();
    for i in 0..count {
        let (world, alice, _) = bob_was_away();
        commit_many(&alice, 3);
        let names = names(&world);
        let newest = newest(&world);
        let stem = newest.trim_end_matches(".json");
        let name = &names[i];
        if name.starts_with("snapshot") && !name.starts_with(stem) {
            continue;
        }
        let mut object = world.json(name);
        object["format"] = json!(2);
        world.overwrite(name, object.to_string());
        let fresh = world.device("fresh");
        let error = fresh.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NewerFormat, "{name}");
        assert!(error.to_string().contains("format 2"), "{error}");
    }
}

#[test]
fn an_unknown_format_of_the_lock_stops_whoever_wants_it() {
    let world = World::new();
    let alice = world.device("alice").set_up(|b| b.with_lock(db_to_cloud::LockPolicy::Always));
    world.overwrite("lock.json", r#"{"format":2}"#);
    alice.edit("note", "hello");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::NewerFormat);
}

#[test]
fn an_entry_of_a_newer_format_stops_a_device_that_is_up_to_date_and_changes_nothing() {
    let (world, alice, bob) = bob_was_away();
    bob.sync();
    alice.edit("kept", "new");
    alice.sync();
    let name = format!("changes/{}.json", world.commits());
    let mut entry = world.json(&name);
    entry["format"] = json!(7);
    world.overwrite(&name, entry.to_string());
    bob.edit("mine", "bob's");
    let (documents, commits) = (bob.all(), world.commits());
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::NewerFormat);
    assert_eq!((bob.all(), world.commits()), (documents, commits));
}

#[test]
fn slots_of_the_log_are_never_deleted() {
    let (world, alice, bob) = bob_was_away();
    bob.sync();
    for _ in 0..12 {
        world.time.pass(std::time::Duration::from_secs(20 * 24 * 3600));
        commit_many(&alice, 3);
        commit_many(&bob, 3);
    }
    for n in 1..=world.commits() {
        assert!(world.object(&format!("changes/{n}.json")).is_some(), "slot {n}");
    }
    for device in [&alice, &bob] {
        assert!(!device.storage.journal.take().iter().any(|l| l.starts_with("delete changes")));
    }
}

#[test]
fn a_device_with_deferred_conflicts_writes_the_same_snapshot_as_any_other() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("both", "alice's");
    alice.edit("kept", "old");
    alice.sync();
    bob.edit("both", "bob's");
    assert_eq!(bob.sync().conflicts, 1);
    // Bob, who has put the conflict off, commits until a snapshot is due, with another waiting.
    alice.edit("kept", "alice's");
    alice.sync();
    bob.edit("kept", "bob's");
    commit_many(&bob, 20);
    assert_eq!(bob.read("both").as_deref(), Some("bob's"));
    let snapshot = newest(&world);
    let (mut content, mut fold) = (content(&world, &snapshot), fold(&world));
    // It changed after the snapshot too.
    content.remove("sbusy");
    fold.remove("sbusy");
    assert_eq!(content, fold);
    assert_eq!(content["sboth"], json!(world.fold()[&"both".into()].vid));
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.read("both").as_deref(), Some("alice's"));
    assert_eq!(fresh.read("kept").as_deref(), Some("alice's"));
}

#[test]
fn a_snapshot_that_cannot_be_written_does_not_fail_the_sync() {
    for kind in [ErrorKind::Full, ErrorKind::Forbidden, ErrorKind::Unavailable] {
        let world = World::new();
        let alice = world.device("alice");
        commit_many(&alice, 15);
        for _ in 0..9 {
            alice.storage.fail("put", "snapshot/", Fault::Refused(kind));
        }
        commit_many(&alice, 1);
        assert!(world.snapshots().is_empty());
        alice.storage.heal();
        // Tried again once the log has doubled.
        commit_many(&alice, 17);
        assert_eq!(world.snapshots().len(), 1);
    }
}

#[test]
fn a_client_without_maintenance_writes_no_snapshots() {
    let world = World::new();
    let alice = world.device("alice").set_up(|builder| builder.with_maintenance(false));
    commit_many(&alice, 40);
    assert!(world.snapshots().is_empty());
    assert_eq!(world.object("meta.json"), None);
}
