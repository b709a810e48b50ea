//! Documents that are included again (rule C9).

use db_to_cloud::{DocumentId, RemoteWins};
use db_to_cloud_tests::{Device, Judge, World, settle};

use super::{bob_excludes, large};

/// Bob includes all documents.
fn include(bob: &Device) -> db_to_cloud::Report {
    bob.chosen.everything();
    bob.sync()
}

#[test]
fn c9_a_document_that_was_excluded_all_along_arrives_with_the_next_sync() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "text");
    alice.edit("x1", &large("large"));
    alice.sync();
    (0..20).for_each(|i| {
        alice.edit("note", &format!("text {i}"));
        alice.sync();
    });
    bob.chosen.exclude(&["x"]);
    bob.sync();
    let report = include(&bob);
    assert_eq!((report.pulled, report.excluded), (1, 0));
    assert_eq!(bob.read("x1"), Some(large("large")));
    assert_eq!(report.requests.total(), 3, "two reads of an idle sync, and the document");
    settle(&[&alice, &bob]);
}

#[test]
fn c9_what_is_not_here_any_more_comes_again_and_is_no_delete() {
    for (is_queued, is_changed) in [(false, false), (false, true), (true, false), (true, true)] {
        let (_world, alice, bob) = bob_excludes();
        match is_queued {
            true => bob.delete("x1"),
            false => bob.delete_unqueued("x1"),
        }
        if is_changed {
            alice.edit("x1", "alice's");
            alice.sync();
            bob.sync();
        }
        let report = include(&bob);
        assert_eq!((report.pulled, report.pushed, report.conflicts), (1, 0, 0));
        settle(&[&alice, &bob]);
        assert_eq!(bob.read("x1").as_deref(), Some(if is_changed { "alice's" } else { "old" }));
    }
}

#[test]
fn c9_many_that_are_not_here_are_no_loss_that_stops_the_sync() {
    let world = World::new();
    let ids: Vec<_> = (0..40).map(|i| format!("x{i}")).collect();
    let (alice, bob) = world.alice_and_bob(&ids.iter().map(String::as_str).collect::<Vec<_>>());
    bob.chosen.exclude(&["x"]);
    bob.sync();
    ids.iter().for_each(|id| bob.delete_unqueued(id.as_str()));
    assert_eq!(include(&bob).pulled, 40);
    settle(&[&alice, &bob]);
}

#[test]
fn c9_what_is_equal_is_synced_without_a_transfer() {
    let (_world, alice, bob) = bob_excludes();
    let report = include(&bob);
    assert_eq!((report.pulled, report.pushed, report.requests.total()), (0, 0, 2));
    // The same, with a new version that is here already.
    bob.chosen.exclude(&["x"]);
    bob.sync();
    alice.edit("x1", &large("text"));
    alice.sync();
    bob.edit("x1", &large("text"));
    bob.sync();
    let report = include(&bob);
    assert_eq!((report.pulled, report.pushed, report.requests.total()), (0, 0, 2));
    settle(&[&alice, &bob]);
}

#[test]
fn c9_an_edit_made_meanwhile_is_an_edit_of_the_version_it_was_made_on() {
    for is_queued in [false, true] {
        let (_world, alice, bob) = bob_excludes();
        let judge = Judge::merging();
        let bob = bob.resolving_by(judge.clone());
        match is_queued {
            true => bob.edit("x1", "bob's"),
            false => bob.edit_unqueued("x1", "bob's"),
        }
        bob.sync();
        let report = include(&bob);
        assert_eq!((report.pushed, report.conflicts, judge.count()), (1, 0, 0));
        settle(&[&alice, &bob]);
        assert_eq!(alice.read("x1").as_deref(), Some("bob's"));
    }
}

#[test]
fn c9_what_changed_elsewhere_replaces_what_was_not_edited_here() {
    let (_world, alice, bob) = bob_excludes();
    for text in ["alice's", "alice's, once more"] {
        alice.edit("x1", text);
        alice.sync();
        bob.sync();
    }
    let report = include(&bob);
    assert_eq!((report.pulled, report.conflicts), (1, 0));
    assert_eq!(bob.read("x1").as_deref(), Some("alice's, once more"));
}

#[test]
fn c9_what_changed_on_both_sides_is_a_conflict() {
    let (_world, alice, bob) = bob_excludes();
    let bob = bob.resolving_by(Judge::merging());
    alice.edit("x1", "old alice");
    alice.sync();
    bob.edit("x1", "old bob");
    bob.sync();
    let report = include(&bob);
    assert_eq!(report.conflicts, 1);
    settle(&[&alice, &bob]);
    assert_eq!(bob.read("x1").as_deref(), Some("alice bob old"));
}

#[test]
fn c9_two_documents_of_one_name_are_a_conflict() {
    let (_world, alice, bob) = bob_excludes();
    let bob = bob.resolving_by(Judge::merging());
    alice.edit("x2", "alice");
    alice.sync();
    bob.edit("x2", "bob");
    bob.sync();
    assert_eq!(include(&bob).conflicts, 1);
    settle(&[&alice, &bob]);
    assert_eq!(bob.read("x2").as_deref(), Some("alice bob"));
}

#[test]
fn c9_an_edit_that_was_declared_on_another_version_stays_a_conflict() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["x1"]);
    let opened = bob.revision("x1").unwrap();
    alice.edit("x1", "old alice");
    alice.sync();
    bob.sync();
    let bob = bob.resolving_by(Judge::merging());
    bob.edit_of("x1", "old bob", &opened);
    bob.chosen.exclude(&["x"]);
    bob.sync();
    assert_eq!(include(&bob).conflicts, 1);
    settle(&[&alice, &bob]);
    assert_eq!(bob.read("x1").as_deref(), Some("alice bob old"));
}

#[test]
fn c9_what_was_deleted_elsewhere_does_not_come_back_unless_it_was_edited() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["x1", "x2", "x3"]);
    bob.chosen.exclude(&["x"]);
    bob.sync();
    ["x1", "x2", "x3"].iter().for_each(|id| alice.delete(*id));
    alice.sync();
    bob.sync();
    bob.edit_unqueued("x2", "bob's");
    bob.delete_unqueued("x3");
    let judge = Judge::merging();
    let bob = bob.resolving_by(judge.clone());
    let report = include(&bob);
    assert_eq!((report.deleted, report.conflicts), (1, 1));
    settle(&[&alice, &bob]);
    assert_eq!(alice.all(), [("x2".into(), "bob's".to_owned())]);
}

#[test]
fn c9_a_new_document_is_pushed() {
    let (_world, alice, bob) = bob_excludes();
    bob.edit("x2", "new");
    bob.edit_unqueued("x3", "new");
    bob.sync();
    assert_eq!(include(&bob).pushed, 2);
    settle(&[&alice, &bob]);
}

#[test]
fn c9_a_document_of_which_only_the_delete_is_known_is_pushed_as_new() {
    let (_world, alice, bob) = bob_excludes();
    bob.delete_unqueued("x1");
    alice.delete("x1");
    alice.sync();
    bob.sync();
    bob.edit("x1", "new");
    bob.sync();
    assert_eq!(include(&bob).pushed, 1);
    settle(&[&alice, &bob]);
    assert_eq!(alice.read("x1").as_deref(), Some("new"));
}

#[test]
fn c9_selections_follow_each_other_as_they_like() {
    let (_world, alice, bob) = bob_excludes();
    let bob = bob.resolving_by(RemoteWins);
    alice.edit("y1", "new");
    alice.sync();
    for beginnings in [&["y"][..], &["x", "y"], &[], &["n"], &["y"]] {
        bob.chosen.exclude(beginnings);
        let report = bob.sync();
        let excluded = alice.all().iter().filter(|(id, _)| bob.chosen.excludes(id)).count();
        assert_eq!(report.excluded, excluded as u64, "{beginnings:?}");
        let has = |id: &DocumentId| bob.read(id.clone()).is_some();
        assert!(alice.all().iter().all(|(id, _)| has(id) || bob.chosen.excludes(id)));
    }
    bob.chosen.everything();
    settle(&[&alice, &bob]);
}
