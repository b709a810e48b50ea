//! Objects that are damaged and stop nobody: no repair is needed.

use super::*;

/// Alice has committed so often that there is a snapshot; Bob is far behind.
fn with_a_snapshot() -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "large"]);
    alice.edit("large", &"x".repeat(10_000));
    for i in 0..17 {
        alice.edit("a", &format!("text {i}"));
        alice.sync();
    }
    assert_eq!(world.snapshots().len(), 1);
    (world, alice, bob)
}

#[test]
fn a_damaged_snapshot_or_hint_is_passed_over_and_the_next_snapshot_replaces_it() {
    let keys = |world: &World| [world.keys("snapshot"), vec!["meta.json".to_owned()]].concat();
    let count = keys(&with_a_snapshot().0).len();
    assert_eq!(count, 3, "head, part and hint");
    for i in 0..count {
        for kind in 0..4 {
            let (world, alice, bob) = with_a_snapshot();
            let key = keys(&world)[i].clone();
            let whole = world.object(&key).unwrap();
            world.overwrite(&key, damages(&whole)[kind].clone());
            for device in [&alice, &bob, &world.device("fresh")] {
                assert!(plan(device).steps.is_empty(), "{key}");
                device.sync();
                assert_eq!(device.all(), alice.all(), "{key}");
            }
            for i in 0..40 {
                bob.edit("a", &format!("bob's {i}"));
                bob.sync();
            }
            let (head, hint) = (world.snapshots().pop().unwrap(), world.json("meta.json"));
            assert_eq!(hint["snapshot"], head.as_str());
            let fresh = world.device("fresh");
            fresh.sync();
            assert_eq!(fresh.all(), bob.all());
            assert!(fresh.status().version > 17 && world.snapshots().len() > 1);
        }
    }
}

#[test]
fn a_lock_that_cannot_be_read_is_broken_in_time() {
    for new in [World::new, World::weak] {
        for lock in ["", "{", "\0\0\0\0", r#"{"format": 2}"#] {
            let world = new();
            let (alice, bob) = world.alice_and_bob(&["a"]);
            alice.edit("a", "alice's");
            alice.sync();
            world.overwrite(&slot(2), "");
            world.overwrite("lock.json", lock);
            repair(&bob, &["replace"]);
            assert_eq!(world.object("lock.json"), None);
            bob.edit("a", "bob's");
            bob.sync();
        }
    }
}

/// Rule P5: the other documents go on, and a newer version of this one ends it.
#[test]
fn a_damaged_document_waits_for_its_next_version() {
    for kind in 0..4 {
        let (world, alice, bob) = with_a_snapshot();
        let key = world
            .keys("docs")
            .into_iter()
            .find(|key| world.object(key).is_some_and(|bytes| bytes.len() == 10_000));
        let key = key.unwrap();
        world.overwrite(&key, damages(&world.object(&key).unwrap())[kind].clone());
        assert!(plan(&bob).steps.is_empty());
        assert_eq!(bob.sync().deferred.len(), 1);
        assert_eq!(bob.read("a"), alice.read("a"));
        alice.edit("large", &"y".repeat(10_000));
        alice.sync();
        assert!(bob.sync().deferred.is_empty());
        assert_eq!(bob.all(), alice.all());
    }
}
