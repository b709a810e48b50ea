//! Damage to any one object, and failures of any one request (lessons 9 and 12): a clear error or
//! recovery, never a panic, never a document lost or overwritten with garbage.

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
fn any_object_with_json_of_another_type() {
    let story = Story::new();
    let deep = "[".repeat(100_000);
    let nested = format!("{{\"format\":1,\"changes\":{deep}");
    for key in story.representatives() {
        for json in [
            "null",
            "true",
            "0",
            "-1",
            "1e999",
            "\"\"",
            "[]",
            "{}",
            "[1]",
            "[[]]",
            &deep,
            &nested,
            r#"{"format":1}"#,
            r#"{"format":"1"}"#,
            r#"{"format":-1}"#,
            r#"{"format":1.5}"#,
            r#"{"format":0}"#,
            r#"{"format":4294967296}"#,
            r#"{"format":1,"changes":{}}"#,
            r#"{"format":1,"parts":[]}"#,
            r#"{"format":1,"documents":[]}"#,
            r#"{"format":1,"documents":{}}"#,
            r#"{"format":1,"snapshot":""}"#,
            r#"{"format":1,"snapshot":null}"#,
            r#"{"format":1,"format":1}"#,
        ] {
            story.run(&key, &json[..json.len().min(40)], |world| {
                world.overwrite(&key, json.to_owned())
            });
        }
    }
}

#[test]
fn any_object_with_the_content_of_another() {
    let story = Story::new();
    let keys = story.representatives();
    for key in &keys {
        for other in keys.iter().filter(|other| *other != key) {
            story.meet(key, &format!("the content of {other}"), |world| {
                world.overwrite(key, world.object(other).unwrap());
            });
        }
    }
}

/// All values inside a JSON value that are no array and no object, by their paths.
fn leaves(value: &Value, path: &str, found: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
            map.iter().for_each(|(k, v)| leaves(v, &format!("{path}/{}", escaped(k)), found));
        }
        Value::Array(list) => {
            list.iter().enumerate().for_each(|(i, v)| leaves(v, &format!("{path}/{i}"), found));
        }
        _ => found.push(path.to_owned()),
    }
}

#[test]
fn any_value_in_any_object_replaced_by_a_hostile_one() {
    let story = Story::new();
    let long = "x".repeat(3000);
    let hostile = [
        json!(u64::MAX),
        json!(i64::MIN),
        json!(1e300),
        json!(0),
        json!(null),
        json!("../x"),
        json!("snapshot/../../x"),
        json!("0123456789abcdef0123456789abcde/"),
        json!(long),
        json!([]),
        json!({}),
    ];
    let keys = story.representatives().into_iter();
    for key in keys.filter(|key| !key.starts_with("docs") && key != "changes/1.json") {
        let whole: Value = serde_json::from_slice(&story.world.object(&key).unwrap()).unwrap();
        let mut paths = Vec::new();
        leaves(&whole, "", &mut paths);
        // A part holds much that is alike.
        paths.retain(|path| {
            !path.contains("/documents/") || path.contains("/sa/") || path.contains("/sgone/")
        });
        for path in paths {
            for value in hostile.iter() {
                let mut damaged = whole.clone();
                *damaged.pointer_mut(&path).unwrap() = value.clone();
                let text = value.to_string();
                let damage = format!("{path} = {}", &text[..text.len().min(40)]);
                story.meet(&key, &damage, |world| world.overwrite(&key, damaged.to_string()));
            }
        }
    }
}

#[test]
fn a_hint_to_a_hostile_snapshot() {
    let story = Story::new();
    let whole = story.world.json(&story.world.snapshots()[0]);
    let seqs = [json!(u64::MAX), json!(u64::MAX - 1), json!(1_u64 << 53), json!(0), json!(1000)];
    for seq in seqs {
        let mut head = whole.clone();
        head["seq"] = seq.clone();
        let key = format!("snapshot/{seq}.0123456789abcdef0123456789abcdef.json");
        story.run("meta.json", &format!("a snapshot after entry {seq}"), |world| {
            world.overwrite(&key, head.to_string());
            world.overwrite("meta.json", json!({"format": 1, "snapshot": key}).to_string());
        });
    }
}

#[test]
fn a_part_that_lost_a_document_deletes_none() {
    let story = Story::new();
    let parts = story.world.keys("snapshot");
    let part = parts.iter().find(|key| key.split('.').count() == 4).unwrap();
    let ids: Vec<_> =
        story.world.json(part)["documents"].as_object().unwrap().keys().cloned().collect();
    for id in ids {
        story.run(part, &format!("without {id}"), |world| {
            let mut content = world.json(part);
            content["documents"].as_object_mut().unwrap().remove(&id);
            world.overwrite(part, content.to_string());
        });
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
fn a_failing_request_is_never_taken_for_absence() {
    use ErrorKind::{
        Forbidden, Full, InvalidInput, Throttled, TimedOut, Unauthorized, Unavailable, Unsupported,
    };
    let kinds = [
        Forbidden,
        Full,
        InvalidInput,
        Throttled,
        TimedOut,
        Unauthorized,
        Unavailable,
        Unsupported,
    ];
    let story = Story::new();
    for prefix in story.representatives() {
        for kind in kinds {
            let _name = Named(format!("{prefix} fails as {kind:?}"));
            for (name, backup) in
                [("fresh", None), ("far", Some(&story.far)), ("near", Some(&story.near))]
            {
                story.world.restore(&story.objects);
                let device = story.device(name, backup);
                device.storage.fail_for_long("get", &prefix, Fault::Refused(kind));
                let before = device.all();
                let result = device.try_sync();
                let asked = device.storage.journal.take();
                story.assert_safe(&device, &before);
                assert!(asked.iter().all(|line| !line.starts_with("delete docs")), "{asked:?}");
                let met = !prefix.starts_with("docs") && asked.iter().any(|l| l.contains(&prefix));
                if met {
                    let error = result.as_ref().map(drop).expect_err("S9: it is an error");
                    assert_eq!(error.kind(), kind, "{name}");
                }
                if result.is_err() {
                    assert_eq!(story.world.commits(), 20, "{name}");
                }
                device.storage.heal();
                device.sync();
                story.world.assert_whole();
                assert_eq!(device.read("late"), Some(large("late")));
                assert_eq!(device.read("large"), Some(large("new")));
            }
        }
    }
}

#[test]
fn a_sign_in_that_ran_out_is_an_error_and_not_a_missing_document() {
    let story = Story::new();
    for kind in [ErrorKind::Unauthorized, ErrorKind::Throttled] {
        for document in ["docs/late", "docs/large", "docs/"] {
            let bob = story.device("far", Some(&story.far));
            bob.storage.fail_for_long("get", document, Fault::Refused(kind));
            let error = bob.try_sync().map(drop).expect_err("a sync that cannot read");
            assert_eq!(error.kind(), kind, "{document}");
        }
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
