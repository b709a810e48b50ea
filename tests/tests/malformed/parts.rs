//! A document that a snapshot lacks counts as deleted (rules P2 and S7): damage to a snapshot must
//! never look like that.

use db_to_cloud_tests::{Device, World};
use serde_json::json;

/// Bob knows all documents and is so far behind that he will take the newest snapshot.
fn far_behind(documents: usize, length: usize) -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    for i in 0..documents {
        alice.edit(format!("doc-{i:04}"), &"x".repeat(length));
    }
    alice.sync();
    bob.sync();
    let alice = alice.set_up(|b| b.with_maintenance(false));
    for i in 0..24 {
        alice.edit("busy", &format!("text {i}"));
        alice.sync();
    }
    let alice = alice.set_up(|b| b);
    alice.edit("busy", "the last");
    alice.sync();
    assert_eq!(world.snapshots().len(), 1);
    (world, alice, bob)
}

/// The only part keeps its length.
fn rename_in_the_part(world: &World, document: &str, name: &str) {
    let part = world.keys("snapshot").into_iter().find(|k| k.split('.').count() == 4).unwrap();
    let text = String::from_utf8(world.object(&part).unwrap().to_vec()).unwrap();
    assert!(text.contains(document));
    world.overwrite(&part, text.replace(document, name));
}

#[test]
fn a_part_in_which_a_document_has_another_name_deletes_none() {
    let (world, alice, bob) = far_behind(3, 10);
    rename_in_the_part(&world, "sdoc-0001", "sdoc-9001");
    assert_eq!(bob.sync().deleted, 0);
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_part_with_a_key_that_is_no_id_is_damaged_and_the_log_is_read() {
    let (world, alice, _) = far_behind(3, 10);
    rename_in_the_part(&world, "sdoc-0001", "?doc-0001");
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!(fresh.all(), alice.all());
}

#[test]
fn a_head_that_says_that_a_part_begins_elsewhere_deletes_nothing() {
    // Two parts of 4 MiB.
    let (world, alice, bob) = far_behind(1800, 3000);
    let key = world.snapshots().remove(0);
    let head = world.json(&key);
    assert_eq!(head["parts"].as_array().unwrap().len(), 2);
    for from in ["sbusz", "sdoc-0003", "sdoc-1798", "sdoc-9"] {
        let world = world.fork();
        let bob = bob.clone_as(&world, "bob");
        let mut head = head.clone();
        head["parts"][1]["from"] = json!(from);
        world.overwrite(&key, head.to_string());
        assert_eq!(bob.sync().deleted, 0, "{from}");
        assert_eq!(bob.all(), alice.all(), "{from}");
    }
}
