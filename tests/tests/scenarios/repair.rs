//! Entries that no device can read any more, and the way on from each of them (rule D5).

mod elsewhere;
mod head;
mod passed_over;

use std::collections::BTreeMap;

use bytes::Bytes;
use db_to_cloud::{
    Action, Divergence, Environment, ErrorKind, LocalWins, LockPolicy, RepairPlan, RepairStep,
    SyncOptions,
};
use db_to_cloud_tests::{Device, World, settle};

const GO_ON: SyncOptions = db_to_cloud_tests::options::GO_ON;

fn slot(n: u64) -> String {
    format!("changes/{n}.json")
}

/// Ways to damage an object: nothing, its beginning, zeros, or something else is left.
fn damages(whole: &Bytes) -> [Bytes; 4] {
    let half = whole.slice(..whole.len() / 2);
    [Bytes::new(), half, vec![0; whole.len()].into(), Bytes::from("<html>sign in</html>")]
}

/// Answers what it was.
fn damage(world: &World, key: &str) -> Bytes {
    let whole = world.object(key).unwrap();
    world.overwrite(key, whole.slice(..whole.len() / 2));
    whole
}

#[track_caller]
fn assert_stuck(device: &Device) {
    for _ in 0..2 {
        let error = device.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{}: {error}", device.name);
    }
}

#[track_caller]
fn plan(device: &Device) -> RepairPlan {
    let durable = device.durable();
    let plan = device.try_repair_plan().unwrap();
    assert_eq!(device.durable(), durable, "looking changes nothing");
    plan
}

/// The kinds of the steps, as programs read them.
fn kinds(plan: &RepairPlan) -> Vec<String> {
    let steps = serde_json::to_value(plan).unwrap()["steps"].clone();
    let kinds =
        steps.as_array().unwrap().iter().map(|step| step["kind"].as_str().unwrap().to_owned());
    kinds.collect()
}

#[track_caller]
fn repair(device: &Device, expected: &[&str]) {
    let made = plan(device);
    assert_eq!(kinds(&made), expected, "{made:?}");
    device.try_repair(&made).unwrap();
    let left = plan(device);
    assert!(!left.is_any_possible(), "{left:?}");
}

#[track_caller]
fn assert_fresh_equals(world: &World, device: &Device) {
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.all(), device.all());
    assert!(plan(&fresh).steps.is_empty());
}

/// Puts the damaged entry back, and compares the newest snapshot with the log: the version of each document,
/// and whether it is deleted.
#[track_caller]
fn assert_snapshot_is_the_fold(world: &World, n: u64, whole: Bytes) {
    world.overwrite(&slot(n), whole);
    let head = world.json(&world.snapshots().pop().expect("there is a snapshot"));
    let mut said = BTreeMap::new();
    for part in head["parts"].as_array().unwrap() {
        let part = world.json(part["key"].as_str().unwrap());
        for (key, record) in part["documents"].as_object().unwrap() {
            said.insert(key.clone(), (record["vid"].clone(), record.get("deleted").is_some()));
        }
    }
    let changes = (1..=head["seq"].as_u64().unwrap()).flat_map(|n| world.entry(n).changes);
    let last = changes.map(|c| {
        let vid = serde_json::to_value(c.vid).unwrap();
        (c.id.to_key(), (vid, c.action == Action::Delete))
    });
    assert_eq!(said, last.collect());
}

/// As a sync that is asked to end, and for the same reason: other devices would wait for it (rules L1, W3).
#[test]
fn a_repair_that_is_asked_to_end_gives_its_lock_back() {
    let (mut released, mut kept) = (0, 0);
    for step in 1.. {
        let world = World::weak();
        let alice = world.device("alice").set_up(|b| b.with_lock(LockPolicy::Always));
        alice.edit("note", "old");
        alice.sync();
        let bob = world.device("bob").set_up(|b| b.with_lock(LockPolicy::Always));
        bob.sync();
        alice.edit("note", "new");
        alice.sync();
        damage(&world, &slot(2));
        let made = plan(&bob);
        bob.storage.journal.take();
        let Err(error) = bob.repair_asked_to_end_at(&made, step) else { break };
        assert_eq!(error.kind(), ErrorKind::Stopped, "step {step}");
        let journal = bob.storage.journal.take();
        let is_locking = |line: &String| line.ends_with("lock.json") && !line.starts_with("get");
        let last = journal.last().map(String::as_str).unwrap_or_default();
        if world.object("lock.json").is_some() {
            let protected = last.ends_with("lock.json") || last.contains(" changes/");
            assert!(protected, "step {step}: the lock is left after {journal:?}");
            kept += 1;
        } else if journal.iter().any(is_locking) {
            released += 1;
        }
    }
    assert!(released > 3, "{released} times");
    assert!((1..=6).contains(&kept), "{kept} times");
}
