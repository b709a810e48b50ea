//! Storage that may ignore conditions is raced (rule S3).

use super::*;

#[test]
fn a_client_that_requires_a_strong_storage_refuses_a_weak_one() {
    let world = World::weak();
    let alice = world.device("alice").set_up(|builder| builder.require_strong());
    alice.edit("note", "hello");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::WeakStorage);
    assert_eq!(alice.storage.journal.take(), [""; 0]);
}

fn probing(world: &World) -> Device {
    let device = world.device("alice");
    device.storage.set_capabilities(|capabilities| capabilities.create = Atomicity::Probe);
    device
}

fn count(journal: &[String], request: &str) -> usize {
    journal.iter().filter(|line| line.starts_with(request)).count()
}

#[test]
fn a_storage_that_may_ignore_conditions_is_raced_once_and_the_answer_is_remembered() {
    let world = World::new();
    let mut alice = probing(&world);
    alice.edit("note", "hello");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!(count(&journal, "create probe/"), 3 * (8 + 1), "8 creators and a late one");
    assert_eq!(count(&journal, "delete probe/"), 3);
    assert_eq!(world.keys("probe"), [""; 0]);
    assert_eq!(count(&journal, "create changes/1.json"), 1);
    alice.restart();
    alice.edit("note", "hello again");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!(count(&journal, "create probe/"), 0);
}

/// The answer is kept as that of a race, and asked for again only where it was an error.
#[test]
fn an_adapter_that_finds_out_by_itself_is_not_raced() {
    for atomic in [true, false] {
        let world = World::new();
        let mut alice = probing(&world);
        alice.storage.let_it_measure([Err(ErrorKind::Unavailable), Ok(atomic)]);
        for text in ["hello", "hello again"] {
            alice.edit("note", text);
            alice.sync();
            let journal = alice.storage.journal.take();
            assert_eq!(count(&journal, "create probe/"), 0);
            assert_eq!(count(&journal, "create changes/"), usize::from(atomic));
            assert_eq!(count(&journal, "put lock.json") > 0, !atomic);
            alice.restart();
        }
    }
}

#[test]
fn what_an_adapter_could_not_find_out_is_not_remembered() {
    let world = World::new();
    let alice = probing(&world);
    alice.edit("note", "hello");
    alice.storage.let_it_measure([Err(ErrorKind::Forbidden)]);
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Forbidden);
    assert_eq!(world.commits(), 0);
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "create probe/"), 3 * (8 + 1));
}

/// Who comes late and is refused for now comes again: nothing is known before it has lost.
#[test]
fn who_comes_late_to_a_race_comes_until_it_is_heard() {
    for fault in [Fault::Throttled(Duration::from_secs(1)), Fault::Lost, Fault::AnswerLost] {
        let world = World::new();
        let alice = probing(&world).set_up(|builder| builder.require_strong());
        alice.edit("note", "hello");
        alice.storage.fail_later(8, "create", "probe/", fault);
        alice.sync();
        let journal = alice.storage.journal.take();
        assert_eq!(count(&journal, "create probe/"), 3 * (8 + 1) + 1, "{fault:?}");

        let world = World::new();
        let alice = probing(&world).set_up(|builder| builder.require_strong());
        alice.edit("note", "hello");
        alice.storage.ignore_conditions();
        alice.storage.fail_later(8, "create", "probe/", fault);
        assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::WeakStorage, "{fault:?}");
    }
}

#[test]
fn documents_are_uploaded_beside_the_race_and_named_by_no_commit_before_its_end() {
    let world = World::new();
    let alice = probing(&world);
    alice.edit("note", "hello");
    (0..8).for_each(|_| alice.storage.fail("create", "probe/", Fault::Lost));
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Unavailable);
    assert_eq!((world.keys("docs").len(), world.commits()), (1, 0));
    alice.sync();
    assert_eq!(world.commits(), 1);
}

#[test]
fn nothing_is_uploaded_to_a_storage_that_is_then_refused() {
    let world = World::new();
    let alice = probing(&world).set_up(|builder| builder.require_strong());
    alice.storage.ignore_conditions();
    alice.edit("note", "hello");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::WeakStorage);
    assert_eq!(world.keys("docs"), [""; 0]);
}

#[test]
fn a_client_that_only_reads_does_not_race() {
    let world = World::new();
    let bob = world.device("bob");
    bob.edit("note", "hello");
    bob.sync();
    let alice = probing(&world);
    let requests = alice.sync().requests;
    assert_eq!((requests.get, requests.total()), (3, 3), "hint, entry, absent slot");
    assert_eq!(alice.sync().requests.total(), 2);
    alice.edit("note", "edited");
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "create probe/"), 3 * (8 + 1));
}

#[test]
fn a_storage_that_ignores_conditions_is_found_weak_and_used_under_the_lock() {
    let world = World::new();
    let mut alice = probing(&world);
    alice.storage.ignore_conditions();
    alice.edit("note", "hello");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!(count(&journal, "put changes/1.json"), 1);
    assert_eq!(count(&journal, "put lock.json"), 1);
    assert_eq!(count(&journal, "put docs/"), 1, "what was uploaded beside the race is not again");
    assert_eq!(world.keys("probe"), [""; 0]);
    alice.restart();
    alice.edit("note", "hello again");
    alice.sync();
    let journal = alice.storage.journal.take();
    assert_eq!((count(&journal, "create"), count(&journal, "put changes/2.json")), (0, 1));
    let strict = alice.set_up(|builder| builder.require_strong());
    assert_eq!(strict.try_sync().unwrap_err().kind(), ErrorKind::WeakStorage);
}

#[test]
fn a_race_that_could_not_be_run_is_run_again() {
    let world = World::new();
    let alice = probing(&world);
    alice.edit("note", "hello");
    let not_run = || {
        let result = alice.try_sync();
        assert_eq!(result.map_err(|e| e.kind()).err(), Some(ErrorKind::Unavailable));
        assert_eq!((world.keys("probe").len(), world.commits()), (0, 0));
    };
    // The late creator of each round, as often as it comes.
    for late in [8, 17, 26] {
        let refused = Fault::Refused(ErrorKind::Unavailable);
        alice.storage.fail_later(late, "create", "probe/", refused);
        (0..5).for_each(|_| alice.storage.fail("create", "probe/", refused));
        not_run();
    }
    // Of eight, nobody is known to have won: their answers are lost.
    for fault in [Fault::AnswerLost, Fault::Lost] {
        (0..8).for_each(|_| alice.storage.fail("create", "probe/", fault));
        not_run();
    }
    alice.storage.journal.take();
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "create probe/"), 27);
}

#[test]
fn who_loses_a_race_with_an_error_has_lost_it() {
    let world = World::new();
    let alice = probing(&world);
    alice.edit("note", "hello");
    // The first wins; a 409 for the next six.
    alice.storage.fail_later(1, "create", "probe/", Fault::Lost);
    (0..5).for_each(|_| alice.storage.fail("create", "probe/", Fault::Lost));
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "create changes/1.json"), 1);
}

#[test]
fn a_winner_whose_bytes_are_not_there_is_none_whatever_became_of_the_others() {
    let world = World::new();
    let alice = probing(&world);
    alice.storage.ignore_conditions();
    alice.edit("note", "hello");
    // The first is told that it won; all others overwrite it and are told nothing.
    alice.storage.fail_later(1, "create", "probe/", Fault::AnswerLost);
    (0..6).for_each(|_| alice.storage.fail("create", "probe/", Fault::AnswerLost));
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "put changes/1.json"), 1);
}

#[test]
fn a_storage_that_says_it_has_no_conditions_is_weak() {
    let world = World::new();
    let alice = probing(&world);
    (0..8).for_each(|_| {
        alice.storage.fail("create", "probe/", Fault::Refused(ErrorKind::Unsupported));
    });
    alice.edit("note", "hello");
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "put changes/1.json"), 1);
    alice.storage.heal();
    let strict = alice.set_up(|builder| builder.require_strong());
    assert_eq!(strict.try_sync().unwrap_err().kind(), ErrorKind::WeakStorage);
}

/// A sign-in page in answer to everything: no word of the storage.
#[test]
fn a_storage_is_not_weak_by_the_word_of_somebody_on_the_way() {
    let world = World::new();
    let alice = probing(&world);
    for operation in ["create", "put"] {
        let refused = Fault::Refused(ErrorKind::Unsupported);
        (0..8).for_each(|_| alice.storage.fail(operation, "probe/", refused));
    }
    alice.edit("note", "hello");
    assert_eq!(alice.try_sync().unwrap_err().kind(), ErrorKind::Unsupported);
    alice.storage.heal();
    alice.sync();
    assert_eq!(count(&alice.storage.journal.take(), "create changes/1.json"), 1);
}
