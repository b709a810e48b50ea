//! Newer formats, damage and refusals (rules K1 and S8).

use super::away::bob_was_away;
use super::*;

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

/// Rule K2.
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

#[test]
fn a_damaged_snapshot_is_followed_by_a_good_one() {
    for (name, dots) in [("head", 2), ("part", 3)] {
        let world = World::new();
        let alice = world.device("alice");
        alice.edit("early", "text");
        commit_many(&alice, 17);
        let before = newest(&world);
        for key in world.keys("snapshot").iter().filter(|key| key.matches('.').count() == dots) {
            world.overwrite(key, "{");
        }
        commit_many(&alice, 40);
        let after = newest(&world);
        assert_ne!(after, before, "the {name} was damaged");
        assert!(content(&world, &after).contains_key("searly"));
        let bob = world.device("bob");
        assert!(bob.sync().requests.get < 40, "the {name} was damaged");
        assert_eq!(bob.all(), alice.all());
    }
}

#[test]
fn a_hint_to_the_snapshot_of_another_log_is_not_built_upon() {
    let world = World::new();
    // Another storage, but no second beginning of the same randomness.
    let other = World { time: world.time.clone(), ..World::new() };
    commit_many(&other.device("dave"), 17);
    let alice = world.device("alice");
    commit_many(&alice, 15);
    for key in other.keys("snapshot").into_iter().chain(["meta.json".to_owned()]) {
        world.overwrite(&key, other.object(&key).unwrap());
    }
    commit_many(&alice, 1);
    let hint = world.json("meta.json")["snapshot"].as_str().unwrap().to_owned();
    assert_eq!(other.object(&hint), None, "Alice wrote one of her own");
    assert_eq!(content(&world, &hint), fold(&world));
}

#[test]
fn no_snapshot_is_written_of_a_storage_that_was_exchanged_meanwhile() {
    let world = World::new();
    let other = World { time: world.time.clone(), ..World::new() };
    commit_many(&other.device("dave").set_up(|b| b.with_maintenance(false)), 20);
    let alice = world.device("alice");
    commit_many(&alice, 15);
    let (exchanged, objects) = (world.clone(), other.backup());
    alice.storage.before("get", "meta.json", move || exchanged.restore(&objects));
    commit_many(&alice, 1);
    assert_eq!(world.snapshots(), Vec::<String>::new());
}
