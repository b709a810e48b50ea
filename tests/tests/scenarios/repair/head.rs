//! The last entry of the log is damaged.

use super::*;

/// Alice's second commit is damaged, and Alice is gone. Bob has not seen it.
fn last_is_damaged(new: fn() -> World, kind: usize) -> (World, Device) {
    let world = new();
    let (alice, bob) = world.alice_and_bob(&["a", "b"]);
    alice.edit("a", "alice's");
    alice.sync();
    let whole = world.object(&slot(2)).unwrap();
    world.overwrite(&slot(2), damages(&whole)[kind].clone());
    (world, bob)
}

#[test]
fn a_device_that_has_not_applied_it_puts_an_entry_in_its_place() {
    for new in [World::new, World::weak] {
        for kind in 0..4 {
            let (world, bob) = last_is_damaged(new, kind);
            assert_stuck(&bob);
            assert_stuck(&world.device("fresh"));
            bob.edit("b", "bob's");
            repair(&bob, &["replace"]);
            assert!(world.changes(2).is_empty());
            assert_eq!(world.object("lock.json"), None);
            bob.sync();
            assert_eq!(bob.read("a").as_deref(), Some("old"));
            assert_eq!(world.commits(), 3);
            assert_fresh_equals(&world, &bob);
            world.assert_whole();
        }
    }
}

#[test]
fn a_new_device_can_do_it_too_and_even_for_the_first_entry() {
    let (world, bob) = last_is_damaged(World::new, 0);
    let fresh = world.device("fresh");
    assert_stuck(&fresh);
    repair(&fresh, &["replace"]);
    settle(&[&bob, &fresh]);
    assert_eq!(bob.all().len(), 2);

    let world = World::new();
    let alice = world.device("alice");
    alice.edit("a", "text");
    alice.sync();
    world.overwrite(&slot(1), "");
    let fresh = world.device("fresh");
    assert_stuck(&fresh);
    fresh.edit("b", "text");
    repair(&fresh, &["replace"]);
    fresh.sync();
    assert_fresh_equals(&world, &fresh);
    // It is another storage for Alice, who keeps what she has.
    let error = alice.try_sync().unwrap_err();
    assert_eq!(error.divergence(), Some(Divergence::Exchanged));
    assert_eq!(alice.read("a").as_deref(), Some("text"));
}

/// Rule U7: the author finds another entry in the slot of its attempt.
#[test]
fn an_author_that_had_no_answer_commits_again() {
    for new in [World::new, World::weak] {
        for step in 1.. {
            let world = new();
            let (mut alice, bob) = world.alice_and_bob(&["a", "b"]);
            alice.edit("a", "alice's");
            assert!(alice.sync_stopping_at(step), "it was never sent");
            if world.commits() < 2 {
                continue;
            }
            world.overwrite(&slot(2), "");
            assert_stuck(&bob);
            bob.edit("b", "bob's");
            repair(&bob, &["replace"]);
            bob.sync();
            alice.sync();
            settle(&[&alice, &bob]);
            assert_eq!(bob.read("a").as_deref(), Some("alice's"));
            assert_eq!(alice.read("b").as_deref(), Some("bob's"));
            break;
        }
    }
}

/// Alice's second commit was applied by Carol. It changes one document of each kind.
fn carol_has_applied_it(new: fn() -> World) -> (World, Device, Device) {
    let world = new();
    let (alice, bob) = world.alice_and_bob(&["edited", "gone", "still", "both"]);
    let carol = world.device("carol");
    carol.sync();
    carol.edit("both", "carol's");
    alice.edit("edited", "alice's");
    alice.edit("both", "alice's");
    alice.edit("new", &"x".repeat(10_000));
    alice.delete("gone");
    alice.sync();
    // The conflict is put off: a change waits at Carol.
    assert_eq!(carol.sync().conflicts, 1);
    damage(&world, &slot(2));
    (world, bob, carol)
}

#[test]
fn a_device_that_has_applied_it_leads_the_others_around_it() {
    for new in [World::new, World::weak] {
        let (world, bob, carol) = carol_has_applied_it(new);
        assert_stuck(&bob);
        assert_stuck(&carol);
        bob.edit("still", "bob's");
        repair(&carol, &["snapshot", "continue"]);
        bob.sync();
        for device in [&bob, &world.device("fresh")] {
            device.sync();
            assert_eq!(device.read("edited").as_deref(), Some("alice's"));
            assert_eq!(device.read("both").as_deref(), Some("alice's"));
            assert_eq!(device.read("new").map(|text| text.len()), Some(10_000));
            assert_eq!(device.read("gone"), None, "{}", device.name);
            assert_eq!(device.read("still").as_deref(), Some("bob's"));
        }
        carol.sync();
        assert_eq!(carol.read("still").as_deref(), Some("bob's"));
        assert_eq!(carol.read("both").as_deref(), Some("carol's"), "it still waits");
        assert_eq!(carol.status().pending, 1);
        assert!([&bob, &carol].iter().all(|device| plan(device).steps.is_empty()));
    }
}

#[test]
fn later_snapshots_are_made_from_that_one() {
    let (world, bob, carol) = carol_has_applied_it(World::new);
    repair(&carol, &["snapshot", "continue"]);
    assert_eq!(world.snapshots().len(), 1);
    bob.sync();
    for i in 0..20 {
        bob.edit("edited", &format!("bob's {i}"));
        bob.sync();
    }
    assert_eq!(world.snapshots().len(), 2);
    assert_fresh_equals(&world, &bob);
}

/// Rules P3 and D3: who replaces what another device has applied makes a second branch, which that device
/// finds.
#[test]
fn a_device_whose_applied_entry_was_replaced_finds_it_and_loses_nothing() {
    let (world, bob, carol) = carol_has_applied_it(World::new);
    bob.edit("still", "bob's");
    repair(&bob, &["replace"]);
    bob.sync();
    let before = carol.all();
    let error = carol.try_sync().unwrap_err();
    assert_eq!(error.divergence(), Some(Divergence::Forked { since: 1 }));
    assert_eq!(carol.all(), before);
    carol.try_sync_with(GO_ON).unwrap();
    bob.sync();
    for device in [&bob, &carol] {
        assert_eq!(device.read("edited").as_deref(), Some("alice's"), "{}", device.name);
        assert_eq!(device.read("still").as_deref(), Some("bob's"), "{}", device.name);
        assert_eq!(device.read("new").map(|text| text.len()), Some(10_000));
    }
    assert_eq!(carol.read("both").as_deref(), Some("carol's"));
    world.assert_whole();
}

/// What is left of the damaged entry names the commit of another branch.
#[test]
fn the_damaged_entry_of_another_branch_is_not_confirmed() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "b"]);
    let backup = world.backup();
    alice.edit("a", "alice's");
    alice.sync();
    world.restore(&backup);
    bob.edit("b", "bob's");
    bob.sync();
    damage(&world, &slot(2));
    assert_eq!(alice.try_repair_plan().unwrap_err().kind(), ErrorKind::Corrupt);
    repair(&bob, &["snapshot", "continue"]);
    bob.sync();
    assert_fresh_equals(&world, &bob);
}

#[test]
fn an_entry_that_is_being_written_is_not_replaced() {
    let world = World::weak();
    let (alice, bob) = world.alice_and_bob(&["a", "b"]);
    alice.edit("a", "alice's");
    alice.sync();
    let whole = world.object(&slot(2)).unwrap();
    let part = whole.slice(..whole.len() / 3);
    world.overwrite(&slot(2), part.clone());
    let made = plan(&bob);
    assert_eq!(kinds(&made), ["replace"]);
    // More of it has come; then all of it.
    for more in [whole.slice(..whole.len() / 2), whole.clone()] {
        world.overwrite(&slot(2), more.clone());
        assert_eq!(bob.try_repair(&made).unwrap_err().kind(), ErrorKind::Busy);
        assert_eq!(world.object(&slot(2)), Some(more));
        assert_eq!(world.object("lock.json"), None);
    }
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_wait_comes_before_the_look_that_counts_unless_the_storage_shows_whole_objects() {
    for (new, waits) in [(World::weak as fn() -> World, true), (World::new, false)] {
        let (_world, bob) = last_is_damaged(new, 1);
        let made = plan(&bob);
        let before = bob.time.monotonic();
        bob.try_repair(&made).unwrap();
        let waited = bob.time.monotonic().saturating_sub(before);
        assert_eq!(waited.as_secs() >= 60, waits, "{waited:?}");
    }
}

#[test]
fn of_two_devices_one_replaces_it() {
    let (world, bob) = last_is_damaged(World::new, 1);
    let dora = world.device("dora");
    let (first, second) = (plan(&bob), plan(&dora));
    bob.try_repair(&first).unwrap();
    let put = world.object(&slot(2));
    assert_eq!(dora.try_repair(&second).unwrap_err().kind(), ErrorKind::Busy);
    assert_eq!(world.object(&slot(2)), put);
    settle(&[&bob, &dora]);
}

/// The step at which it stops, for each device that can repair.
#[test]
fn a_repair_that_stops_anywhere_is_ended_by_the_next_one() {
    for new in [World::new, World::weak] {
        for by_carol in [false, true] {
            let stops = (1..).take_while(|stop| stops_and_goes_on(new, by_carol, *stop));
            assert!(stops.count() > 5);
        }
    }
}

/// Says whether it stopped.
fn stops_and_goes_on(new: fn() -> World, by_carol: bool, stop: u64) -> bool {
    let (world, mut bob, mut carol) = carol_has_applied_it(new);
    let device = if by_carol { &mut carol } else { &mut bob };
    let made = plan(device);
    let stopped = device.repair_for(&made, stop).is_none();
    let left = plan(device);
    device.try_repair(&left).unwrap();
    assert!(plan(device).steps.is_empty(), "{stop}");
    bob.edit("still", "bob's");
    bob.sync();
    carol.try_sync_with(GO_ON).unwrap();
    bob.sync();
    assert_eq!(carol.read("edited").as_deref(), Some("alice's"), "{stop}");
    assert_eq!(carol.read("both").as_deref(), Some("carol's"), "{stop}");
    assert_eq!(carol.read("new").map(|text| text.len()), Some(10_000), "{stop}");
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.all(), bob.all(), "{stop}");
    assert_eq!(fresh.read("still").as_deref(), Some("bob's"), "{stop}");
    if by_carol {
        assert_eq!(bob.read("still"), carol.read("still"), "{stop}");
        assert_eq!(bob.read("edited"), carol.read("edited"), "{stop}");
        assert_eq!(bob.read("new"), carol.read("new"), "{stop}");
    }
    stopped
}
