//! Damage to any one object, and failures of any one request (lessons 9 and 12): a clear error or
//! recovery, never a panic, never a document lost or overwritten with garbage.

mod failures;
mod values;

use bytes::Bytes;
use db_to_cloud::{Document, ErrorKind, Key, LockPolicy, NewestWins, SyncOptions};
use db_to_cloud_tests::{Backup, Device, Fault, World};
use serde_json::{Value, json};

/// A storage with all kinds of objects, and devices that stand at different places.
struct Story {
    world: World,
    objects: Vec<(Key, Bytes)>,
    /// Up to date, with an edit to push.
    near: Backup,
    /// From before the snapshot, with an edit to push.
    far: Backup,
}

const ACCEPT: SyncOptions = SyncOptions { accept_remote: true, accept_deletes: false };

fn large(text: &str) -> String {
    format!("{text} {}", "x".repeat(5000))
}

/// How old a text of the story is, for whoever has to choose after a storage diverged.
fn age(document: &Document) -> usize {
    let ages = ["alice's", "bob's", "new", "late", "text", "old"];
    ages.iter().position(|age| document.bytes.starts_with(age.as_bytes())).unwrap_or(ages.len())
}

impl Story {
    fn new() -> Self {
        let world = World::new();
        let (alice, bob) = (world.device("alice"), world.device("bob"));
        for id in ["a", "b", "gone", "mine", "large", "\u{1F980}/..", ""] {
            alice.edit(id, &format!("old {id}"));
        }
        alice.edit(7, "old number");
        alice.edit("large", &large("old"));
        alice.sync();
        bob.sync();
        bob.edit("mine", "bob's");
        let far = bob.backup();
        alice.delete("gone");
        alice.edit("large", &large("new"));
        for i in 0..18 {
            alice.edit("a", &format!("text {i}"));
            alice.sync();
        }
        alice.edit("late", &large("late"));
        alice.edit("b", "new b");
        alice.sync();
        alice.edit("a", "alice's");
        let near = alice.backup();
        assert_eq!(world.snapshots().len(), 1);
        assert!(world.commits() > 17);
        Self { objects: world.backup(), world, near, far }
    }

    /// Keys of each kind: the hint, the entries before, in and after the snapshot, the snapshot's
    /// head and part, a document of each size.
    fn representatives(&self) -> Vec<String> {
        let mut keys = vec!["meta.json".to_owned()];
        let last = self.world.commits();
        keys.extend([1, 9, last - 1, last].map(|n| format!("changes/{n}.json")));
        keys.extend(self.world.keys("snapshot"));
        for (id, change) in self.world.live() {
            if ["late", "large", "b"].iter().any(|name| id == (*name).into()) {
                keys.push(Key::document(&id, change.vid).to_string());
            }
        }
        keys
    }

    fn device(&self, name: &str, backup: Option<&Backup>) -> Device {
        let newest = NewestWins::new(|a: &Document, b: &Document| age(b).cmp(&age(a)));
        let mut device = self.world.device(name).resolving_by(newest);
        if let Some(backup) = backup {
            device.roll_back(backup);
        }
        device
    }

    /// Three devices meet the damaged storage, and lose nothing.
    fn meet(&self, key: &str, damage: &str, apply: impl FnOnce(&World)) -> [Device; 3] {
        let _name = Named(format!("{key}, {damage}"));
        self.world.restore(&self.objects);
        apply(&self.world);
        let devices = [
            self.device("fresh", None),
            self.device("far", Some(&self.far)),
            self.device("near", Some(&self.near)),
        ];
        for device in &devices {
            let before = device.all();
            for _ in 0..2 {
                let _ = device.try_sync();
                self.assert_safe(device, &before);
            }
        }
        devices
    }

    /// The same; then the object is put right, and all ends well.
    fn run(&self, key: &str, damage: &str, apply: impl FnOnce(&World)) {
        let devices = self.meet(key, damage, apply);
        let _name = Named(format!("{key}, {damage}, mended"));
        let original = self.objects.iter().find(|(k, _)| k.as_str() == key).cloned();
        match original {
            Some((key, bytes)) => drop(self.world.cloud.objects().insert(key, bytes)),
            None => self.world.remove(key),
        }
        for _ in 0..2 {
            for device in &devices {
                device.time.pass(std::time::Duration::from_secs(24 * 3600));
                device.try_sync().or_else(|_| device.try_sync_with(ACCEPT)).unwrap();
            }
        }
        devices.iter().for_each(|device| self.assert_complete(device));
    }

    /// Whatever the device holds was a version of that document, and nothing that should be there
    /// is missing.
    #[track_caller]
    fn assert_safe(&self, device: &Device, before: &[(db_to_cloud::DocumentId, String)]) {
        let name = &device.name;
        for (id, text) in device.all() {
            let known = ["old", "text", "bob's", "alice's", "new", "late"];
            assert!(
                known.iter().any(|k| text.starts_with(k)),
                "{name} has garbage in {id}: {text}"
            );
        }
        for (id, _) in before {
            assert!(device.read(id.clone()).is_some() || *id == "gone".into(), "{name} lost {id}");
        }
    }

    /// Edits and the others' documents are all there.
    #[track_caller]
    fn assert_complete(&self, device: &Device) {
        let name = &device.name;
        let read = |id: &str| device.read(id);
        assert_eq!(read("mine").as_deref(), Some("bob's"), "mine of {name}");
        assert_eq!(read("a").as_deref(), Some("alice's"), "a of {name}");
        assert_eq!(read("b").as_deref(), Some("new b"), "b of {name}");
        assert_eq!(read("late"), Some(large("late")), "late of {name}");
        assert_eq!(read("large"), Some(large("new")), "large of {name}");
        assert_eq!(device.read(7).as_deref(), Some("old number"), "7 of {name}");
    }
}

/// Tells which case it was when a test fails.
struct Named(String);

impl Drop for Named {
    #[expect(clippy::print_stderr, reason = "shown only if the test fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("damaged: {}", self.0);
        }
    }
}

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
