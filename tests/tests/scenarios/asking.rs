//! Conflicts whose decision is put off, and edits that come while the application decides (rule
//! P6).

use db_to_cloud::{Conflict, DeferReason, Document, LocalWins, Resolution};
use db_to_cloud_tests::Judge;

use super::conflicts::{CLASHES, Did::Edit, clash, left_by};

#[test]
fn a_decision_put_off_is_asked_again_at_each_sync() {
    for (alices, bobs) in CLASHES {
        let (world, mut alice, _) = clash(alices, bobs);
        let judge = Judge::always(Resolution::Defer);
        alice = alice.resolving_by(judge.clone());
        for asked in 1..=3 {
            let report = alice.sync();
            assert_eq!(report.deferred[0].reason, DeferReason::Conflict);
            assert_eq!((report.conflicts, report.pushed, judge.count()), (1, 0, asked));
            assert_eq!(alice.status().pending, 1);
            alice.restart();
        }
        assert_eq!(alice.read("note"), left_by("alice", alices));
        assert_eq!(world.commits(), 2);
        assert_eq!(alice.resolving_by(LocalWins).sync().pushed, 1);
    }
}

#[test]
fn a_newer_remote_version_takes_the_place_of_one_that_was_put_off() {
    for (alices, bobs) in CLASHES {
        let (_, alice, bob) = clash(alices, bobs);
        let judge = Judge::always(Resolution::Defer);
        let alice = alice.resolving_by(judge.clone());
        alice.sync();
        bob.edit("note", "bob's second");
        bob.sync();
        alice.sync();
        let asked = judge.asked();
        assert_eq!(asked[1].remote, Some(Document::of_content("bob's second")));
        assert_eq!(asked[1].base, asked[0].base);
        assert_eq!(alice.read("note"), left_by("alice", alices));
    }
}

#[test]
fn an_edit_upon_a_document_in_conflict_is_the_new_local_side() {
    let (_, alice, _) = clash(Edit, Edit);
    let judge = Judge::always(Resolution::Defer);
    let alice = alice.resolving_by(judge.clone());
    alice.sync();
    alice.edit("note", "alice's second");
    alice.edit("other", "text");
    assert_eq!(alice.sync().pushed, 1);
    assert_eq!(judge.asked()[1].local, Some(Document::of_content("alice's second")));
}

#[test]
fn an_edit_made_while_the_application_decides_is_asked_anew() {
    for first in [
        Resolution::TakeRemote,
        Resolution::Merged(Document::of_content("both")),
        Resolution::KeepBoth { copy: "copy".into() },
    ] {
        let (_, alice, _) = clash(Edit, Edit);
        let documents = alice.documents.clone();
        let judge = Judge::new(move |conflict: &Conflict| {
            let late = Document::of_content("alice's late edit");
            if conflict.local == Some(late.clone()) {
                return Resolution::KeepLocal;
            }
            documents.documents().insert("note".into(), late);
            first.clone()
        });
        let alice = alice.resolving_by(judge.clone());
        alice.sync();
        assert_eq!(judge.count(), 2);
        assert_eq!(alice.read("note").as_deref(), Some("alice's late edit"));
        assert_eq!(alice.sync().pushed, 0, "it was pushed by the first sync");
    }
}

#[test]
fn keep_local_pushes_an_edit_made_while_the_application_decides() {
    let (_, alice, bob) = clash(Edit, Edit);
    let documents = alice.documents.clone();
    let judge = Judge::new(move |_| {
        documents.save("note", "alice's late edit");
        Resolution::KeepLocal
    });
    alice.resolving_by(judge).sync();
    bob.sync();
    assert_eq!(bob.read("note").as_deref(), Some("alice's late edit"));
}

#[test]
fn a_document_edited_at_each_decision_is_reported_and_left_for_the_next_sync() {
    let (_, alice, _) = clash(Edit, Edit);
    let (documents, edits) = (alice.documents.clone(), std::sync::Mutex::new(0));
    let judge = Judge::new(move |_| {
        let mut edits = edits.lock().unwrap();
        *edits += 1;
        if *edits < 10 {
            documents.save("note", format!("edit {edits}"));
        }
        Resolution::TakeRemote
    });
    let alice = alice.resolving_by(judge.clone());
    alice.edit("other", "text");
    let report = alice.sync();
    assert_eq!((report.deferred.len(), report.pushed), (1, 1));
    assert_eq!(report.deferred[0].reason, DeferReason::KeepsChanging);
    while judge.count() < 10 {
        assert!(alice.read("note").is_some_and(|text| text.starts_with("edit")));
        alice.sync();
    }
    assert_eq!(alice.read("note").as_deref(), Some("bob's"));
    assert_eq!(alice.sync().deferred, []);
}

#[test]
fn a_document_in_conflict_is_not_uploaded_before_the_decision() {
    let (_, alice, _) = clash(Edit, Edit);
    alice.sync();
    alice.edit("other", "text");
    let report = alice.sync();
    assert_eq!((report.pushed, report.requests.put), (1, 1));
}
