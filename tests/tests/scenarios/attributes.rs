//! What an application says of a document beside its bytes travels with its versions (rule S5).

use bytes::Bytes;
use db_to_cloud::{
    Attributes, Conflict, Document, DocumentId, KeepBoth, LocalWins, RemoteWins, SyncOptions,
};
use db_to_cloud_tests::{Device, World};
use serde_json::json;

fn script() -> Attributes {
    Attributes::default().with("executable", true).with("number", json!({"of": [1, 2]}))
}

/// An edit of the bytes and the attributes.
fn edit(device: &Device, id: &str, text: &str, attributes: Attributes) {
    say(device, id, text, attributes);
    device.queue(&id.into());
}

/// The same, and the edit is not queued.
fn say(device: &Device, id: &str, text: &str, attributes: Attributes) {
    let document = Document::of_content(Bytes::from(text.to_owned())).with_attributes(attributes);
    device.documents.documents().insert(id.into(), document);
}

fn of(device: &Device, id: &str) -> Attributes {
    device.documents.documents()[&DocumentId::from(id)].attributes.clone()
}

#[test]
fn they_come_with_each_version_and_go_with_the_next() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let long = "x".repeat(9000);
    for text in ["short", &long] {
        edit(&alice, "run", text, script());
        alice.edit("note", text);
        alice.sync();
        bob.sync();
        assert_eq!(of(&bob, "run"), script());
        assert!(of(&bob, "note").is_empty());
    }
    assert_eq!(world.json("changes/1.json")["changes"][1]["attr"]["executable"], json!(true));
    assert!(world.json("changes/1.json")["changes"][0].get("attr").is_none());
    // A device that does not know them passes them on.
    bob.edit("run", "bob's");
    bob.sync();
    alice.sync();
    assert_eq!((alice.read("run").as_deref(), of(&alice, "run")), (Some("bob's"), script()));
    // One that knows them takes one away.
    edit(&bob, "run", "again", Attributes::default().with("executable", None::<bool>));
    bob.sync();
    alice.sync();
    let number = script().get("number").cloned();
    assert!(!of(&alice, "run").is("executable"));
    assert_eq!(of(&alice, "run").get("number"), number.as_ref());
}

#[test]
fn a_change_of_them_alone_is_no_edit_and_goes_with_the_next_one() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["run"]);
    let text = alice.read("run").unwrap();
    edit(&alice, "run", &text, script());
    assert_eq!(alice.sync().pushed, 0);
    bob.sync();
    assert!(of(&bob, "run").is_empty());
    edit(&alice, "run", "edited", script());
    alice.sync();
    bob.sync();
    assert_eq!(of(&bob, "run"), script());
}

#[test]
fn more_than_fits_is_neither_stored_nor_read() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    let long = Attributes::default().with("long", "x".repeat(Attributes::MOST));
    edit(&alice, "run", "text", long);
    assert_eq!(alice.sync().pushed, 1);
    let mut entry = world.json("changes/1.json");
    assert!(entry["changes"][0].get("attr").is_none());
    entry["changes"][0]["attr"] = json!({"long": "x".repeat(Attributes::MOST)});
    world.overwrite("changes/1.json", entry.to_string());
    assert_eq!(bob.sync().pulled, 1);
    assert!(of(&bob, "run").is_empty());
}

/// A snapshot of the log, and one of the index of a device that others depend on (rule D5).
#[test]
fn they_are_in_a_snapshot_and_in_the_index_of_a_device() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    edit(&alice, "run", "text", script());
    alice.sync();
    bob.sync();
    for number in 0..20 {
        alice.edit("busy", &number.to_string());
        alice.sync();
    }
    assert!(!world.snapshots().is_empty());
    let carol = world.device("carol");
    carol.sync();
    assert_eq!(of(&carol, "run"), script());

    let world = World::new();
    let alice = world.device("alice");
    edit(&alice, "run", "text", script());
    alice.sync();
    alice.edit("other", "text");
    alice.sync();
    world.overwrite("changes/1.json", "damaged");
    alice.try_repair(&alice.try_repair_plan().unwrap()).unwrap();
    let carol = world.device("carol");
    carol.sync();
    assert_eq!(of(&carol, "run"), script());
}

#[test]
fn in_a_conflict_each_side_keeps_its_own() {
    let private = || Attributes::default().with("private", true);
    let in_conflict = || {
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["run"]);
        edit(&alice, "run", "alice's", script());
        alice.sync();
        edit(&bob, "run", "bob's", private());
        (alice, bob)
    };
    let settle = |alice: &Device, bob: &Device| {
        bob.sync();
        bob.sync();
        alice.sync();
        assert_eq!(alice.all(), bob.all());
    };
    let (alice, bob) = in_conflict();
    let bob = bob.resolving_by(RemoteWins);
    settle(&alice, &bob);
    assert_eq!(of(&bob, "run"), script());

    let (alice, bob) = in_conflict();
    let bob = bob.resolving_by(LocalWins);
    settle(&alice, &bob);
    // It is an edit of the other one.
    assert_eq!(of(&alice, "run"), script().with("private", true));

    let (alice, bob) = in_conflict();
    let bob = bob.resolving_by(KeepBoth::new(|_: &Conflict| "copy".into()));
    settle(&alice, &bob);
    assert_eq!((of(&alice, "run"), of(&alice, "copy")), (script(), private()));
}

/// Rules D1 and D4: what is compared anew or put back.
#[test]
fn a_storage_that_is_put_back_has_them() {
    let world = World::new();
    let alice = world.device("alice");
    edit(&alice, "run", "text", script());
    alice.sync();
    world.restore(&[]);
    alice.try_sync().unwrap_err();
    alice.try_sync_with(SyncOptions { go_on: true, ..SyncOptions::default() }).unwrap();
    let bob = world.device("bob");
    bob.sync();
    assert_eq!(of(&bob, "run"), script());
}
