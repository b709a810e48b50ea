//! Numbers in an object are not believed: no memory of that size, no sum that overflows, no stack
//! that ends.

use db_to_cloud::ErrorKind;
use db_to_cloud::fuzzing::{Kind, reread};
use db_to_cloud_tests::World;
use serde_json::json;

const GREATEST: u64 = 1 << 50;

fn id(n: usize) -> String {
    format!("{n:032x}")
}

/// Their sum is greater than a number can be.
#[test]
fn many_documents_of_the_greatest_length_are_no_sum() {
    let world = World::new();
    let change = |n: usize| {
        json!({"id": n, "rev": "1", "action": "delete", "vid": id(n), "base": null,
               "len": GREATEST, "hash": "0".repeat(64)})
    };
    let changes: Vec<_> = (0..(u64::MAX / GREATEST) as usize + 2).map(change).collect();
    // As many in an entry as there may be.
    let entries = changes.chunks(500);
    let count = entries.len();
    for (n, changes) in (1..).zip(entries) {
        let prev = (n > 1).then(|| id(n - 1));
        let entry = json!({"format": 1, "commit": id(n), "prev": prev, "client": "", "time": "",
                           "changes": changes});
        world.overwrite(&format!("changes/{n}.json"), entry.to_string());
    }
    let alice = world.device("alice");
    alice.edit("mine", "text");
    alice.sync();
    assert_eq!((world.commits(), alice.all().len()), (count as u64 + 1, 1));
}

#[test]
fn a_document_of_the_greatest_length_is_missing_and_the_others_sync() {
    for len in [GREATEST, u64::MAX] {
        let (world, alice, bob) = {
            let world = World::new();
            let (alice, bob) = world.alice_and_bob(&["a", "b"]);
            (world, alice, bob)
        };
        alice.edit("a", &"x".repeat(5000));
        alice.edit("b", "new");
        alice.sync();
        let healthy = world.object("changes/2.json").unwrap();
        let mut entry = world.json("changes/2.json");
        for change in entry["changes"].as_array_mut().unwrap() {
            if change["id"] == "a" {
                change["len"] = json!(len);
            }
        }
        world.overwrite("changes/2.json", entry.to_string());
        match bob.try_sync() {
            Ok(report) => assert_eq!(report.deferred.len(), 1),
            Err(error) => assert_eq!(error.kind(), ErrorKind::Corrupt),
        }
        assert_eq!(bob.read("a").as_deref(), Some("old"));
        world.overwrite("changes/2.json", healthy);
        alice.edit("a", "good again");
        alice.sync();
        bob.sync();
        assert_eq!(bob.all(), alice.all());
    }
}

/// Each reader, with arrays and objects nested in each place where something unknown may stand.
#[test]
fn deep_nesting_ends_no_stack() {
    let mut refused = 0;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = format!("{}1{}", open.repeat(200_000), close.repeat(200_000));
        let places = ["unknown", "changes", "parts", "documents", "snapshot", "commit", "owner"];
        let nested = places.iter().map(|name| format!("{{\"format\":1,\"{name}\":{deep}}}"));
        for bytes in nested.chain([deep.clone(), open.repeat(200_000)]) {
            for kind in Kind::ALL {
                // What is not asked for may be anything.
                let Err(error) = reread(kind, bytes.as_bytes()) else { continue };
                assert!([ErrorKind::Corrupt, ErrorKind::State].contains(&error.kind()), "{kind:?}");
                refused += 1;
            }
        }
    }
    assert!(refused > 60, "only {refused} were refused");
}
