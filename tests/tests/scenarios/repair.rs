//! Entries that no device can read any more, and the way on from each of them (rule D5).

mod elsewhere;
mod head;
mod passed_over;

use bytes::Bytes;
use db_to_cloud::{Divergence, Environment, ErrorKind, RepairPlan, RepairStep, SyncOptions};
use db_to_cloud_tests::{Device, World, settle};

const GO_ON: SyncOptions = SyncOptions {
    go_on: true,
    accept_remote: false,
    join: false,
    accept_deletes: false,
    retry_refused: false,
};

fn slot(n: u64) -> String {
    format!("changes/{n}.json")
}

/// Ways to damage an object: nothing, its beginning, zeros, or something else is left.
fn damages(whole: &Bytes) -> [Bytes; 4] {
    let half = whole.slice(..whole.len() / 2);
    [Bytes::new(), half, vec![0; whole.len()].into(), Bytes::from("<html>sign in</html>")]
}

fn damage(world: &World, key: &str) {
    let whole = world.object(key).unwrap();
    world.overwrite(key, whole.slice(..whole.len() / 2));
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
