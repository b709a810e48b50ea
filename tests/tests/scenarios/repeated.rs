//! Two devices whose random numbers are the same, such as two copies of one virtual machine: an entry of
//! the other device is not taken for one's own because it has the same commit id (rule U5).

use std::sync::Arc;

use db_to_cloud_tests::{Device, Fault, World, settle};

/// Alice and Bob draw the same numbers from now on; each has edited a document of her or his own.
fn repeated(world: &World) -> [Device; 2] {
    let (mut alice, mut bob) = world.alice_and_bob(&["note"]);
    bob.time = alice.time.fork();
    alice.time = alice.time.fork();
    alice.restart();
    bob.restart();
    alice.edit("alice's", "text");
    bob.edit("bob's", "text");
    [alice, bob]
}

#[track_caller]
fn assert_same_commit(alice: &Device, world: &World) {
    let sent = alice.storage.sent(&db_to_cloud::Key::change(2));
    let sent: serde_json::Value = serde_json::from_slice(&sent[0]).expect("it is JSON");
    assert_eq!(sent["commit"], world.json("changes/2.json")["commit"], "the test is about that");
    assert_eq!(world.entry(2).client, "bob");
}

#[test]
fn u5_an_entry_of_another_device_with_the_same_commit_id_is_a_lost_race() {
    let world = World::new();
    let [alice, bob] = repeated(&world);
    let bob = Arc::new(bob);
    let faster = bob.clone();
    alice.storage.before("create", "changes/2", move || drop(faster.sync()));
    alice.sync();
    assert_same_commit(&alice, &world);
    assert_all_arrived(&alice, &bob);
}

#[test]
fn u5_an_attempt_does_not_take_another_devices_entry_for_its_own() {
    for (world, write) in [(World::new(), "create"), (World::weak(), "put")] {
        let [mut alice, bob] = repeated(&world);
        alice.storage.fail_for_long(write, "changes/2", Fault::Lost);
        alice.try_sync().expect_err("the outcome is open");
        alice.storage.heal();
        bob.sync();
        alice.restart();
        alice.sync();
        assert_same_commit(&alice, &world);
        assert_all_arrived(&alice, &bob);
    }
}

#[track_caller]
fn assert_all_arrived(alice: &Device, bob: &Device) {
    settle(&[alice, bob]);
    assert_eq!(bob.read("alice's").as_deref(), Some("text"));
    assert_eq!(alice.read("bob's").as_deref(), Some("text"));
}
