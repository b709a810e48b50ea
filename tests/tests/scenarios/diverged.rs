//! A storage that is not the one last synced with, or went back in time (rule D1): the sync stops
//! and changes nothing; on consent the two sides are joined and nothing is lost.

mod consent;

use std::time::Duration;

use bytes::Bytes;
use db_to_cloud::{ErrorKind, KeepBoth, Key, LocalWins, RemoteWins, Resolution, SyncOptions};
use db_to_cloud_tests::{Device, Fault, Judge, World};

const ACCEPT: SyncOptions = db_to_cloud_tests::options::ACCEPT_REMOTE;

type Objects = Vec<(Key, Bytes)>;

/// What becomes of the storage, given how it was at some time before.
type Fate = fn(&World, &Objects);

const FATES: [(&str, Fate); 4] = [
    ("emptied", |world, _| world.cloud.objects().clear()),
    ("restored from a backup", |world, backup| world.restore(backup)),
    ("restored and used by others", |world, backup| {
        world.restore(backup);
        let dave = world.device("dave");
        for i in 0..6 {
            dave.sync();
            dave.edit("daves", &format!("text {i}"));
            dave.sync();
        }
    }),
    ("another one", |world, _| {
        world.cloud.objects().clear();
        let dave = world.device("dave");
        for i in 0..9 {
            dave.edit("edited", "dave's");
            dave.edit(format!("dave-{i}"), "text");
            dave.sync();
        }
    }),
];

/// Alice and Bob are in step with a storage that then meets its fate.
fn story(fate: Fate) -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for i in 0..15 {
        alice.edit(format!("doc-{i}"), "old");
    }
    for id in ["same", "edited", "gone", "large"] {
        alice.edit(id, &format!("old {id} {}", "x".repeat(if id == "large" { 5000 } else { 0 })));
    }
    alice.sync();
    bob.sync();
    let backup = world.backup();
    bob.edit("edited", "bob's");
    bob.sync();
    alice.sync();
    alice.edit("new", "alice's");
    alice.delete("gone");
    alice.sync();
    bob.sync();
    fate(&world, &backup);
    (world, alice, bob)
}

/// Nothing was changed or removed; at the most there are uploads that no commit names.
#[track_caller]
fn assert_untouched(world: &World, before: &Objects, fate: &str) {
    for (key, bytes) in before {
        assert_eq!(world.cloud.objects().get(key), Some(bytes), "{key} of the storage {fate}");
    }
    let objects = world.cloud.objects();
    let is_new = |key: &&Key| before.iter().all(|(old, _)| old != *key);
    let others: Vec<_> = objects.keys().filter(is_new).filter(|key| key.vid().is_none()).collect();
    assert!(others.is_empty(), "written into the storage {fate}: {others:?}");
}

/// A day later, a sync by a user who says yes if asked.
fn consent(device: &Device) {
    device.time.pass(Duration::from_secs(24 * 3600));
    match device.try_sync() {
        Err(e) if e.kind() == ErrorKind::Diverged => drop(device.try_sync_with(ACCEPT).unwrap()),
        other => drop(other.unwrap()),
    }
}

fn converge(world: &World, devices: &[&Device]) {
    for _ in 0..3 {
        devices.iter().for_each(|device| consent(device));
    }
    let fresh = world.device("fresh");
    fresh.sync();
    for device in devices {
        assert_eq!(device.all(), fresh.all(), "{} and a fresh device", device.name);
    }
    world.assert_whole();
}

#[test]
fn a_device_with_edits_stops_and_changes_nothing() {
    for (name, fate) in FATES {
        let (world, alice, _) = story(fate);
        alice.edit("same", "alice's edit");
        alice.delete("doc-3");
        let (documents, objects) = (alice.all(), world.backup());
        for _ in 0..2 {
            let error = alice.try_sync().unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Diverged, "{name}");
            assert_eq!(alice.all(), documents, "{name}");
            assert_untouched(&world, &objects, name);
        }
        assert_eq!(alice.status().queued, 2, "the edits stay queued");
    }
}

#[test]
fn an_idle_device_stops_within_a_day_and_changes_nothing() {
    for (name, fate) in FATES {
        let (world, alice, _) = story(fate);
        let (documents, objects) = (alice.all(), world.backup());
        let _ = alice.try_sync();
        assert_eq!(alice.all(), documents, "{name}");
        world.time.pass(Duration::from_secs(24 * 3600));
        let error = alice.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Diverged, "{name}");
        assert_eq!(alice.all(), documents, "{name}");
        assert_untouched(&world, &objects, name);
    }
}

#[test]
fn a_restarted_device_stops_too() {
    for (name, fate) in FATES {
        let (world, mut alice, _) = story(fate);
        alice.edit_unqueued("same", "alice's edit");
        alice.delete_unqueued("doc-3");
        alice.restart();
        let (documents, objects) = (alice.all(), world.backup());
        assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Diverged, "{name}");
        assert_eq!(alice.all(), documents, "{name}");
        assert_untouched(&world, &objects, name);
    }
}

#[test]
fn a_preview_stops_too() {
    use futures::FutureExt;
    for (name, fate) in FATES {
        let (_, alice, _) = story(fate);
        alice.edit("same", "alice's edit");
        let preview = alice.client().preview().now_or_never().unwrap();
        assert_eq!(preview.unwrap_err().kind(), ErrorKind::Diverged, "{name}");
    }
}

#[test]
fn the_error_says_what_happened_and_what_to_do() {
    let (_, alice, _) = story(FATES[0].1);
    alice.edit("same", "alice's edit");
    let text = alice.try_sync().unwrap_err().to_string();
    assert!(text.contains("nothing was changed") && text.contains("how to go on"), "{text}");
}

#[test]
fn a_storage_that_was_exchanged_during_a_race_is_noticed() {
    let world = World::new();
    let other = World { time: world.time.clone(), ..World::new() };
    let dave = other.device("dave");
    for text in ["first", "second", "third"] {
        dave.edit("daves", text);
        dave.sync();
    }
    let (alice, _) = world.alice_and_bob(&["note"]);
    alice.edit("note", "new");
    let (exchanged, objects) = (world.clone(), other.backup());
    alice.storage.before("create", "changes/2", move || exchanged.restore(&objects));
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Diverged);
    assert_eq!((world.commits(), alice.read("daves")), (3, None));
}
