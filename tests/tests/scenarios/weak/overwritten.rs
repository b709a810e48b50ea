//! What a late write destroys (rule W4).

use db_to_cloud::{DeferReason, Divergence, Document, LocalWins, Resolution, SyncOptions};
use db_to_cloud_tests::Judge;

use super::*;
use crate::counterexamples::storage::deliver_late_puts;

#[test]
fn a_replaced_commit_is_not_lost_where_the_storage_wins_conflicts() {
    let (world, alice, bob) = two_devices();
    let alice = alice.resolving_by(RemoteWins);
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's");
    alice.edit("new", "alice's");
    alice.sync();
    deliver_late_puts(&bob);
    alice.sync();
    assert_eq!(alice.read("a").as_deref(), Some("alice's"));
    assert_eq!(alice.read("new").as_deref(), Some("alice's"));
    assert_all_equal(&world, &[&alice, &bob]);
}

#[test]
fn a_replaced_commit_conflicts_with_the_write_that_replaced_it_where_both_changed_a_document() {
    let (world, alice, bob) = two_devices();
    bob.edit("both", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("both", "alice's");
    alice.edit("a", "alice's");
    alice.sync();
    deliver_late_puts(&bob);
    let report = alice.sync();
    assert_eq!((report.conflicts, report.pushed), (1, 1));
    assert_eq!(alice.read("both").as_deref(), Some("alice's"), "put off, not overwritten");
    let alice = alice.resolving_by(LocalWins);
    assert_all_equal(&world, &[&alice, &bob]);
    assert_eq!(bob.read("both").as_deref(), Some("alice's"));
}

#[test]
fn an_edit_made_after_the_replaced_commit_is_not_lost() {
    let (world, alice, bob) = two_devices();
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's first");
    alice.sync();
    deliver_late_puts(&bob);
    alice.edit("a", "alice's second");
    assert_eq!(alice.sync().conflicts, 0);
    assert_all_equal(&world, &[&alice, &bob]);
    assert_eq!(bob.read("a").as_deref(), Some("alice's second"));
}

const ACCEPT: SyncOptions = db_to_cloud_tests::options::ACCEPT_REMOTE;

/// What Bob synced with the first storage is no version of the second one, to which a third one looks
/// like a late write.
#[test]
fn a_replaced_commit_of_a_storage_that_was_started_over_takes_no_edit_back() {
    let world = World::weak();
    let emptied = world.backup();
    let (alice, bob) = world.alice_and_bob(&["both"]);
    let (alice, bob) = (alice.resolving_by(LocalWins), bob.resolving_by(LocalWins));
    bob.edit("both", "bob's");
    bob.sync();

    world.restore(&emptied);
    assert_eq!(alice.try_sync_with(ACCEPT).unwrap().pushed, 1);
    bob.storage.fail("put", LOCK, Fault::Refused(ErrorKind::Unauthorized));
    assert!(bob.try_sync_with(ACCEPT).is_err());

    world.restore(&emptied);
    let carol = world.device("carol");
    carol.edit("both", "carol's");
    carol.sync();
    let judge = Judge::always(Resolution::Defer);
    let bob = bob.resolving_by(judge.clone());
    assert_eq!(bob.try_sync_with(ACCEPT).unwrap().conflicts, 1);
    assert_eq!(judge.asked()[0].local, Some(Document::of_content("bob's")));
    assert_eq!(bob.read("both").as_deref(), Some("bob's"));
    assert_all_equal(&world, &[&bob.resolving_by(LocalWins), &carol]);
}

/// The bytes of the replaced commit never came; nobody must wait for them.
#[test]
fn what_is_pending_of_a_replaced_commit_is_waited_for_no_longer() {
    let world = World::weak();
    let emptied = world.backup();
    let (alice, bob) = (world.device("alice"), world.device("bob").resolving_by(LocalWins));
    alice.edit("note", &"long ".repeat(2000));
    alice.sync();
    bob.edit("note", "bob's");
    world.cloud.objects().retain(|key, _| !key.as_str().starts_with("docs/"));
    assert_eq!(bob.sync().deferred[0].reason, DeferReason::Missing);

    world.restore(&emptied);
    let carol = world.device("carol");
    carol.edit("other", "carol's");
    carol.sync();
    assert_eq!(bob.try_sync_with(ACCEPT).unwrap().deferred, []);
    assert_all_equal(&world, &[&bob, &carol]);
    assert_eq!(carol.read("note").as_deref(), Some("bob's"));
}

#[test]
fn a_reader_of_the_replaced_commit_ends_up_the_same() {
    let (world, alice, bob) = two_devices();
    let dave = world.device("dave");
    dave.sync();
    bob.edit("b", "bob's");
    sync_with_a_late_put(&bob);
    alice.edit("a", "alice's");
    alice.edit("new", "alice's");
    alice.sync();
    dave.sync();
    deliver_late_puts(&bob);
    dave.sync();
    assert_eq!(dave.read("a").as_deref(), Some("alice's"), "nothing is undone unasked");
    assert_eq!(dave.read("new").as_deref(), Some("alice's"));
    alice.sync();
    assert_all_equal(&world, &[&alice, &bob, &dave]);
    assert_eq!(dave.read("a").as_deref(), Some("alice's"));
}

#[test]
fn two_writers_that_both_believe_in_the_lock_lose_nothing() {
    let (world, alice, bob) = two_devices();
    let bob = Arc::new(bob);
    alice.edit("a", "alice's");
    bob.edit("b", "bob's");
    // Alice stands still between her last look and her write: no lock helps against that.
    let rival = bob.clone();
    alice.storage.before("put", "changes/", move || drop(rival.sync()));
    alice.sync();
    assert_eq!(world.entry(2).client, "alice", "Bob's commit is overwritten");
    assert_all_equal(&world, &[&bob, &alice]);
    assert_eq!(alice.read("b").as_deref(), Some("bob's"));
}

/// What rule W4 cannot see, because only the slot of the last commit is looked at: a write that
/// arrives so late that other commits stand on the one it replaces. Devices that were there agree
/// and keep all documents; a new device stops before the next commit, and by consent it reads on (rule D8).
#[test]
fn d8_a_very_late_write_under_other_commits_stops_new_devices_until_one_of_them_consents() {
    let world = World::weak();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("a", "alice's");
    sync_with_a_late_put(&alice);
    bob.edit("b", "bob's");
    bob.sync();
    alice.sync();
    assert_eq!(world.commits(), 2);
    bob.sync();
    deliver_late_puts(&alice);
    assert_eq!(world.entry(1).client, "alice", "Bob's commit is gone from the log");
    for device in [&alice, &bob] {
        device.sync();
        assert_eq!(device.read("a").as_deref(), Some("alice's"));
        assert_eq!(device.read("b").as_deref(), Some("bob's"));
    }
    let carol = world.device("carol");
    let error = carol.try_sync().unwrap_err();
    assert_eq!(error.divergence(), Some(Divergence::Mixed));
    carol.try_sync_with(db_to_cloud_tests::options::GO_ON).unwrap();
    assert_eq!(carol.read("a").as_deref(), Some("alice's"));
    // Whoever was there has what is lost, and is asked in turn.
    for device in [&alice, &bob] {
        let error = device.try_sync().unwrap_err();
        assert_eq!(error.divergence(), Some(Divergence::Mixed), "{}", device.name);
        device.try_sync_with(db_to_cloud_tests::options::GO_ON).unwrap();
    }
    assert_all_equal(&world, &[&alice, &bob, &carol]);
    assert_eq!(carol.read("b").as_deref(), Some("bob's"));
}
