//! What somebody needs is never deleted (rule G2), and what the storage lost is put again (rule
//! D2).

use super::*;

/// Bob stopped when he had recorded his commit, at each step until it was sent.
#[test]
fn an_upload_that_a_resumed_push_names_is_never_deleted() {
    for away in [1, 10, 14, 16, 25, 31, 40, 60, 100] {
        for step in 1.. {
            let world = World::new();
            let (alice, mut bob) = (world.device("alice"), world.device("bob"));
            alice.edit("note", "text");
            alice.sync();
            bob.sync();
            bob.edit("bobs", "text");
            let stopped = bob.sync_stopping_at(step);
            days(&world, away, &[&alice]);
            bob.try_sync().or_else(|_| bob.try_sync()).unwrap();
            alice.sync();
            world.assert_whole();
            days(&world, 60, &[&alice]);
            world.assert_whole();
            assert_eq!(alice.read("bobs").as_deref(), Some("text"));
            if !stopped {
                break;
            }
        }
    }
}

#[test]
fn a_slow_push_uploads_anew_what_has_become_old() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("old", "text");
    alice.sync();
    alice.edit("a", "text");
    alice.edit("b", "text");
    let (time, first) = (world.time.clone(), world.keys("docs"));
    // The laptop sleeps between its uploads and its commit.
    alice.storage.before("get", "changes/2.json", || {});
    alice.storage.before("put", "docs/b", move || time.pass(DAY * 16));
    alice.sync();
    let uploads = alice.storage.journal.take().iter().filter(|l| *l == "put docs/…").count();
    assert_eq!(uploads, 1 + 2 + 2, "uploads that old are not relied on");
    assert!(world.keys("docs").len() > first.len() + 2);
    world.assert_whole();
}

#[test]
fn what_the_head_names_is_never_deleted_whatever_happens() {
    for seed in 1..=6 {
        let world = World::new();
        let mut devices =
            ["alice", "bob", "carol"].map(|n| world.device(n).resolving_by(LocalWins));
        let mut next = random(seed);
        for round in 0..250 {
            let device = &mut devices[next(3) as usize];
            for _ in 0..next(4) {
                let id = format!("doc-{}", next(12));
                match next(5) {
                    0 => device.delete(id),
                    _ => device.edit(id, &format!("{} {round}", device.name)),
                }
            }
            match next(5) {
                0 => drop(device.sync_stopping_at(1 + next(60))),
                1 => device.restart(),
                2 => device.storage.fail("create", "changes/", Fault::AnswerLost),
                _ => {}
            }
            let _ = device.try_sync();
            device.storage.heal();
            world.time.pass(DAY * next(9) as u32);
            world.assert_whole();
        }
        for _ in 0..2 {
            devices.iter().for_each(|device| drop(device.sync()));
        }
        let [alice, bob, carol] = &devices;
        assert_eq!(alice.all(), bob.all(), "seed {seed}");
        assert_eq!(alice.all(), carol.all(), "seed {seed}");
        let deletes = |d: &Device| d.storage.journal.take().contains(&"delete docs/…".to_owned());
        assert!(devices.iter().any(deletes), "nothing was ever collected");
    }
}

fn random(seed: u64) -> impl FnMut(u64) -> u64 {
    let mut state = seed;
    move |n| {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    }
}

#[test]
fn what_a_deferred_conflict_still_needs_is_not_deleted() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("both", "alice's");
    alice.sync();
    bob.edit("both", "bob's");
    bob.sync();
    days(&world, 120, &[&bob]);
    world.assert_whole();
    let bob = bob.resolving_by(db_to_cloud::RemoteWins);
    bob.sync();
    assert_eq!(bob.read("both").as_deref(), Some("alice's"));
}

/// One request a page of names, and two for each document that is gone.
#[test]
fn a_lost_document_is_put_again_at_once_if_that_is_asked_for() {
    let world = World::new();
    let (alice, bob, carol) = (world.device("alice"), world.device("bob"), world.device("carol"));
    alice.edit("large", &"x".repeat(5000));
    alice.edit("small", "text");
    alice.edit("edited", &"y".repeat(5000));
    alice.sync();
    for id in ["large", "small", "edited"] {
        world.remove(&version(&world, id));
    }
    bob.sync();
    assert_eq!(bob.read("large"), None);
    // What she has edited since, she cannot put again, and the edit takes its place.
    alice.edit("edited", "anew");
    let verify = db_to_cloud::SyncOptions { verify: true, ..Default::default() };
    let report = alice.try_sync_with(verify).unwrap();
    assert_eq!((report.put_again, report.pushed, report.requests.list), (2, 1, 1));
    assert_eq!(alice.try_sync_with(verify).unwrap().put_again, 0);
    world.assert_whole();
    for device in [&bob, &carol] {
        device.sync();
        assert_eq!(device.all(), alice.all(), "{}", device.name);
    }
}

#[test]
fn a_lost_document_is_put_again_by_a_device_that_has_it() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("large", &"x".repeat(5000));
    alice.sync();
    let key = version(&world, "large");
    world.remove(&key);
    let report = bob.sync();
    assert_eq!(report.deferred.len(), 1, "{report:?}");
    assert_eq!(bob.read("large"), None);
    days(&world, 9, &[&alice]);
    assert_eq!(world.object(&key).as_deref(), Some("x".repeat(5000).as_bytes()));
    assert_eq!(bob.sync().pulled, 1);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_lost_document_is_not_put_again_with_other_bytes() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("note", "first");
    alice.sync();
    let key = version(&world, "note");
    world.remove(&key);
    world.time.pass(DAY * 9);
    let documents = alice.documents.clone();
    // Edited while the sync is under way.
    alice.storage.before("list", "docs", move || documents.save("note", "second"));
    alice.sync();
    assert_eq!(world.object(&key), None);
    alice.sync();
}
