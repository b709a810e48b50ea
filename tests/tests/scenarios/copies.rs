//! Devices that were cloned, rolled back, or moved to another storage and back: nothing is lost
//! (lesson 4).

use db_to_cloud_tests::{Judge, World, settle};

#[test]
fn moving_to_another_storage_and_back_ends_in_the_union() {
    let (home, away) = (World::new(), World::new());
    let (mut at_home, bob) =
        (home.device("alice").resolving_by(Judge::merging()), home.device("bob"));
    at_home.edit("note", "alice");
    at_home.edit("gone", "text");
    settle(&[&at_home, &bob]);
    // The same documents, another storage: another client state.
    let mut abroad = away.device("alice").resolving_by(Judge::merging());
    abroad.documents = at_home.documents.clone();
    abroad.restart();
    let carol = away.device("carol");
    carol.edit("carols", "text");
    carol.edit("note", "carol");
    carol.sync();
    abroad.sync();
    abroad.edit("abroad", "text");
    abroad.delete("gone");
    bob.edit("bobs", "text");
    bob.sync();
    settle(&[&abroad, &carol]);
    at_home.restart();
    settle(&[&at_home, &bob]);
    abroad.restart();
    settle(&[&abroad, &carol]);
    let ids = ["abroad", "bobs", "carols", "note"];
    for device in [&at_home, &abroad, &bob, &carol] {
        let found: Vec<_> = device.all().into_iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(found, ids, "{}", device.name);
        assert_eq!(device.read("note").as_deref(), Some("alice carol"));
    }
}

#[test]
fn a_clone_and_its_original_lose_nothing_of_each_other() {
    for synced in [false, true] {
        let world = World::new();
        let alice = world.device("alice").resolving_by(Judge::merging());
        alice.edit("note", "old");
        alice.sync();
        alice.edit("before", "text");
        if synced {
            alice.sync();
        }
        let clone = alice.clone_as(&world, "alice's clone");
        alice.edit("note", "old alice");
        clone.edit("note", "clone old");
        alice.edit("alices", "text");
        clone.edit("clones", "text");
        clone.sync();
        alice.sync();
        let carol = world.device("carol");
        settle(&[&alice, &clone, &carol]);
        assert_eq!(carol.read("note").as_deref(), Some("alice clone old"));
        assert_eq!(carol.all().len(), 4);
    }
}

#[test]
fn a_clone_made_while_a_commit_was_open_loses_nothing() {
    for step in 1.. {
        let world = World::new();
        let mut alice = world.device("alice").resolving_by(Judge::merging());
        alice.edit("note", "old");
        alice.sync();
        alice.edit("note", "old open");
        let stopped = alice.sync_stopping_at(step);
        let clone = alice.clone_as(&world, "alice's clone");
        clone.edit("note", "clone old open");
        clone.sync();
        alice.edit("note", "alice old open");
        settle(&[&alice, &clone]);
        assert_eq!(clone.read("note").as_deref(), Some("alice clone old open"), "step {step}");
        if !stopped {
            break;
        }
    }
}

#[test]
fn a_device_that_is_rolled_back_loses_nothing_that_was_synced() {
    for edit_after in [false, true] {
        let world = World::new();
        let (mut alice, bob) =
            (world.device("alice").resolving_by(Judge::merging()), world.device("bob"));
        alice.edit("note", "first");
        alice.edit("gone", "text");
        settle(&[&alice, &bob]);
        alice.edit("unsynced", "text");
        let backup = alice.backup();
        alice.edit("note", "first second");
        alice.edit("later", "text");
        alice.delete("gone");
        alice.sync();
        bob.edit("bobs", "text");
        settle(&[&bob, &alice]);
        alice.roll_back(&backup);
        if edit_after {
            alice.edit("note", "first third");
        }
        settle(&[&alice, &bob]);
        let end = if edit_after { "first second third" } else { "first second" };
        assert_eq!(bob.read("note").as_deref(), Some(end));
        let ids: Vec<_> = bob.all().into_iter().map(|(id, _)| id.to_string()).collect();
        assert_eq!(ids, ["bobs", "later", "note", "unsynced"]);
    }
}

#[test]
fn documents_or_state_rolled_back_alone_lose_nothing_of_the_others() {
    for documents_too in [false, true] {
        let world = World::new();
        let judge = Judge::merging();
        let (mut alice, bob) = (world.device("alice").resolving_by(judge), world.device("bob"));
        alice.edit("note", "first");
        settle(&[&alice, &bob]);
        let old = alice.backup();
        alice.edit("note", "first second");
        alice.sync();
        settle(&[&bob, &alice]);
        let new = alice.backup();
        // Either the state is older than the documents, or the documents are older than the state.
        let mixed = if documents_too { (old.0, new.1) } else { (new.0, old.1) };
        alice.roll_back(&mixed);
        settle(&[&alice, &bob]);
        let note = bob.read("note");
        // Documents older than the state look like an edit that took something back.
        let expected = if documents_too { "first" } else { "first second" };
        assert_eq!(note.as_deref(), Some(expected));
    }
}
