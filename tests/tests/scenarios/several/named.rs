//! Where edits are named, and who reads it (rules T1, T2 and T4).

use db_to_cloud::{Key, RemoteWins};
use db_to_cloud_tests::{Device, World};
use serde_json::Value;

use crate::branches::GO_ON;

fn sync_with(device: &mut Device, world: &World, address: &str) -> db_to_cloud::Report {
    device.sync_with(world, address);
    device.try_sync_with(GO_ON).unwrap()
}

fn seen(world: &World, slot: u64) -> Vec<Value> {
    let entry = world.json(&format!("changes/{slot}.json"));
    let changes = entry["changes"].as_array().unwrap();
    changes.iter().map(|change| change["seen"].clone()).collect()
}

/// Rule T1: with one storage nothing is written that an older release does not know.
#[test]
fn t1_edits_are_named_only_where_there_are_several_storages() {
    let (one, two) = (World::new(), World::new());
    let (mut alice, bob) = (one.device("alice"), one.device("bob"));
    alice.sync_with(&one, "one");
    alice.edit("a", "first");
    alice.sync();
    bob.sync();
    bob.edit("a", "second");
    bob.sync();
    assert_eq!([seen(&one, 1), seen(&one, 2)], [[Value::Null], [Value::Null]]);
    alice.sync();
    sync_with(&mut alice, &two, "two");
    assert!(seen(&two, 1)[0].is_object(), "there are two now");
    // Who has one storage goes on with what is named there.
    let mut carol = two.device("carol");
    carol.sync_with(&two, "two");
    carol.sync();
    carol.edit("a", "third");
    carol.sync();
    assert_eq!(seen(&two, 2)[0].as_object().unwrap().len(), 2);
}

/// Rule T1: a device that starts with a snapshot knows as much as one that read the log.
#[test]
fn t1_a_snapshot_keeps_the_named_edits() {
    let (one, two) = (World::new(), World::new());
    let mut alice = one.device("alice");
    sync_with(&mut alice, &two, "two");
    for i in 0..20 {
        alice.edit("a", &format!("{i} with some more text"));
        sync_with(&mut alice, &one, "one");
    }
    let head = one.snapshots().pop().expect("there is a snapshot");
    let part = one.json(one.json(&head)["parts"][0]["key"].as_str().unwrap());
    assert!(part["documents"]["sa"]["seen"].is_object(), "{part}");
}

/// Rule T2: what went through one storage is recognised at the other one, whoever is asked there.
#[test]
fn t2_an_edit_that_came_through_the_other_storage_is_no_conflict() {
    let (one, two) = (World::new(), World::new());
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| one.device(name));
    alice.edit("a", "first");
    for (world, address) in [(&one, "one"), (&two, "two")] {
        sync_with(&mut alice, world, address);
        sync_with(&mut bob, world, address);
    }
    // Alice's edit goes to both storages; Bob takes it from one and edits it before he looks at the other.
    alice.edit("a", "second");
    sync_with(&mut alice, &one, "one");
    sync_with(&mut alice, &two, "two");
    sync_with(&mut bob, &one, "one");
    bob.edit("a", "third");
    let report = sync_with(&mut bob, &two, "two");
    assert_eq!((report.conflicts, report.pushed, report.deferred.len()), (0, 1, 0));
    let report = sync_with(&mut alice, &two, "two");
    assert_eq!((report.conflicts, report.pulled), (0, 1));
    assert_eq!(alice.read("a").as_deref(), Some("third"));
}

/// Rule T1: a release that does not know `seen` leaves it out. Nothing is taken for contained then.
#[test]
fn t1_without_named_edits_each_storage_decides_alone() {
    let (one, two) = (World::new(), World::new());
    let [mut alice, mut bob] =
        ["alice", "bob"].map(|name| one.device(name).resolving_by(RemoteWins));
    alice.edit("a", "first");
    for (world, address) in [(&one, "one"), (&two, "two")] {
        sync_with(&mut alice, world, address);
        sync_with(&mut bob, world, address);
    }
    let mut old = one.device("old");
    sync_with(&mut old, &one, "one");
    old.edit("a", "of an old device");
    sync_with(&mut old, &one, "one");
    let slot = one.commits();
    let mut entry = one.json(&format!("changes/{slot}.json"));
    entry["changes"][0].as_object_mut().unwrap().remove("seen").unwrap();
    let bytes = serde_json::to_vec(&entry).unwrap();
    one.cloud.objects().insert(Key::change(slot), bytes.into());
    bob.edit("a", "of bob");
    sync_with(&mut bob, &two, "two");
    sync_with(&mut alice, &one, "one");
    assert_eq!(alice.read("a").as_deref(), Some("of an old device"));
    let report = sync_with(&mut alice, &two, "two");
    assert_eq!((report.conflicts, report.pulled), (1, 1), "Bob's text does not contain it");
}

/// Rule T4: the sync that deleted the documents was accepted; the next storage does not ask again.
#[test]
fn t4_what_one_storage_deleted_is_not_counted_again_for_the_other() {
    let (one, two) = (World::new(), World::new());
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| one.device(name));
    for i in 0..30 {
        alice.edit(format!("doc-{i}").as_str(), "text");
    }
    for (world, address) in [(&one, "one"), (&two, "two")] {
        sync_with(&mut alice, world, address);
        sync_with(&mut bob, world, address);
    }
    (0..30).for_each(|i| alice.delete(format!("doc-{i}").as_str()));
    sync_with(&mut alice, &one, "one");
    sync_with(&mut bob, &one, "one");
    bob.sync_with(&two, "two");
    assert_eq!(bob.sync().pushed, 30);
    // Another document that is missing is counted as ever.
    bob.edit("b", "text");
    bob.edit("c", "text");
    bob.sync();
    bob.delete_unqueued("b");
    bob.delete_unqueued("c");
    bob.restart();
    assert!(bob.try_sync().is_err());
}
