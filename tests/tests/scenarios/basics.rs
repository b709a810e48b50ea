//! Two devices, edits, deletes: the main job.

use db_to_cloud_tests::World;

#[test]
fn an_edit_reaches_the_other_device() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "hello");
    assert_eq!(alice.sync().pushed, 1);
    assert_eq!(bob.sync().pulled, 1);
    assert_eq!(bob.read("note").as_deref(), Some("hello"));
}

#[test]
fn a_delete_reaches_the_other_device() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "hello");
    alice.sync();
    bob.sync();
    bob.delete("note");
    assert_eq!(bob.sync().pushed, 1);
    assert_eq!(alice.sync().deleted, 1);
    assert_eq!(alice.read("note"), None);
}

#[test]
fn a_number_and_its_digits_are_two_documents() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit(1, "number");
    alice.edit("1", "text");
    alice.sync();
    bob.sync();
    assert_eq!(bob.read(1).as_deref(), Some("number"));
    assert_eq!(bob.read("1").as_deref(), Some("text"));
}
