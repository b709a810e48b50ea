//! When the lock is taken (rules L2 and L3), and by whom it is seen.

use super::*;

/// Rule L3.
#[test]
fn reading_takes_no_lock() {
    let (world, _, bob) = alice_is_gone_with_the_lock();
    let carol = world.device("carol");
    world.remove(LOCK);
    carol.edit("note", "carol's");
    carol.sync();
    world.overwrite(LOCK, "held by a ghost");
    bob.storage.journal.take();
    assert_eq!(bob.sync().pulled, 1);
    bob.sync();
    let journal = bob.storage.journal.take();
    assert!(journal.iter().all(|line| !line.contains(LOCK)), "{journal:?}");
}

/// Rule L2.
#[test]
fn by_default_the_lock_is_taken_after_two_lost_races() {
    for (races, expected) in [(1, false), (2, true)] {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), Arc::new(world.device("bob")));
        alice.edit("a", "alice's");
        for race in 0..races {
            let rival = bob.clone();
            alice.storage.before("create", "changes/", move || {
                rival.edit("b", &format!("bob's {race}"));
                rival.sync();
            });
        }
        alice.sync();
        let journal = alice.storage.journal.take();
        assert_eq!(journal.contains(&"create lock.json".to_owned()), expected, "{journal:?}");
        assert_eq!(world.object(LOCK), None);
    }
}

#[test]
fn a_client_told_never_to_lock_never_does() {
    let world = World::new();
    let alice = world.device("alice").set_up(|b| b.with_lock(LockPolicy::Never));
    let bob = Arc::new(world.device("bob"));
    for race in 0..4 {
        let rival = bob.clone();
        alice.storage.before("create", "changes/", move || {
            rival.edit("b", &format!("bob's {race}"));
            rival.sync();
        });
    }
    for i in 0..20 {
        alice.edit("a", &format!("alice's {i}"));
        alice.sync();
    }
    let journal = alice.storage.journal.take();
    assert!(journal.iter().all(|line| !line.contains(LOCK)), "{journal:?}");
    assert!(!world.snapshots().is_empty(), "maintenance is done all the same");
}

#[test]
fn a_sync_that_failed_gives_the_lock_back() {
    for kind in [ErrorKind::Forbidden, ErrorKind::Full, ErrorKind::Unauthorized] {
        let world = World::new();
        let alice = locking(world.device("alice"));
        alice.edit("note", "hello");
        alice.storage.fail("create", "changes/", Fault::Refused(kind));
        assert_eq!(alice.try_sync().unwrap_err().kind(), kind);
        assert_eq!(world.object(LOCK), None);
    }
}

#[test]
fn a_sync_whose_unlock_failed_has_synced_all_the_same() {
    let world = World::new();
    let alice = locking(world.device("alice"));
    alice.edit("note", "hello");
    alice.storage.fail("delete", LOCK, Fault::Refused(ErrorKind::Forbidden));
    assert_eq!(alice.sync().pushed, 1);
    assert!(world.object(LOCK).is_some(), "it expires by itself");
}

#[test]
fn a_lock_left_behind_by_a_lost_device_does_not_stop_maintenance_for_ever() {
    let (world, _, _) = alice_is_gone_with_the_lock();
    let mut carol = world.device("carol");
    for i in 0..40 {
        carol.edit("note", &format!("carol's {i}"));
        carol.sync();
        // A command that ends after each sync.
        carol.restart();
        world.time.pass(Duration::from_secs(3600));
    }
    assert!(!world.snapshots().is_empty());
    assert_eq!(world.object(LOCK), None);
}

#[test]
fn maintenance_is_put_off_while_another_holds_the_lock() {
    let (world, _, _) = alice_is_gone_with_the_lock();
    let carol = world.device("carol");
    for i in 0..20 {
        carol.edit("note", &format!("carol's {i}"));
        carol.sync();
    }
    assert!(world.snapshots().is_empty());
    assert_eq!(world.json(LOCK)["owner"], "alice");
    world.remove(LOCK);
    carol.sync();
    assert_eq!(world.snapshots().len(), 1);
}

#[test]
fn the_keeper_shows_the_holder_and_breaks_that_very_lock() {
    let (world, alice, _) = alice_is_gone_with_the_lock();
    let keeper = LockAdmin::new(Arc::new(alice.storage.clone()));
    let holder = || keeper.holder().now_or_never().unwrap().unwrap();
    let lock = holder().expect("alice holds it");
    assert_eq!(lock.owner, "alice");
    let other = db_to_cloud::format::LockObject { nonce: 5.into(), ..lock.clone() };
    let refused = keeper.break_lock(&other).now_or_never().unwrap().unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Locked);
    assert_eq!(holder(), Some(lock.clone()));
    keeper.break_lock(&lock).now_or_never().unwrap().unwrap();
    assert_eq!(holder(), None);
    assert_eq!(world.object(LOCK), None);
}

#[test]
fn the_status_shows_who_holds_the_lock() {
    let (_, _, bob) = alice_is_gone_with_the_lock();
    let status = bob.client().status().now_or_never().unwrap().unwrap();
    assert_eq!(status.lock.map(|lock| lock.owner).as_deref(), Some("alice"));
    let _ = bob.try_sync_with(SyncOptions::default());
}
