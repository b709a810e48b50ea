//! Lists that lag behind (rule S1): nothing that is needed is deleted, and nothing that a list does not
//! show is taken for absent.

use db_to_cloud_tests::World;

use crate::counterexamples::{DAY, days, large};

#[test]
fn what_a_list_does_not_show_yet_is_neither_lost_nor_put_again() {
    let world = World::new();
    let alice = world.device("alice");
    alice.edit("old", &large("first"));
    alice.sync();
    alice.storage.let_lists_lag();
    alice.edit("old", &large("second"));
    alice.edit("new", &large("first"));
    alice.sync();
    alice.storage.journal.take();
    days(&world, 60, &[&alice]);
    world.assert_whole();
    let journal = alice.storage.journal.take();
    let count = |request: &str| journal.iter().filter(|line| *line == request).count();
    assert!(count("list docs") > 4, "garbage was collected: {journal:?}");
    assert!(count("get docs/…") > 4, "what a list lacks is looked for: {journal:?}");
    assert_eq!(count("put docs/…"), 0, "and it was there");
    let bob = world.device("bob");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn what_a_list_still_shows_is_not_taken_for_there() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", &large("text"));
    alice.sync();
    alice.storage.let_lists_lag();
    // The storage loses it, and its lists still show it.
    let documents = world.keys("docs");
    documents.iter().for_each(|key| world.remove(key));
    days(&world, 10, &[&alice]);
    assert_eq!(bob.sync().deferred.len(), 1, "it is reported, and not deleted anywhere");
    assert!(alice.read("note").is_some());
    alice.storage.let_lists_catch_up();
    days(&world, 10, &[&alice]);
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}

#[test]
fn a_snapshot_that_a_list_does_not_show_is_read_around() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    bob.storage.let_lists_lag();
    for i in 0..40 {
        alice.edit("note", &large(&format!("text {i}")));
        alice.edit(format!("doc-{i}"), "text");
        alice.sync();
        world.time.pass(DAY / 100);
    }
    alice.delete("doc-3");
    alice.sync();
    assert!(!world.snapshots().is_empty());
    world.remove("meta.json");
    bob.sync();
    assert_eq!(bob.all(), alice.all());
}
