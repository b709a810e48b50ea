//! A slot that was half written by a device that still has its bytes (rule U7).

use db_to_cloud::ErrorKind;
use db_to_cloud_tests::{Device, World};

/// Alice and Bob are in step; then Alice has stopped before she had the answer to a commit.
fn alice_is_unanswered(new: fn() -> World) -> (World, Device, Device, String) {
    for step in 1.. {
        let world = new();
        let (mut alice, bob) = world.alice_and_bob(&["kept"]);
        alice.edit("note", "alice's");
        alice.edit("large", &"x".repeat(10_000));
        assert!(alice.sync_stopping_at(step), "it was never sent");
        if world.commits() == 2 {
            world.remove("lock.json");
            return (world, alice, bob, "changes/2.json".to_owned());
        }
    }
    unreachable!()
}

#[test]
fn the_device_that_has_the_bytes_puts_them_again() {
    for new in [World::new, World::weak] {
        for kind in 0..2 {
            let (world, alice, bob, slot) = alice_is_unanswered(new);
            let whole = world.object(&slot).unwrap();
            let zeros = vec![0; whole.len()];
            let damaged = match kind {
                0 => whole.slice(..whole.len() / 2),
                _ => [&whole[..100], &zeros[100..]].concat().into(),
            };
            world.overwrite(&slot, damaged);
            assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
            alice.sync();
            assert_eq!(world.object(&slot), Some(whole), "damage {kind}");
            assert_eq!(world.object("lock.json"), None);
            assert!(!alice.status().unsettled);
            bob.edit("note-of-bob", "text");
            bob.sync();
            alice.sync();
            assert_eq!(alice.all(), bob.all());
            assert_eq!((alice.all().len(), world.commits()), (4, 3));
        }
    }
}

/// Another device may have committed there, and others may have read it before it was damaged.
#[test]
fn a_slot_that_does_not_say_whose_it_was_stays_as_it_is() {
    for kind in 0..3 {
        let (world, alice, bob, slot) = alice_is_unanswered(World::new);
        let whole = world.object(&slot).unwrap();
        let damaged: bytes::Bytes = match kind {
            0 => whole.slice(..0),
            1 => whole.slice(..10),
            _ => vec![0; whole.len()].into(),
        };
        world.overwrite(&slot, damaged.clone());
        for device in [&alice, &bob] {
            assert_eq!(device.try_sync().unwrap_err().kind(), ErrorKind::Corrupt, "damage {kind}");
        }
        assert_eq!(world.object(&slot), Some(damaged), "damage {kind}");
        world.overwrite(&slot, whole);
        alice.sync();
        bob.sync();
        assert_eq!(alice.all(), bob.all());
    }
}

#[test]
fn a_slot_with_an_entry_after_it_is_mended_only_if_that_entry_continues_ours() {
    let (world, alice, bob, slot) = alice_is_unanswered(World::new);
    let whole = world.object(&slot).unwrap();
    bob.edit("note-of-bob", "text");
    bob.sync();
    world.overwrite(&slot, "no JSON at all");
    alice.sync();
    assert_eq!(world.object(&slot), Some(whole));
    assert_eq!(alice.all(), bob.all());

    let (world, alice, bob, slot) = alice_is_unanswered(World::new);
    // The slot is Bob's: Alice's request was lost.
    world.remove(&slot);
    bob.edit("note-of-bob", "1");
    bob.sync();
    bob.edit("note-of-bob", "2");
    bob.sync();
    world.overwrite(&slot, "");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(world.object(&slot).unwrap(), "");
}

#[test]
fn the_damaged_entry_of_another_device_is_not_replaced() {
    let (world, alice, bob, slot) = alice_is_unanswered(World::new);
    world.remove(&slot);
    bob.edit("note-of-bob", "1");
    bob.sync();
    let whole = world.object(&slot).unwrap();
    let half = whole.slice(..whole.len() / 2);
    world.overwrite(&slot, half.clone());
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(world.object(&slot), Some(half));
    world.overwrite(&slot, whole);
    alice.sync();
    bob.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(alice.all().len(), 4);
}
