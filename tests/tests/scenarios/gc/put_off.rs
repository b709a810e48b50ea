//! When garbage collection is put off (rules G1 and G2), and what it does to old snapshots.

use super::*;

#[test]
fn old_snapshots_are_deleted_and_the_newest_is_not() {
    let world = World::new();
    let alice = world.device("alice");
    for i in 0..80 {
        alice.edit("note", &format!("text {i}"));
        alice.sync();
    }
    let snapshots = world.snapshots();
    assert!(snapshots.len() > 2);
    days(&world, 50, &[&alice]);
    assert_eq!(world.snapshots(), snapshots[snapshots.len() - 1..]);
    assert_eq!(world.keys("snapshot").len(), 2, "a head and its part");
    let bob = world.device("bob");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
    assert!(bob.storage.journal.take().len() < 30);
}

#[test]
fn parts_that_the_newest_snapshot_uses_again_are_not_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    for i in 0..1500 {
        alice.edit(format!("doc-{i:04}"), &"x".repeat(3000));
    }
    alice.sync();
    for round in 0..40 {
        for i in 0..40 {
            alice.edit(format!("doc-{i:04}"), &"z".repeat(3000 + round));
        }
        alice.sync();
        if round % 2 == 0 {
            days(&world, 10, &[&alice]);
        }
    }
    let head = world.json(world.snapshots().last().unwrap());
    for part in head["parts"].as_array().unwrap() {
        assert!(world.object(part["key"].as_str().unwrap()).is_some());
    }
    days(&world, 60, &[&alice]);
    let bob = world.device("bob");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn without_a_readable_hint_no_snapshot_is_deleted() {
    let world = World::new();
    let alice = world.device("alice");
    for i in 0..40 {
        alice.edit("note", &format!("text {i}"));
        alice.sync();
    }
    let snapshots = world.keys("snapshot");
    world.overwrite("meta.json", "{");
    days(&world, 100, &[&alice]);
    assert_eq!(world.keys("snapshot"), snapshots);
}

#[test]
fn gc_is_put_off_if_somebody_commits_meanwhile() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), Arc::new(world.device("bob")));
    let first = superseded(&world, &alice);
    for i in 0..30 {
        world.time.pass(DAY * 8);
        let rival = bob.clone();
        alice.storage.before("list", "docs", move || {
            rival.edit("bobs", &format!("{i}"));
            rival.try_sync().unwrap();
        });
        alice.sync();
        assert!(world.object(&first).is_some(), "round {i}");
    }
    days(&world, 50, &[&alice]);
    assert_eq!(world.object(&first), None);
}

#[test]
fn gc_is_put_off_while_somebody_holds_the_lock() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    alice.edit("note", "second");
    alice.sync();
    world.time.pass(DAY * 9);
    let lock = r#"{"format":1,"owner":"bob","nonce":"0123456789abcdef0123456789abcdef","ttl":60,"time":0}"#;
    world.overwrite("lock.json", lock);
    alice.storage.journal.take();
    alice.sync();
    assert!(!alice.storage.journal.take().contains(&"list docs".to_owned()));
    world.remove("lock.json");
    alice.sync();
    assert!(alice.storage.journal.take().contains(&"list docs".to_owned()));
}

#[test]
fn gc_without_lists_or_deletes_does_not_fail_the_sync() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    alice.edit("note", "second");
    alice.sync();
    for _ in 0..8 {
        world.time.pass(DAY * 8);
        alice.storage.fail("list", "docs", Fault::Refused(ErrorKind::Forbidden));
        alice.sync();
    }
    alice.storage.heal();
    for _ in 0..8 {
        world.time.pass(DAY * 8);
        alice.storage.fail("delete", "docs", Fault::Refused(ErrorKind::Forbidden));
        alice.sync();
    }
    world.assert_whole();
}

#[test]
fn gc_deletes_nothing_in_a_storage_that_went_back_to_a_backup() {
    let world = World::new();
    let alice = world.device("alice").set_up(|b| b.with_lock(LockPolicy::Never));
    alice.edit("note", "first");
    alice.sync();
    let backup = world.backup();
    alice.edit("note", "second");
    alice.sync();
    for _ in 0..3 {
        world.time.pass(DAY * 10);
        alice.sync();
    }
    // The backup comes back when Alice has just looked for her anchor, and is about to delete.
    world.time.pass(DAY * 10);
    let cloud = world.cloud.clone();
    let restored = backup.clone();
    alice.storage.before("list", "docs", move || *cloud.objects() = restored.into_iter().collect());
    let _ = alice.try_sync();
    world.assert_whole();
}

#[test]
fn collected_deletes_were_superseded_or_deleted_or_never_committed() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for i in 0..30 {
        alice.edit(format!("doc-{}", i % 5), &format!("text {i}"));
        alice.sync();
        bob.sync();
        if i % 7 == 0 {
            bob.delete(format!("doc-{}", i % 5));
            bob.sync();
        }
    }
    days(&world, 60, &[&alice, &bob]);
    assert_eq!(world.keys("docs").len(), world.live().len(), "only what is named is left");
    let deleted = world.fold().values().filter(|c| c.action == Action::Delete).count();
    assert!(deleted > 0);
    world.assert_whole();
}

/// A storage forgets the place in a list, as Dropbox may: the rest is neither empty nor an error.
#[test]
fn a_list_whose_place_is_forgotten_begins_anew() {
    let world = World::new();
    let alice = world.device("alice");
    (0..1100).for_each(|i| alice.edit(format!("doc-{i}"), "text"));
    alice.sync();
    let lists = |fault: Option<Fault>| {
        days(&world, 7, &[&alice]);
        if let Some(fault) = fault {
            alice.storage.fail_later(1, "list", "docs", fault);
        }
        alice.storage.journal.take();
        days(&world, 1, &[&alice]);
        alice.storage.journal.take().iter().filter(|request| *request == "list docs").count()
    };
    assert_eq!(lists(None), 2, "two pages");
    assert_eq!(lists(Some(Fault::Refused(ErrorKind::InvalidInput))), 2 + 2, "and the two again");
    // Any other error is one.
    assert_eq!(lists(Some(Fault::Refused(ErrorKind::Forbidden))), 2);
}
