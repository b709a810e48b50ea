//! An entry in the middle of the log is damaged.

use super::*;

/// Alice has committed five times; Bob has seen the first of it, Carol all.
fn third_is_whole() -> (World, Device, Device, Device) {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "b", "c"]);
    let carol = world.device("carol");
    for (id, text) in [("a", "1"), ("b", "2"), ("new", "3")] {
        alice.edit(id, text);
        alice.sync();
    }
    alice.delete("c");
    alice.sync();
    carol.sync();
    (world, alice, bob, carol)
}

fn third_is_damaged() -> (World, Device, Device, Device) {
    let story = third_is_whole();
    damage(&story.0, &slot(3));
    story
}

#[test]
fn a_device_that_has_not_applied_it_says_which_devices_have() {
    let (world, _, bob, carol) = third_is_damaged();
    carol.edit("of-carol", "text");
    carol.sync();
    assert_stuck(&bob);
    let made = plan(&bob);
    let devices = vec!["alice".to_owned(), "carol".to_owned()];
    assert_eq!(made.steps, [RepairStep::Elsewhere { slot: 3, devices }]);
    assert!(made.steps[0].to_string().contains(r#""alice", "carol""#), "{}", made.steps[0]);
    let objects = world.backup();
    bob.try_repair(&made).unwrap();
    assert_eq!(world.backup(), objects);
}

#[test]
fn a_device_that_has_applied_it_leads_the_others_around_it() {
    let (world, alice, bob, carol) = third_is_damaged();
    alice.sync();
    bob.edit("b", "bob's");
    assert_stuck(&bob);
    assert_stuck(&world.device("fresh"));
    repair(&carol, &["snapshot"]);
    assert_eq!(bob.sync().conflicts, 1, "it was edited on both");
    assert_eq!(bob.read("new").as_deref(), Some("3"));
    assert_eq!(bob.read("c"), None);
    assert_fresh_equals(&world, &alice);
    carol.sync();
    assert_eq!(carol.all(), alice.all());
}

#[test]
fn a_snapshot_after_it_makes_a_repair_needless() {
    let (world, alice, bob, _) = third_is_damaged();
    repair(&alice, &["snapshot"]);
    for device in [&alice, &bob] {
        assert!(plan(device).steps.is_empty());
    }
    // The snapshot is damaged: the entry is in the way again.
    for key in world.keys("snapshot") {
        let whole = damage(&world, &key);
        assert_stuck(&world.device("fresh"));
        let snapshot = plan(&alice);
        assert_eq!(kinds(&snapshot), ["snapshot"], "{key}");
        world.overwrite(&key, whole);
    }
    world.keys("snapshot").iter().for_each(|key| world.overwrite(key, ""));
    repair(&alice, &["snapshot"]);
    assert_fresh_equals(&world, &alice);
}

/// Rule P9: the index of a device whose pull was cut short has versions of later entries.
#[test]
fn what_a_pull_that_was_cut_short_has_left_is_no_state_to_make_a_snapshot_of() {
    let mut refused = 0;
    for step in 1.. {
        let (world, alice, _, mut carol) = third_is_whole();
        for i in 0..3 {
            alice.edit(format!("later-{i}"), "text");
            alice.edit("a", &format!("text {i}"));
            alice.sync();
        }
        let stopped = carol.sync_stopping_at(step);
        let whole = damage(&world, &slot(3));
        if carol.try_repair_plan().is_err() {
            refused += 1;
            carol.sync();
        }
        repair(&carol, &["snapshot"]);
        assert_snapshot_is_the_fold(&world, 3, whole);
        if !stopped {
            break;
        }
    }
    assert!(refused > 0);
}

/// Rule D1: versions of the storage before are in the index until they are met or pushed.
#[test]
fn versions_of_another_storage_are_not_in_the_snapshot() {
    for step in 1.. {
        let (world, _, _, carol) = third_is_whole();
        let mut carol = carol.resolving_by(LocalWins);
        let other = World { time: world.time.clone(), ..World::new() };
        let dora = other.device("dora");
        for id in ["b", "of-dora", "more"] {
            dora.edit(id, "dora's");
            dora.sync();
        }
        world.restore(&other.backup());
        let accept = SyncOptions { accept_remote: true, ..GO_ON };
        let stopped = carol.sync_with_stopping_at(accept, step);
        let whole = damage(&world, &slot(2));
        let made = carol.try_repair_plan();
        if made.is_ok_and(|made| kinds(&made) == ["snapshot"]) {
            repair(&carol, &["snapshot"]);
            assert_snapshot_is_the_fold(&world, 2, whole);
        }
        if !stopped {
            break;
        }
    }
}

#[test]
fn an_entry_of_a_newer_program_is_not_repaired() {
    let (world, alice, bob, _) = third_is_damaged();
    let mut entry = world.json(&slot(2));
    entry["format"] = 2.into();
    world.overwrite(&slot(2), entry.to_string());
    for device in [&alice, &bob] {
        assert_eq!(device.try_repair_plan().unwrap_err().kind(), ErrorKind::NewerFormat);
    }
}

#[test]
fn another_storage_is_not_repaired() {
    let (world, alice, _, _) = third_is_damaged();
    world.cloud.objects().clear();
    let error = alice.try_repair_plan().unwrap_err();
    assert_eq!(error.divergence(), Some(Divergence::Emptied));
    let other = world.device("other");
    other.edit("x", "text");
    other.sync();
    let error = alice.try_repair_plan().unwrap_err();
    assert_eq!(error.divergence(), Some(Divergence::Exchanged));
}
