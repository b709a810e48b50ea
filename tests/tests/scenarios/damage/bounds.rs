//! Entries beyond the bounds of rule S5: no client writes them, and every client takes them for
//! damaged.

use db_to_cloud::format::{Body, Change};
use db_to_cloud::{Action, ContentHash, DocumentId, VersionId};

use super::*;

/// A change that makes a new document, with a copy of it if asked for.
fn made(n: usize, text: &str, copied: bool) -> Change {
    let body = copied.then(|| Body(Bytes::copy_from_slice(text.as_bytes())));
    Change {
        id: DocumentId::from(format!("doc-{n:03}")),
        rev: "1".into(),
        action: Action::Put,
        vid: VersionId::from(n as u128 + 1),
        base: None,
        len: text.len() as u64,
        hash: ContentHash::of(text.as_bytes()),
        body,
        seen: None,
        attr: Default::default(),
        other: Default::default(),
    }
}

/// A storage whose second entry has these changes, and Bob, who has the first.
fn entry_of(changes: Vec<Change>, text: &str) -> (World, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("old", "text");
    alice.sync();
    bob.sync();
    alice.edit("new", "text");
    alice.sync();
    for change in &changes {
        let key = Key::document(&change.id, change.vid);
        world.overwrite(key.as_str(), text.to_owned());
    }
    let mut entry = world.json("changes/2.json");
    entry["changes"] = serde_json::to_value(changes).unwrap();
    world.overwrite("changes/2.json", entry.to_string());
    (world, bob)
}

#[test]
fn an_entry_at_its_bounds_is_read_whatever_it_takes_as_json() {
    // 256 copies of 4 KiB, each byte of which takes six in JSON, and 244 changes without.
    let text = "\u{1}".repeat(4096);
    let changes: Vec<_> = (0..500).map(|n| made(n, &text, n < 256)).collect();
    let (world, bob) = entry_of(changes, &text);
    assert!(world.object("changes/2.json").unwrap().len() > 6 * 1024 * 1024);
    assert_eq!(bob.sync().pulled, 500);
    assert_eq!(bob.read("doc-499").as_deref(), Some(&text[..]));
}

#[test]
fn an_entry_beyond_its_bounds_is_damaged() {
    let (small, full, long) = ("text", "x".repeat(4096), "x".repeat(4097));
    let twice = vec![made(1, small, true), made(2, small, true), made(1, small, false)];
    let cases = [
        ("more changes", (0..501).map(|n| made(n, small, false)).collect(), small),
        ("too long to be copied", vec![made(1, &long, true)], &long[..]),
        ("more bytes of documents", (0..257).map(|n| made(n, &full, true)).collect(), &full[..]),
        ("one document twice", twice, small),
    ];
    for (why, changes, text) in cases {
        let (_, bob) = entry_of(changes, text);
        let before = bob.all();
        let error = bob.try_sync().unwrap_err();
        assert_eq!(
            (error.kind(), error.key()),
            (ErrorKind::Corrupt, Some("changes/2.json")),
            "{why}"
        );
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert_eq!(bob.all(), before, "{why}");
    }
}
