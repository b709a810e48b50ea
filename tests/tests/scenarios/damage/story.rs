//! A storage with all kinds of objects, the devices that meet it damaged, and what they must keep.

use super::*;

/// A storage with all kinds of objects, and devices that stand at different places.
pub(super) struct Story {
    pub(super) world: World,
    pub(super) objects: Vec<(Key, Bytes)>,
    /// Up to date, with an edit to push.
    pub(super) near: Backup,
    /// From before the snapshot, with an edit to push.
    pub(super) far: Backup,
}

const ACCEPT: SyncOptions = db_to_cloud_tests::options::ACCEPT_REMOTE;

pub(super) fn large(text: &str) -> String {
    format!("{text} {}", "x".repeat(5000))
}

/// How old a text of the story is, for whoever has to choose after a storage diverged.
pub(super) fn age(document: &Document) -> usize {
    let ages = ["alice's", "bob's", "new", "late", "text", "old"];
    ages.iter().position(|age| document.bytes.starts_with(age.as_bytes())).unwrap_or(ages.len())
}

impl Story {
    pub(super) fn new() -> Self {
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
    pub(super) fn representatives(&self) -> Vec<String> {
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

    pub(super) fn device(&self, name: &str, backup: Option<&Backup>) -> Device {
        let newest = NewestWins::new(|a: &Document, b: &Document| age(b).cmp(&age(a)));
        let mut device = self.world.device(name).resolving_by(newest);
        if let Some(backup) = backup {
            device.roll_back(backup);
        }
        device
    }

    /// Three devices meet the damaged storage, and lose nothing.
    pub(super) fn meet(&self, key: &str, damage: &str, apply: impl FnOnce(&World)) -> [Device; 3] {
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
    pub(super) fn run(&self, key: &str, damage: &str, apply: impl FnOnce(&World)) {
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
    pub(super) fn assert_safe(
        &self,
        device: &Device,
        before: &[(db_to_cloud::DocumentId, String)],
    ) {
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
    pub(super) fn assert_complete(&self, device: &Device) {
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
pub(super) struct Named(pub(super) String);

impl Drop for Named {
    #[expect(clippy::print_stderr, reason = "shown only if the test fails")]
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("damaged: {}", self.0);
        }
    }
}
