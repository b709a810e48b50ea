//! After the user said yes (rule D1): the two sides are joined and nothing is lost.

use futures::FutureExt;

use super::*;

#[test]
fn after_consent_there_are_conflicts_only_where_the_two_sides_differ() {
    let differ: [&[&str]; 4] =
        [&[], &["edited", "gone", "new"], &["edited", "gone", "new"], &["edited"]];
    for ((name, fate), differ) in FATES.into_iter().zip(differ) {
        let (_, alice, _) = story(fate);
        let judge = Judge::always(Resolution::KeepLocal);
        let alice = alice.resolving_by(judge.clone());
        alice.try_sync_with(ACCEPT).unwrap();
        for conflict in judge.asked() {
            let remote = conflict.remote.as_ref().map(|d| &d.bytes);
            assert_ne!(conflict.local.as_ref().map(|d| &d.bytes), remote, "{name}");
        }
        let asked = |id: &str| judge.asked().iter().any(|conflict| conflict.id == id.into());
        for id in differ {
            assert!(asked(id), "{id} in the storage {name}");
        }
        if name.starts_with("restored") {
            assert_eq!(judge.count(), differ.len(), "{name}");
        }
    }
}

#[test]
fn after_consent_nothing_is_lost_and_all_are_equal() {
    for (name, fate) in FATES {
        let (world, alice, bob) = story(fate);
        alice.edit("same", "alice's edit");
        alice.edit("newer", "alice's");
        let local = alice.all();
        let (alice, bob) = (alice.resolving_by(LocalWins), bob.resolving_by(LocalWins));
        consent(&alice);
        for (id, text) in local {
            assert_eq!(alice.read(id.clone()), Some(text), "{id} in the storage {name}");
        }
        // Bob has a different "same", which he did not edit: his copy may not win.
        let bob = bob.resolving_by(RemoteWins);
        converge(&world, &[&alice, &bob]);
        assert_eq!(bob.read("same").as_deref(), Some("alice's edit"), "{name}");
        assert_eq!(bob.read("newer").as_deref(), Some("alice's"), "{name}");
        assert_eq!(bob.read("new").as_deref(), Some("alice's"), "{name}");
        let theirs = world.live();
        if name == "another one" {
            assert!((0..9).all(|i| theirs.contains_key(&format!("dave-{i}").into())));
        }
        if name == "restored and used by others" {
            assert_eq!(bob.read("daves").as_deref(), Some("text 5"));
        }
    }
}

#[test]
fn put_off_conflicts_leave_both_sides_as_they_are() {
    for (name, fate) in FATES {
        let (world, alice, _) = story(fate);
        let (local, remote) = (alice.all(), world.live());
        let report = alice.try_sync_with(ACCEPT).unwrap();
        let now = alice.all();
        assert!(local.iter().all(|document| now.contains(document)), "{name}");
        for (id, change) in world.live() {
            if let Some(before) = remote.get(&id) {
                assert_eq!(change.vid, before.vid, "{id} in the storage {name}");
            }
        }
        let report = alice.try_sync().map(|again| (report, again)).unwrap();
        assert_eq!(report.0.deferred.len(), report.1.deferred.len(), "{name}: asked again");
    }
}

#[test]
fn one_storage_after_another_and_back_ends_in_the_union() {
    let world = World::new();
    let copies = || KeepBoth::new(|c| format!("copy of {}", c.id.as_str().unwrap()).into());
    let alice = world.device("alice").resolving_by(copies());
    let bob = world.device("bob");
    alice.edit("a", "in the first");
    alice.edit("shared", "old");
    alice.sync();
    bob.sync();
    let first = world.backup();
    world.cloud.objects().clear();
    let carol = world.device("carol");
    carol.edit("c", "in the second");
    carol.sync();
    consent(&alice);
    assert_eq!(alice.read("c").as_deref(), Some("in the second"));
    alice.edit("between", "edited in between");
    alice.sync();
    carol.sync();
    assert_eq!(carol.all(), alice.all());
    world.restore(&first);
    bob.edit("shared", "bob's");
    bob.sync();
    consent(&alice);
    bob.sync();
    assert_eq!(alice.all(), bob.all());
    for (id, text) in [
        ("a", "in the first"),
        ("c", "in the second"),
        ("between", "edited in between"),
        ("shared", "bob's"),
    ] {
        assert_eq!(bob.read(id).as_deref(), Some(text), "{id}");
    }
}

#[test]
fn stopped_at_any_step_of_starting_over_nothing_is_lost() {
    for (name, fate) in [FATES[1], FATES[3]] {
        let prepared = || {
            let (world, alice, bob) = story(fate);
            alice.edit("same", "alice's edit");
            alice.delete("doc-3");
            (world, alice.resolving_by(LocalWins), bob.resolving_by(RemoteWins))
        };
        let (world, alice, bob) = prepared();
        converge(&world, &[&alice, &bob]);
        let end = alice.all();
        for step in 1.. {
            let (world, mut alice, bob) = prepared();
            if !alice.sync_with_stopping_at(ACCEPT, step) {
                assert!(step > 20, "only {step} steps");
                break;
            }
            converge(&world, &[&alice, &bob]);
            assert_eq!(alice.all(), end, "{name}, stopped at step {step}");
        }
    }
}

/// The other version of the conflict was in the old storage alone.
#[test]
fn stopped_at_any_step_of_starting_over_a_conflict_that_was_put_off_is_forgotten() {
    let long = "long ".repeat(2000);
    for step in 1.. {
        let world = World::new();
        let (alice, bob) = world.alice_and_bob(&["note"]);
        bob.edit("note", &long);
        bob.sync();
        alice.edit("note", "alice's");
        alice.sync();
        let mut alice = alice.resolving_by(LocalWins);
        world.cloud.objects().clear();
        let stopped = alice.sync_with_stopping_at(ACCEPT, step);
        let report = alice.try_sync_with(ACCEPT).unwrap();
        assert_eq!(report.deferred, [], "stopped at step {step}");
        let fresh = world.device("dave");
        fresh.sync();
        assert_eq!(fresh.read("note").as_deref(), Some("alice's"), "stopped at step {step}");
        if !stopped {
            assert!(step > 10, "only {step} steps");
            break;
        }
    }
}

/// QueueChange runs beside a sync; the version that it is contested against is of the old storage.
#[test]
fn an_edit_upon_another_version_while_starting_over_waits_for_nothing_that_is_gone() {
    let world = World::new();
    let (alice, _) = world.alice_and_bob(&["note"]);
    let alice = alice.resolving_by(LocalWins);
    let first = alice.revision("note").unwrap();
    alice.edit("note", &"long ".repeat(2000));
    alice.sync();
    world.cloud.objects().clear();
    let (client, documents) = (alice.client().clone(), alice.documents.clone());
    alice.storage.before("get", "changes/1.", move || {
        documents.save("note", "alice's");
        client.queue_change_of(&"note".into(), &first).now_or_never().unwrap().unwrap();
    });
    let report = alice.try_sync_with(ACCEPT).unwrap();
    assert_eq!(report.deferred, []);
    assert_eq!(alice.status().queued, 0);
    let fresh = world.device("dave");
    fresh.sync();
    assert_eq!(fresh.all(), alice.all());
}

/// Alice has sent a commit whose fate is open, and has put off a conflict.
fn with_an_open_commit(fate: Fate) -> (World, Device, Bytes) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("a", "old");
    alice.edit("both", "old");
    alice.sync();
    bob.sync();
    let backup = world.backup();
    bob.edit("both", "bob's");
    bob.sync();
    alice.edit("both", "alice's");
    alice.sync();
    alice.edit("a", "alice's");
    alice.storage.fail_for_long("create", "changes/", Fault::Lost);
    assert!(alice.try_sync().is_err());
    alice.storage.heal();
    let status = alice.status();
    assert!(status.unsettled && status.pending == 1);
    let sent = alice.storage.sent(&Key::change(3)).pop().expect("it was sent");
    fate(&world, &backup);
    (world, alice, sent)
}

#[test]
fn an_open_commit_is_never_sent_into_another_log() {
    for (name, fate) in FATES {
        let (world, alice, sent) = with_an_open_commit(fate);
        let objects = world.backup();
        let error = alice.try_sync().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Diverged, "{name}");
        assert_untouched(&world, &objects, name);
        let alice = alice.resolving_by(LocalWins);
        consent(&alice);
        assert!(!alice.status().unsettled, "{name}");
        assert!(world.cloud.objects().values().all(|bytes| *bytes != sent), "{name}");
        converge(&world, &[&alice]);
        assert_eq!(alice.read("a").as_deref(), Some("alice's"), "{name}");
        assert_eq!(alice.read("both").as_deref(), Some("alice's"), "{name}");
    }
}

#[test]
fn a_conflict_put_off_in_the_old_storage_is_none_where_the_new_one_lacks_the_other_version() {
    let (world, alice, _) = with_an_open_commit(FATES[1].1);
    let judge = Judge::always(Resolution::Defer);
    let alice = alice.resolving_by(judge.clone());
    consent(&alice);
    assert_eq!(judge.count(), 0, "the edit was made on the very version that is back");
    converge(&world, &[&alice]);
    assert_eq!(alice.read("both").as_deref(), Some("alice's"));
}

#[test]
fn consent_without_need_changes_nothing() {
    let (world, alice, bob) = story(|_, _| {});
    let objects = world.backup();
    alice.try_sync_with(ACCEPT).unwrap();
    bob.try_sync_with(ACCEPT).unwrap();
    assert_eq!(world.backup(), objects);
    assert_eq!(alice.all(), bob.all());
}
