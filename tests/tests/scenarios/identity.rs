//! Which storage it is (rules C6, C7, S11 and P3): each sync looks before it does anything, and names
//! what it found.

use db_to_cloud::format::About;
use db_to_cloud::{Divergence, ErrorKind, Key, SyncOptions};
use db_to_cloud_tests::{Device, World};

const GO_ON: SyncOptions = db_to_cloud_tests::options::GO_ON;

#[track_caller]
fn divergence(device: &Device) -> Divergence {
    let error = device.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Diverged);
    error.divergence().unwrap()
}

/// Rule P3: an idle sync notices too, and says what happened.
#[test]
fn p3_what_became_of_the_storage_is_named_at_the_next_sync() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "b"]);
    let backup = world.backup();
    alice.edit("a", "newer");
    alice.sync();
    let newest = world.backup();
    world.restore(&backup);
    assert_eq!(divergence(&alice), Divergence::RolledBack { since: 1 });
    bob.edit("b", "bob's");
    bob.sync();
    assert_eq!(divergence(&alice), Divergence::Forked { since: 1 });
    world.cloud.objects().clear();
    assert_eq!(divergence(&alice), Divergence::Emptied);
    world.overwrite("docs/left.00000000000000000000000000000001", "left");
    assert_eq!(divergence(&alice), Divergence::LogLost);
    world.cloud.objects().clear();
    let dave = world.device("dave");
    dave.edit("d", "dave's");
    dave.sync();
    assert_eq!(divergence(&alice), Divergence::Exchanged);
    world.restore(&newest);
    alice.sync();
}

/// Rule C6: of one commit, too, and without atomic create.
#[test]
fn c6_another_first_entry_is_another_storage_on_weak_storage_too() {
    let world = World::weak();
    let emptied = world.backup();
    let alice = world.device("alice");
    alice.edit("mine", "alice's");
    alice.sync();
    world.restore(&emptied);
    let dave = world.device("dave");
    dave.edit("theirs", "dave's");
    dave.sync();
    assert_eq!(divergence(&alice), Divergence::Exchanged);
    assert_eq!(alice.try_sync_with(GO_ON).unwrap_err().kind(), ErrorKind::Diverged);
    assert_eq!(alice.read("theirs"), None);
}

/// Rule D4.
#[test]
fn d4_a_storage_is_put_back_and_the_others_go_on_without_a_conflict() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "b", "gone"]);
    alice.delete("gone");
    alice.sync();
    bob.sync();
    bob.edit("b", "bob's, not synced");
    world.cloud.objects().clear();
    let report = alice.try_sync_with(GO_ON).unwrap();
    assert_eq!((report.pushed, report.conflicts, report.is_new_storage), (2, 0, true));
    assert_eq!(divergence(&bob), Divergence::Continued);
    let report = bob.try_sync_with(GO_ON).unwrap();
    assert_eq!((report.pushed, report.conflicts, report.pulled), (1, 0, 0));
    let fresh = world.device("fresh");
    fresh.sync();
    assert_eq!((fresh.all(), fresh.read("gone")), (bob.all(), None));
}

#[test]
fn d3_a_storage_that_went_back_gets_what_it_lost_without_a_conflict() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a", "b", "c"]);
    let backup = world.backup();
    alice.edit("a", "newer");
    alice.delete("c");
    alice.edit("new", "made since");
    alice.sync();
    world.restore(&backup);
    bob.edit("b", "bob's");
    bob.sync();
    let report = alice.try_sync_with(GO_ON).unwrap();
    assert_eq!((report.pulled, report.pushed, report.conflicts), (1, 3, 0));
    bob.sync();
    assert_eq!(alice.all(), bob.all());
    assert_eq!((bob.read("c"), bob.read("a").as_deref()), (None, Some("newer")));
}

/// Rule S11: the JavaScript db-to-cloud writes such objects.
#[test]
fn s11_objects_of_another_program_are_refused_and_stay_as_they_are() {
    let foreign = [
        ("meta.json", r#"{"version":3}"#),
        ("changes/0.json", r#"[{"_id":1}]"#),
        ("docs/1.json", r#"{"doc":{},"_rev":1}"#),
    ];
    for (key, text) in foreign {
        let world = World::new();
        world.overwrite(key, text);
        let before = world.backup();
        let alice = world.device("alice");
        alice.edit("a", "alice's");
        for options in [SyncOptions::default(), GO_ON] {
            let error = alice.try_sync_with(options).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Foreign, "{key}");
            assert!(error.to_string().contains(key), "{error}");
        }
        assert_eq!(world.backup(), before, "{key}");
    }
}

#[test]
fn s11_a_cut_first_push_is_no_other_program() {
    let world = World::new();
    world.overwrite("docs/a.00000000000000000000000000000001", "left");
    world.overwrite("meta.json", r#"{"format":1,"snapshot":null}"#);
    let alice = world.device("alice");
    alice.edit("a", "alice's");
    assert_eq!(alice.sync().pushed, 1);
}

#[test]
fn c6_a_storage_for_other_documents_is_refused() {
    let world = World::new();
    let alice = world
        .device("alice")
        .set_up(|b| b.with_about(About { kind: Some("files".into()), ..About::default() }));
    alice.edit("a", "alice's");
    alice.sync();
    let before = world.backup();
    let bob = world
        .device("bob")
        .set_up(|b| b.with_about(About { kind: Some("rows".into()), ..About::default() }));
    bob.edit("b", "bob's");
    let error = bob.try_sync().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Foreign);
    assert!(error.to_string().contains("files"), "{error}");
    assert_eq!(world.backup(), before);
    // One that says nothing is not refused.
    world.device("carol").sync();
    assert!(world.cloud.objects().contains_key(&Key::change(1)));
}

/// Rule C7.
#[test]
fn c7_documents_that_have_nothing_in_common_are_joined_by_consent() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    (0..30).for_each(|i| alice.edit(format!("photo-{i}"), "picture"));
    (0..30).for_each(|i| bob.edit(format!("note-{i}"), "text"));
    alice.sync();
    let (before, own) = (world.backup(), bob.all());
    for options in [SyncOptions::default(), GO_ON] {
        let error = bob.try_sync_with(options).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unrelated);
        let text = error.to_string();
        assert!(text.contains("30 documents") && text.contains("photo-"), "{text}");
        assert!(world.backup() == before, "something was written into the storage");
        assert_eq!(bob.all(), own);
    }
    let report = bob.try_sync_with(SyncOptions { join: true, ..GO_ON }).unwrap();
    assert_eq!((report.pulled, report.pushed), (30, 30));
}

#[test]
fn c7_a_device_that_has_a_part_of_the_documents_is_not_asked() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    (0..30).for_each(|i| alice.edit(format!("note-{i}"), "text"));
    alice.sync();
    (15..45).for_each(|i| bob.edit(format!("note-{i}"), "text"));
    let report = bob.sync();
    assert_eq!((report.pulled, report.pushed, report.conflicts), (15, 15, 0));
}

#[test]
fn c7_two_devices_that_begin_one_storage_at_once_are_not_asked() {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    (0..30).for_each(|i| alice.edit(format!("photo-{i}"), "picture"));
    (0..30).for_each(|i| bob.edit(format!("note-{i}"), "text"));
    alice.storage.before("create", "changes/", move || assert_eq!(bob.sync().pushed, 30));
    let report = alice.sync();
    assert_eq!((report.pulled, report.pushed, report.conflicts), (30, 30, 0));
    assert_eq!(world.device("carol").sync().pulled, 60);
}

/// Its successor names the commit that was there.
#[test]
fn p3_a_damaged_anchor_of_another_branch_is_a_fork() {
    let world = World::new();
    let (alice, bob) = world.alice_and_bob(&["a"]);
    let copy = world.backup();
    alice.edit("a", "alice's");
    alice.sync();
    world.restore(&copy);
    for text in ["bob's", "bob's again"] {
        bob.edit("a", text);
        bob.sync();
    }
    world.overwrite("changes/2.json", "damaged");
    assert!(matches!(divergence(&alice), Divergence::Forked { .. }));
    assert_eq!(alice.read("a").as_deref(), Some("alice's"));
}

/// Rule C6: the second address finds the state of the first, whatever was edited and deleted in between.
#[test]
fn c6_a_storage_under_a_second_address_is_the_same_storage() {
    let world = World::new();
    let (mut alice, bob) = world.alice_and_bob(&["a", "b", "c"]);
    bob.delete("a");
    bob.edit("b", "bob's");
    bob.sync();
    alice.edit("c", "alice's");
    alice.sync_with(&world, "another");
    let report = alice.sync();
    assert_eq!((report.pulled, report.deleted, report.pushed, report.conflicts), (1, 1, 1, 0));
    assert_eq!((alice.read("a"), alice.read("b").as_deref()), (None, Some("bob's")));
    for (i, address) in ["", "another", "a third", ""].into_iter().enumerate() {
        bob.edit("b", &format!("bob's, number {i}"));
        bob.sync();
        alice.sync_with(&world, address);
        alice.edit("c", &format!("alice's, number {i}"));
        let report = alice.sync();
        assert_eq!((report.pulled, report.pushed, report.conflicts), (1, 1, 0), "{address:?}");
        bob.sync();
        assert_eq!(alice.all(), bob.all());
    }
    assert_eq!(alice.sync().requests.total(), 2);
}

/// Rule C6: what a killed sync left is found under the other address too.
#[test]
fn c6_a_device_that_is_stopped_while_it_turns_goes_on() {
    for step in 1.. {
        let world = World::new();
        let (mut alice, bob) = world.alice_and_bob(&["a", "b"]);
        alice.edit("a", "alice's");
        bob.edit("b", "bob's");
        bob.sync();
        alice.sync_with(&world, "another");
        let stopped = alice.sync_stopping_at(step);
        alice.sync();
        bob.sync();
        assert_eq!(alice.all(), bob.all(), "stopped at step {step}");
        assert_eq!(bob.all().len(), 2, "stopped at step {step}: a copy was made");
        if !stopped {
            return;
        }
    }
}

/// Rules C6 and D3: a copied storage of which both go on.
#[test]
fn c6_two_copies_that_both_went_on_are_a_fork_and_each_address_gets_a_state() {
    let world = World::new();
    let (mut alice, bob) = world.alice_and_bob(&["a", "b"]);
    let copy = world.fork();
    alice.edit("a", "alice's, here");
    alice.sync();
    let carol = copy.device("carol");
    carol.sync();
    carol.edit("b", "carol's, in the copy");
    carol.sync();
    alice.sync_with(&copy, "copy");
    let what = divergence(&alice);
    assert!(matches!(what, Divergence::Forked { .. }), "{what:?}");
    let report = alice.try_sync_with(GO_ON).unwrap();
    assert_eq!((report.pulled, report.pushed, report.conflicts), (1, 1, 0));
    carol.sync();
    assert_eq!(carol.all(), alice.all());
    alice.sync_with(&world, "");
    assert_eq!((alice.sync().pushed, alice.sync().requests.total()), (1, 2));
    bob.sync();
    assert_eq!(bob.all(), alice.all());
    alice.sync_with(&copy, "copy");
    assert_eq!(alice.sync().requests.total(), 2);
}

/// Rule C6: another drive at the same path, and the first one again.
#[test]
fn c6_storages_that_take_turns_at_one_address_each_find_their_state() {
    let (home, work) = (World::new(), World::new());
    let (mut alice, bob) = home.alice_and_bob(&["a", "b"]);
    let carol = work.device("carol");
    carol.edit("c", "carol's");
    carol.sync();
    alice.sync_with(&work, "");
    assert_eq!(divergence(&alice), Divergence::Exchanged);
    let accept = SyncOptions { accept_remote: true, go_on: false, ..GO_ON };
    let report = alice.try_sync_with(accept).unwrap();
    assert_eq!((report.pulled, report.pushed, report.conflicts), (1, 2, 0));
    bob.delete("a");
    bob.sync();
    alice.edit("b", "alice's");
    alice.sync_with(&home, "");
    let report = alice.sync();
    assert_eq!((report.deleted, report.pushed, report.conflicts), (1, 2, 0));
    bob.sync();
    assert_eq!(alice.all(), bob.all());
    alice.sync_with(&work, "");
    let report = alice.sync();
    assert_eq!((report.pulled, report.conflicts), (0, 0));
    carol.sync();
    assert_eq!(carol.all(), alice.all());
}
