//! A whole sync over a storage in which one object holds bytes of the fuzzer's choice.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use bytes::Bytes;
use db_to_cloud::state::{StateStore, Table};
use db_to_cloud::{DocumentId, Environment, ErrorKind, Key, LockPolicy, SyncOptions};

use crate::steps::run;
use crate::{Backup, Device, World};

/// A storage with all kinds of objects, and devices that stand at different places in its log.
struct Story {
    objects: Vec<(Key, Bytes)>,
    /// The objects that may be damaged.
    keys: Vec<Key>,
    versions: BTreeMap<DocumentId, BTreeSet<String>>,
    far: Backup,
    near: Backup,
}

const ACCEPT: SyncOptions = crate::options::ACCEPT_REMOTE;
/// What the storage lacks, and must never lose: the edit of the device far behind and of the near one.
const EDITS: [&str; 2] = ["far's", "near's"];

/// Who may meet a damaged storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// A new device.
    Fresh,
    /// One from before the snapshot, with an edit to push.
    Far,
    /// One at the head, with an edit to push.
    Near,
}

impl Who {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Fresh, Self::Far, Self::Near];
}

/// What a device had after it met a damaged object.
#[derive(Debug)]
pub struct Met {
    /// Before.
    pub before: Documents,
    /// After two syncs.
    pub damaged: Documents,
    /// After the object was put right, and two more.
    pub mended: Documents,
}

/// Documents as text.
pub type Documents = BTreeMap<DocumentId, String>;

/// Device, object and content are the first byte, the second, and the rest.
pub(super) fn sync(bytes: &[u8]) {
    let [who, which, content @ ..] = bytes else { return };
    let who = Who::ALL[usize::from(*who) % Who::ALL.len()];
    let keys = keys();
    meet(who, &keys[usize::from(*which) % keys.len()], Bytes::copy_from_slice(content));
}

/// The objects that may be damaged; some of them are not there when all is well.
pub fn keys() -> &'static [Key] {
    &Story::get().keys
}

/// An object as it should be.
pub fn healthy(key: &Key) -> Option<&'static Bytes> {
    Story::get().objects.iter().find(|(k, _)| k == key).map(|(_, bytes)| bytes)
}

/// All texts that each document ever had.
pub fn versions() -> &'static BTreeMap<DocumentId, BTreeSet<String>> {
    &Story::get().versions
}

/// A device meets a storage in which one object holds these bytes; then it is put right.
///
/// # Panics
/// If an error does not say what is damaged, or if an edit that was made on this device changes.
pub fn meet(who: Who, key: &Key, content: Bytes) -> Met {
    let story = Story::get();
    let (world, device) = story.device(who);
    world.cloud.objects().insert(key.clone(), content.clone());
    let (before, edits) = (documents(&device), edits(&device));
    for _ in 0..2 {
        if let Err(error) = device.try_sync() {
            assert_sensible(&error);
        }
        assert_eq!(self::edits(&device), edits, "{key} was damaged");
    }
    let damaged = documents(&device);
    story.mend(&world, key, &content);
    for _ in 0..2 {
        if device.try_sync().is_err() {
            // A commit that was made upon a damaged one, or behind a forged one.
            let _ = device.try_sync_with(ACCEPT);
        }
        assert_eq!(self::edits(&device), edits, "{key} was damaged and mended");
    }
    Met { before, damaged, mended: documents(&device) }
}

fn documents(device: &Device) -> Documents {
    device.all().into_iter().collect()
}

fn assert_sensible(error: &db_to_cloud::Error) {
    use ErrorKind::{Corrupt, Diverged, NewerFormat, TooManyDeletes};
    let sensible = [Corrupt, Diverged, NewerFormat, TooManyDeletes];
    assert!(sensible.contains(&error.kind()), "{error:?}");
    assert!(error.kind() == TooManyDeletes || error.key().is_some(), "{error:?}");
}

/// Edits that were made here. Nobody decides about conflicts, so nothing may change them.
fn edits(device: &Device) -> Vec<String> {
    device.all().into_iter().map(|(_, text)| text).filter(|t| EDITS.contains(&t.as_str())).collect()
}

impl Story {
    fn get() -> &'static Self {
        static STORY: OnceLock<Story> = OnceLock::new();
        STORY.get_or_init(Self::new)
    }

    fn new() -> Self {
        let world = World::new();
        let (near, far) = world.alice_and_bob(&["a", "b", "gone", "mine", "../x"]);
        near.edit("large", &"x".repeat(5000));
        near.sync();
        far.sync();
        far.edit("mine", EDITS[0]);
        let far = far.backup();
        near.delete("gone");
        for i in 0..18 {
            near.edit("b", &format!("text {i}"));
            near.sync();
        }
        near.edit("a", EDITS[1]);
        let objects = world.backup();
        let last = world.commits();
        let slots = [1, last - 1, last, last + 1].map(Key::change);
        let others = objects.iter().map(|(key, _)| key.clone());
        let keys = others.filter(|key| key.slot().is_none()).chain(slots).chain([Key::lock()]);
        let keys: Vec<_> = keys.collect();
        let near = near.backup();
        let versions = versions_in(&world, [&near, &far]);
        Self { objects, keys, versions, far, near }
    }

    /// A device that meets this storage, with its world.
    fn device(&self, who: Who) -> (World, Device) {
        let world = World::new();
        // The names that the story gave do not come again.
        (0..5000).for_each(|_| _ = world.time.random());
        world.restore(&self.objects);
        let mut device = world.device("device").set_up(|b| b.with_lock(LockPolicy::Always));
        match who {
            Who::Fresh => {}
            Who::Far => device.roll_back(&self.far),
            Who::Near => device.roll_back(&self.near),
        }
        (world, device)
    }

    /// The damaged object is put right, unless the device has written it anew.
    fn mend(&self, world: &World, key: &Key, content: &Bytes) {
        let mut objects = world.cloud.objects();
        if objects.get(key) == Some(content) {
            objects.remove(key);
        }
        objects.extend(self.objects.iter().cloned());
    }

    /// Inputs that damage nothing: a start for the fuzzer.
    fn seeds(&self) -> Vec<Vec<u8>> {
        let objects: std::collections::BTreeMap<_, _> = self.objects.iter().cloned().collect();
        let mut seeds = Vec::new();
        for how in 0..Who::ALL.len() as u8 {
            for (which, key) in (0..).zip(&self.keys) {
                let content = objects.get(key).filter(|bytes| bytes.len() < 4096);
                seeds.push(
                    [&[how, which][..], content.map_or(&[][..], |bytes| &bytes[..])].concat(),
                );
            }
        }
        seeds
    }
}

/// All texts that the documents in the log and on these devices ever had.
fn versions_in(world: &World, devices: [&Backup; 2]) -> BTreeMap<DocumentId, BTreeSet<String>> {
    let mut versions = BTreeMap::<_, BTreeSet<String>>::new();
    let text = |bytes: &Bytes| String::from_utf8_lossy(bytes).into_owned();
    for change in (1..=world.commits()).flat_map(|n| world.entry(n).changes) {
        let bytes = world.cloud.objects().get(&Key::document(&change.id, change.vid)).cloned();
        versions.entry(change.id).or_default().extend(bytes.as_ref().map(text));
    }
    for (id, document) in devices.into_iter().flat_map(|(documents, _)| documents) {
        versions.entry(id.clone()).or_default().insert(text(&document.bytes));
    }
    versions
}

/// Inputs of [`sync`] that damage nothing.
pub(super) fn seeds() -> Vec<Vec<u8>> {
    Story::get().seeds()
}

/// Records of a client that has some of every kind.
pub(super) fn records() -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    for who in [Who::Far, Who::Near] {
        let (_, mut device) = Story::get().device(who);
        for step in [30, 50, 60, 100, u64::MAX] {
            device.sync_stopping_at(step);
            found.extend(Table::ALL.iter().filter_map(|table| {
                let page = run(device.state.scan(*table, None, 10)).and_then(Result::ok)?;
                Some(page.into_iter().map(|(_, value)| value).collect::<Vec<_>>())
            }));
        }
    }
    found.concat()
}

/// The lock of a client that was stopped while it held it.
pub(super) fn lock() -> Option<Vec<u8>> {
    let (world, mut device) = Story::get().device(Who::Near);
    (1..100).find_map(|step| {
        device.sync_stopping_at(step);
        world.object("lock.json").map(|bytes| bytes.to_vec())
    })
}
