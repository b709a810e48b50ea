//! Devices long away, and stubs (rules P2 and S6).

use super::*;

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

/// Alice and Bob know some documents; Bob goes away, and Alice does a great deal: what matters lies
/// behind what Bob reads of the log before he looks for a snapshot.
pub(super) fn bob_was_away() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for id in ["kept", "gone", "edited", "mine", "both"] {
        alice.edit(id, "old");
    }
    alice.sync();
    bob.sync();
    commit_many(&alice, 12);
    alice.delete("gone");
    alice.edit("edited", "alice's");
    alice.edit("both", "alice's");
    commit_many(&alice, 28);
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
            part["hash"] = json!(ContentHash::of(bytes.as_bytes()));
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

/// Rules C8 and C9.
#[test]
fn an_excluded_document_that_the_snapshot_has_forgotten_was_deleted() {
    for is_here in [true, false] {
        let (world, alice, bob) = bob_was_away();
        drop_tombstone(&world, "sgone");
        bob.chosen.exclude(&["gone", "edited"]);
        if !is_here {
            bob.delete_unqueued("gone");
        }
        let report = bob.sync();
        assert_eq!((report.deleted, report.excluded), (0, 1), "`edited` is there");
        assert_eq!(bob.read("gone").is_some(), is_here);
        bob.chosen.everything();
        let report = bob.sync();
        assert_eq!((report.deleted, report.deferred.len()), (u64::from(is_here), 0));
        assert_eq!(bob.all(), alice.all());
    }
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
fn stubs_whose_snapshot_is_damaged_are_a_clear_error() {
    let (world, _, bob) = bob_was_away();
    make_stubs(&world);
    for part in world.keys("snapshot").iter().filter(|key| key.split('.').count() == 4) {
        world.overwrite(part, "{");
    }
    let before = bob.all();
    assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(bob.all(), before);
}
