//! Stops where the storage is no help: it has no atomic create, a lock is left in it, it was restored
//! from a backup, or exchanged.

use db_to_cloud::{ClientBuilder, LockPolicy};

use super::script::Act::{Consent, Storage};
use super::*;

fn merging(world: World, (alice, bob): (Device, Device), acts: Vec<Act>) -> Script {
    let devices = [alice, bob].map(|device| device.resolving_by(Judge::merging()));
    Script { world, devices: devices.into(), acts }
}

#[test]
fn a_push_to_weak_storage_survives_a_stop_anywhere() {
    let world = World::weak();
    let devices = world.alice_and_bob(&["a", "b", "both", "gone", "kept"]);
    stop_everywhere(&merging(world, devices, both_edit()), 75);
}

#[test]
fn a_lock_that_is_left_behind_at_any_step_is_broken() {
    let (world, alice, bob) = known();
    let always = |b: ClientBuilder| b.with_lock(LockPolicy::Always);
    let devices = (alice.set_up(always), bob.set_up(always));
    stop_everywhere(&merging(world, devices, both_edit()), 70);
}

/// The newest commit is gone, as after a backup.
fn lose_a_commit(world: &World) {
    world.remove(&format!("changes/{}.json", world.commits()));
}

#[test]
fn starting_over_on_a_storage_that_went_back_survives_a_stop_anywhere() {
    let (world, alice, bob) = known();
    let acts = vec![
        Edit(BOB, "b", "bob1"),
        Sync(BOB),
        Sync(ALICE),
        Edit(ALICE, "a", "alice1"),
        Edit(BOB, "a", "bob2"),
        Storage(lose_a_commit),
        Consent(BOB),
        Consent(ALICE),
        Sync(BOB),
    ];
    stop_everywhere(&merging(world, (alice, bob), acts), 40);
}

#[test]
fn starting_over_on_an_empty_storage_survives_a_stop_anywhere() {
    let (world, alice, bob) = known();
    let acts = vec![
        Edit(ALICE, "a", "alice1"),
        Edit(BOB, "a", "bob1"),
        Delete(ALICE, "gone"),
        Storage(|world| world.restore(&[])),
        Consent(ALICE),
        Consent(BOB),
        Sync(ALICE),
    ];
    stop_everywhere(&merging(world, (alice, bob), acts), 35);
}
