//! An entry in the middle of the log is damaged.

use super::*;

/// Alice has committed five times; Bob has seen the first of it, Carol all. The third one is damaged.
fn third_is_damaged() -> (World, Device, Device, Device) {
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
    damage(&world, &slot(3));
    (world, alice, bob, carol)
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
    // The snapshot is lost: the damage is in the way again.
    for key in world.keys("snapshot") {
        world.overwrite(&key, "");
    }
    assert_stuck(&world.device("fresh"));
    repair(&alice, &["snapshot"]);
    assert_fresh_equals(&world, &alice);
}

#[test]
fn what_a_pull_that_was_cut_short_has_left_is_no_state_to_make_a_snapshot_of() {
    for step in 1.. {
        let (world, alice, _, mut carol) = third_is_damaged();
        for i in 0..3 {
            alice.edit(format!("later-{i}"), "text");
            alice.edit("a", &format!("text {i}"));
            alice.sync();
        }
        if !carol.sync_stopping_at(step) {
            break;
        }
        if let Ok(made) = carol.try_repair_plan() {
            carol.try_repair(&made).unwrap();
        } else {
            carol.sync();
            repair(&carol, &["snapshot"]);
        }
        assert_fresh_equals(&world, &alice);
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
