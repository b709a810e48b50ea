//! A storage that can be read and not written: what others committed comes, and what is queued stays queued.

use db_to_cloud::{Atomicity, ClientBuilder, Error, ErrorKind, LockPolicy};
use db_to_cloud_tests::{Device, Fault, World};

/// Refuses each write from now on.
fn freeze(device: &Device, kind: ErrorKind) {
    for operation in ["put", "create", "copy", "delete"] {
        device.storage.fail_for_long(operation, "", Fault::Refused(kind));
    }
}

/// Alice goes on, Bob may only read. All kinds of storage that there are.
fn check(setup: fn(ClientBuilder) -> ClientBuilder, atomicity: Atomicity, kind: ErrorKind) {
    let world = World::new();
    let (alice, mut bob) = (world.device("alice"), world.device("bob").set_up(setup));
    bob.storage.set_capabilities(|capabilities| capabilities.create = atomicity);
    freeze(&bob, kind);
    alice.edit("a", "first");
    alice.edit("gone", "soon");
    alice.sync();
    assert_eq!(bob.sync().pulled, 2, "the first sync of a device");
    alice.edit("a", "second");
    alice.delete("gone");
    alice.sync();
    assert_eq!(bob.sync().pulled, 1, "{atomicity:?}");
    // One document alone could be its own trouble.
    bob.edit("mine", "bob's");
    bob.edit("mine, too", "bob's");
    alice.edit("a", "third");
    alice.sync();
    for _ in 0..2 {
        let error: Error = bob.try_sync().expect_err("it cannot be pushed");
        assert_eq!(error.kind(), kind, "{error}");
        assert_eq!(bob.read("a").as_deref(), Some("third"), "{atomicity:?}");
        assert_eq!(bob.read("mine").as_deref(), Some("bob's"));
        assert_eq!(bob.read("gone"), None);
        bob.restart();
    }
    // Once it can be written, nothing is missing.
    bob.storage.heal();
    bob.sync();
    alice.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!(alice.read("mine").as_deref(), Some("bob's"));
}

/// Rule L3.
#[test]
fn what_others_committed_is_pulled_also_if_a_push_fails() {
    for kind in [ErrorKind::Forbidden, ErrorKind::Full] {
        for atomicity in [Atomicity::Atomic, Atomicity::Weak, Atomicity::Probe] {
            check(|builder| builder, atomicity, kind);
            check(|builder| builder.with_lock(LockPolicy::Always), atomicity, kind);
        }
        for atomicity in [Atomicity::Atomic, Atomicity::Probe] {
            check(|builder| builder.require_strong(), atomicity, kind);
        }
    }
}

/// A new device may have documents of its own before its first sync.
#[test]
fn the_first_sync_of_a_device_with_documents_pulls_all_the_same() {
    for atomicity in [Atomicity::Atomic, Atomicity::Weak, Atomicity::Probe] {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        bob.storage.set_capabilities(|capabilities| capabilities.create = atomicity);
        freeze(&bob, ErrorKind::Forbidden);
        alice.edit("a", "alice's");
        alice.sync();
        bob.edit("mine", "bob's");
        bob.edit("mine, too", "bob's");
        assert_eq!(bob.try_sync().unwrap_err().kind(), ErrorKind::Forbidden, "{atomicity:?}");
        assert_eq!(bob.read("a").as_deref(), Some("alice's"), "{atomicity:?}");
        assert_eq!(bob.read("mine").as_deref(), Some("bob's"));
    }
}
