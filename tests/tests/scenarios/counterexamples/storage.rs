//! What the storage says and does (rules S9, W4 and L1).

use db_to_cloud::{ErrorKind, Key, LockPolicy};
use db_to_cloud_tests::{Device, Fault, World};
use futures::FutureExt;
use serde_json::json;

use super::*;

/// Without it a slot that cannot be read counts as free, and the commit in it is overwritten.
#[test]
pub(crate) fn s9_a_slot_that_cannot_be_read_is_not_free() {
    let world = World::weak();
    let (alice, bob) = world.alice_and_bob(&["a", "b"]);
    bob.edit("b", "bob's");
    bob.sync();
    alice.edit("a", "alice's");
    let refused = Fault::Refused(ErrorKind::Forbidden);
    alice.storage.fail_for_long("get", "changes/2", refused);
    assert_eq!(alice.try_sync().expect_err("it cannot be read").kind(), ErrorKind::Forbidden);
    assert_eq!(world.entry(2).client, "bob");
    alice.storage.heal();
    assert_alike(&world, &[&alice, &bob]);
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
}

/// The device's sync fails: its put of the slot is under way, and arrives when it is delivered.
pub(crate) fn sync_with_a_late_put(device: &Device) {
    for _ in 0..100 {
        device.storage.fail("put", "changes/", Fault::Delayed);
    }
    assert!(device.try_sync().is_err());
    device.storage.heal();
}

pub(crate) fn deliver_late_puts(device: &Device) {
    device.storage.deliver().now_or_never().expect("it does not wait");
}

/// Without it a commit that a late write replaced is lost, and its author never knows.
#[test]
pub(crate) fn w4_a_commit_that_a_late_write_replaced_is_offered_again_without_asking() {
    let world = World::weak();
    let (alice, bob) = world.alice_and_bob(&["a", "b", "gone"]);
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's");
    alice.edit("new", "alice's");
    alice.delete("gone");
    alice.sync();
    assert_eq!(world.entry(2).client, "alice");
    deliver_late_puts(&bob);
    assert_eq!(world.entry(2).client, "bob");
    let report = alice.sync();
    assert_eq!((report.conflicts, report.pushed), (0, 3));
    assert_eq!(alice.read("a").as_deref(), Some("alice's"));
    assert_eq!(alice.read("new").as_deref(), Some("alice's"));
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
    assert_eq!(alice.read("gone"), None);
    assert_alike(&world, &[&alice, &bob]);
}

/// Without it a client whose lock was broken opens the lock of the next.
#[test]
pub(crate) fn l1_a_lock_of_another_client_is_not_deleted() {
    let world = World::new();
    let alice = world.device("alice").set_up(|builder| builder.with_lock(LockPolicy::Always));
    alice.edit("note", "hello");
    let cloud = world.cloud.clone();
    let nonce = "0123456789abcdef0123456789abcdef";
    let carols = json!({"format": 1, "owner": "carol", "nonce": nonce, "ttl": 60, "time": 0});
    let taken = carols.to_string();
    alice.storage.before("create", "changes/", move || {
        cloud.objects().insert(Key::lock(), taken.into());
    });
    alice.sync();
    assert_eq!(world.json("lock.json"), carols);
    assert_eq!(world.commits(), 1, "on strong storage nothing depends on the lock");
}
