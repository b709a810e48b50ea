//! Damage to any one object, and failures of any one request (lessons 9 and 12): a clear error or
//! recovery, never a panic, never a document lost or overwritten with garbage.

mod bounds;
mod failures;
mod story;
mod values;

use bytes::Bytes;
use db_to_cloud::{Document, ErrorKind, Key, LockPolicy, NewestWins, SyncOptions};
use db_to_cloud_tests::{Backup, Device, Fault, World};
use serde_json::{Value, json};
use story::{Named, Story, large};

#[test]
fn the_story_itself_ends_well() {
    Story::new().run("meta.json", "not at all", |_| {});
}

#[test]
fn any_object_truncated_emptied_zeroed_or_garbled() {
    let story = Story::new();
    for key in story.representatives() {
        let whole = story.world.object(&key).unwrap();
        let half = whole.len() / 2;
        let damages = [
            ("empty", Bytes::new()),
            ("one byte", whole.slice(..1)),
            ("half", whole.slice(..half)),
            ("all but one byte", whole.slice(..whole.len() - 1)),
            ("zeros", vec![0; whole.len()].into()),
            ("half zeros", [&whole[..half], &vec![0; whole.len() - half]].concat().into()),
            ("garbage", (0..whole.len()).map(|i| (i * 37 % 251) as u8).collect()),
            ("twice", [&whole[..], &whole[..]].concat().into()),
            ("a byte order mark", [b"\xEF\xBB\xBF", &whole[..]].concat().into()),
            ("a login page", Bytes::from("<html><body>Please sign in</body></html>")),
        ];
        for (damage, bytes) in damages {
            story.run(&key, damage, |world| world.overwrite(&key, bytes));
        }
    }
}

#[test]
fn any_object_gone() {
    let story = Story::new();
    for key in story.representatives().into_iter().filter(|key| !key.starts_with("changes/")) {
        story.run(&key, "gone", |world| world.remove(&key));
    }
}

/// Nothing of ours deletes a slot (rule K2): a storage that loses one has lost commits, and the
/// protocol cannot help that. But no device loses a document that it has.
#[test]
fn any_slot_of_the_log_gone() {
    let story = Story::new();
    for n in 1..=story.world.commits() {
        let _name = Named(format!("slot {n} is gone"));
        for backup in [None, Some(&story.far), Some(&story.near)] {
            story.world.restore(&story.objects);
            story.world.remove(&format!("changes/{n}.json"));
            let device = story.device("device", backup);
            let before = device.all();
            for _ in 0..2 {
                let _ = device.try_sync();
                story.assert_safe(&device, &before);
            }
        }
    }
}

#[test]
fn strange_objects_in_the_storage_are_left_alone() {
    let story = Story::new();
    let strange = [
        "changes/readme.txt",
        "changes/007.json",
        "docs/readme",
        "docs/a.b",
        "docs/.x".trim_matches('.'),
        "snapshot/readme",
        "snapshot/1.json",
        "snapshot/x.y.json",
        "changes/0.json",
        "desktop.ini",
    ];
    for key in strange.into_iter().filter(|key| Key::parse(key).is_ok()) {
        story.run(key, "somebody's own", |world| world.overwrite(key, "what is this?"));
    }
}

#[test]
fn any_damaged_lock_is_broken_or_an_error() {
    let hostile = [
        json!(u64::MAX),
        json!(-1),
        json!(null),
        json!("../x"),
        json!([]),
        json!("x".repeat(5000)),
    ];
    let nonce = "0123456789abcdef0123456789abcdef";
    let whole = json!({"format": 1, "owner": "x", "nonce": nonce, "ttl": 60, "time": 1});
    for field in ["format", "owner", "nonce", "ttl", "time"] {
        for value in &hostile {
            let _name = Named(format!("{field} = {value}"));
            let world = World::new();
            let alice = world.device("alice").set_up(|b| b.with_lock(LockPolicy::Always));
            alice.edit("note", "text");
            let mut lock = whole.clone();
            lock[field] = value.clone();
            world.overwrite("lock.json", lock.to_string());
            alice.sync();
            assert_eq!(world.commits(), 1);
            assert_eq!(world.object("lock.json"), None);
        }
    }
}
