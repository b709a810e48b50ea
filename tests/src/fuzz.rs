//! What is asked of hostile bytes: one function a format, called with bytes of the fuzzer's choice by
//! `fuzz/`, and with the committed corpus by the tests. Each panics if a promise is broken.

pub mod store;

use db_to_cloud::fuzzing::{Kind, reread};
use db_to_cloud::{DocumentId, ErrorKind, Key, VersionId};

/// A promise about any bytes.
pub type Target = fn(&[u8]);

/// All targets by the name of their corpus.
pub const TARGETS: [(&str, Target); 8] = [
    ("entry", entry),
    ("hint", hint),
    ("lock", lock),
    ("snapshot", snapshot),
    ("part", part),
    ("records", records),
    ("ids", ids),
    ("sync", sync),
];

/// A slot of the log.
pub fn entry(bytes: &[u8]) {
    settles(Kind::Slot, bytes);
}

/// The hint to the newest snapshot.
pub fn hint(bytes: &[u8]) {
    settles(Kind::Hint, bytes);
}

/// The lock, and how it is shown to people.
pub fn lock(bytes: &[u8]) {
    settles(Kind::Lock, bytes);
    if let Ok(lock) = serde_json::from_slice::<db_to_cloud::format::LockObject>(bytes) {
        assert!(lock.ttl().as_secs() <= 3600, "nobody waits longer than an hour");
        assert!(!lock.time.to_string().is_empty());
    }
}

/// The head of a snapshot.
pub fn snapshot(bytes: &[u8]) {
    settles(Kind::Snapshot, bytes);
}

/// A part of a snapshot.
pub fn part(bytes: &[u8]) {
    settles(Kind::Part, bytes);
}

/// The records of the client state.
pub fn records(bytes: &[u8]) {
    use Kind::{
        Attempt, DeferredChange, GcClock, LastEntry, LogPosition, QueuedEdit, SyncedVersion,
    };
    for kind in
        [LogPosition, Attempt, LastEntry, GcClock, SyncedVersion, QueuedEdit, DeferredChange]
    {
        settles(kind, bytes);
    }
}

/// Ids and the keys that are made of them. Two ids, with a line feed between them.
pub fn ids(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    let ids = [one, other].map(DocumentId::from);
    let numbers = [one, other].map(|text| serde_json::from_str::<DocumentId>(text).ok());
    let records = [one, other].map(DocumentId::from_key);
    let ids: Vec<_> = ids.into_iter().chain(numbers.into_iter().chain(records).flatten()).collect();
    for id in &ids {
        assert_eq!(DocumentId::from_key(&id.to_key()).as_ref(), Some(id));
        assert_safe(id);
        for other in &ids {
            let names = [id, other].map(|id| Key::document(id, VersionId::from(1)).to_string());
            assert_eq!(id == other, names[0] == names[1], "{id:?} and {other:?}: {names:?}");
        }
    }
    if let Ok(key) = Key::parse(one) {
        assert_eq!(key.as_str(), one);
        assert!(!one.split('/').any(|segment| segment.is_empty() || segment.starts_with('.')));
    }
}

/// A whole sync over a storage in which one object holds these bytes.
pub fn sync(bytes: &[u8]) {
    store::sync(bytes);
}

/// The name of a document is a file name on every system, and can be read back as a key.
fn assert_safe(id: &DocumentId) {
    let key = Key::document(id, VersionId::from(1));
    assert_eq!(Key::parse(key.as_str()).ok().as_ref(), Some(&key), "{id:?}");
    assert_eq!(key.vid(), Some(VersionId::from(1)), "{id:?}");
    let name = key.split().map_or("", |(_, name)| name);
    let safe = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-_.".contains(&b);
    assert!(name.len() <= 153 && name.bytes().all(safe), "{id:?} is {name:?}");
    let stem = name.split('.').next().unwrap_or_default();
    let device = ["com", "lpt"].iter().any(|port| {
        stem.strip_prefix(port)
            .is_some_and(|n| n.len() == 1 && n.bytes().all(|b| b.is_ascii_digit()))
    });
    assert!(!device && !["con", "prn", "aux", "nul", ""].contains(&stem), "{id:?} is {name:?}");
}

/// The bytes are refused with an error that says so; or what was understood can be written, and is
/// then understood the same.
fn settles(kind: Kind, bytes: &[u8]) {
    let written = match reread(kind, bytes) {
        Ok(written) => written,
        Err(error) => {
            let known = [ErrorKind::Corrupt, ErrorKind::NewerFormat, ErrorKind::State];
            assert!(known.contains(&error.kind()), "{kind:?}: {error:?}");
            assert!(error.key().is_some() && !error.to_string().is_empty(), "{kind:?}: {error:?}");
            return;
        }
    };
    match reread(kind, &written) {
        Ok(again) => assert_eq!(again, written, "{kind:?}"),
        Err(error) => panic!("{kind:?} cannot be read back: {error:?}\n{written:?}"),
    }
}

/// Healthy inputs of each target, for a fuzzer to begin with.
pub fn seeds() -> Vec<(&'static str, Vec<u8>)> {
    let sync = store::seeds();
    let objects: Vec<&[u8]> = sync.iter().filter_map(|seed| seed.get(2..)).collect();
    let mut seeds = Vec::new();
    for (name, kind) in [
        ("entry", Kind::Slot),
        ("hint", Kind::Hint),
        ("snapshot", Kind::Snapshot),
        ("part", Kind::Part),
    ] {
        let healthy = objects.iter().filter(|bytes| reread(kind, bytes).is_ok());
        seeds.extend(healthy.map(|bytes| (name, bytes.to_vec())));
    }
    seeds.extend(store::records().into_iter().map(|record| ("records", record)));
    seeds.extend(store::lock().map(|lock| ("lock", lock)));
    let ids = ["1\n\"1\"", "con.txt\nCON", "../a\n/b", "n1.0\n1e300", "_\n", "docs/a\n.b"];
    seeds.extend(ids.map(|text| ("ids", text.as_bytes().to_vec())));
    seeds.extend(sync.iter().map(|seed| ("sync", seed.clone())));
    seeds.sort();
    seeds.dedup();
    seeds
}
