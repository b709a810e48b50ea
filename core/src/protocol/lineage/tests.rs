//! What is known of a document in one or two storages, and what comes from one of them.

use super::*;
use crate::model::format::Change;
use crate::model::{DocumentId, MakerId, Revision, VersionId};

fn seen(edits: &[(u64, u64)]) -> Option<Seen> {
    let seen = edits.iter().fold(Seen::default(), |seen, (maker, number)| {
        seen.edited(Stamp { maker: MakerId::from(*maker), number: *number })
    });
    Some(seen)
}

fn hash(content: u8) -> ContentHash {
    ContentHash::of(&[content])
}

/// A version with this content; 0 is a delete.
fn change(content: u8, seen: Option<Seen>) -> Change {
    let action = if content == 0 { Action::Delete } else { Action::Put };
    Change {
        id: DocumentId::from("x"),
        rev: u64::from(content).into(),
        action,
        vid: VersionId::from(u128::from(content)),
        base: None,
        len: 1,
        hash: hash(content),
        body: None,
        seen,
        attr: Default::default(),
        other: Default::default(),
    }
}

fn synced(content: u8, seen: Option<Seen>) -> SyncedVersion {
    SyncedVersion::of(&change(content, seen), 0)
}

/// What becomes of the remote version where the application has this content.
fn kin(
    content: u8,
    here: Option<&SyncedVersion>,
    elsewhere: &[SyncedVersion],
    theirs: &Change,
) -> Option<Kin> {
    let revision = Revision::from(u64::from(content));
    let local = match content {
        0 => Local::Absent,
        content => Local::Content(&revision, hash(content)),
    };
    Lineage { here, elsewhere, are_several: !elsewhere.is_empty() }.kin(local, theirs)
}

const STAMP: (u64, u64) = (9, 99);

fn stamp() -> Stamp {
    Stamp { maker: MakerId::from(STAMP.0), number: STAMP.1 }
}

/// Rule T1: with one storage, and versions that name no edits, all is as if there were none.
#[test]
fn t1_one_storage_decides_alone_and_names_no_edits() {
    for (content, here) in [(1, Some(synced(1, None))), (2, Some(synced(1, None))), (1, None)] {
        let lineage = Lineage { here: here.as_ref(), elsewhere: &[], are_several: false };
        assert!(!lineage.names_edits(Some(&change(3, None))));
        assert_eq!(kin(content, here.as_ref(), &[], &change(3, None)), None);
    }
}

/// Rule T2: the text came from another storage, where it replaced what this storage brings now.
#[test]
fn t2_what_another_storage_had_before_is_older() {
    let elsewhere = [synced(2, seen(&[(1, 5), (1, 10), (1, 20)]))];
    let here = synced(1, seen(&[(1, 5)]));
    let older = change(3, seen(&[(1, 5), (1, 10)]));
    assert_eq!(kin(2, Some(&here), &elsewhere, &older), Some(Kin::Older));
    let newer = change(3, seen(&[(1, 5), (1, 10), (1, 20), (2, 30)]));
    assert_eq!(kin(2, Some(&here), &elsewhere, &newer), Some(Kin::Newer));
    let apart = change(3, seen(&[(1, 5), (1, 10), (2, 15)]));
    assert_eq!(kin(2, Some(&here), &elsewhere, &apart), Some(Kin::Apart));
}

/// Rule T2: an edit that no storage has yet is contained in nothing.
#[test]
fn t2_a_new_edit_is_never_replaced() {
    let elsewhere = [synced(2, seen(&[(1, 10)]))];
    let here = synced(1, seen(&[(1, 5)]));
    for theirs in [seen(&[(1, 10), (1, 20), (1, 30)]), seen(&[(2, 7)])] {
        assert_eq!(kin(4, Some(&here), &elsewhere, &change(3, theirs)), Some(Kin::Apart));
    }
    // What both storages had is below it.
    let known = change(3, seen(&[(1, 5)]));
    assert_eq!(kin(4, Some(&here), &elsewhere, &known), Some(Kin::Older));
}

/// Rule T2: whoever brings back an old text by hand has made an edit.
#[test]
fn t2_an_old_text_that_is_written_again_is_a_new_edit() {
    let elsewhere = [synced(1, seen(&[(1, 10)]))];
    let here = synced(2, seen(&[(1, 10), (1, 20)]));
    let lineage = Lineage { here: Some(&here), elsewhere: &elsewhere, are_several: true };
    let revision = Revision::from(1);
    let pushed = lineage.pushed(Local::Content(&revision, hash(1)), stamp());
    assert_eq!(Some(pushed), seen(&[(1, 10), (1, 20), STAMP]));
    // The newest text is no edit.
    let revision = Revision::from(2);
    let pushed = lineage.pushed(Local::Content(&revision, hash(2)), stamp());
    assert_eq!(Some(pushed), seen(&[(1, 10), (1, 20)]));
}

/// Rule T3: both devices take the same side.
#[test]
fn t3_two_decisions_of_one_conflict_end_alike() {
    let both = || seen(&[(1, 10), (2, 11)]);
    let kin = |ours, theirs| {
        let elsewhere = [synced(ours, both())];
        kin(ours, Some(&synced(ours, seen(&[(1, 10)]))), &elsewhere, &change(theirs, both()))
    };
    for (ours, theirs) in [(1, 2), (2, 1), (0, 1), (1, 0)] {
        let larger = content(&change(ours, None)) > content(&change(theirs, None));
        let expected = [Some(Kin::Older), Some(Kin::Newer)];
        assert_eq!([kin(ours, theirs), kin(theirs, ours)] == expected, larger, "{ours} {theirs}");
        assert_eq!([kin(theirs, ours), kin(ours, theirs)] == expected, !larger, "{ours} {theirs}");
    }
}

/// Rule T2: where no other storage had the document, the log decides, also about versions that name edits.
#[test]
fn t2_one_storage_decides_alone_whatever_its_versions_name() {
    let here = synced(1, seen(&[(1, 10), (2, 11)]));
    let theirs = change(3, seen(&[(1, 10), (3, 12)]));
    for (content, here) in [(1, Some(&here)), (2, Some(&here)), (2, None), (0, None)] {
        assert_eq!(kin(content, here, &[], &theirs), None);
    }
}

/// Rule T2: the preferred side contains both, also before it is pushed.
#[test]
fn t2_a_decision_joins_the_edits_of_both_sides() {
    let here = synced(1, seen(&[(1, 10)]));
    let theirs = change(2, seen(&[(2, 20)]));
    let lineage = Lineage { here: Some(&here), elsewhere: &[], are_several: false };
    assert_eq!(lineage.taken(&theirs), seen(&[(1, 10), (2, 20)]));
    let revision = Revision::from(1);
    let local = Local::Content(&revision, hash(1));
    let kept = lineage.kept(local, &theirs, stamp());
    assert_eq!(Some(kept.seen.clone()), seen(&[(1, 10), (2, 20)]));
    let upon = SyncedVersion { kept: Some(Box::new(kept)), ..synced(2, theirs.seen.clone()) };
    let after = Lineage { here: Some(&upon), elsewhere: &[], are_several: false };
    assert_eq!(Some(after.pushed(local, stamp())), seen(&[(1, 10), (2, 20)]));
    // Edited once more since the decision: an edit upon both.
    let revision = Revision::from(3);
    let edited = after.pushed(Local::Content(&revision, hash(3)), stamp());
    assert_eq!(Some(edited), seen(&[(1, 10), (2, 20), STAMP]));
}

/// Rule T1: a version of a client that names no edits takes the place of one that did.
#[test]
fn t1_a_version_without_edits_is_a_new_edit_for_the_other_storages() {
    let elsewhere = [synced(1, seen(&[(1, 10)]))];
    let here = synced(2, None);
    let revision = Revision::from(2);
    let lineage = Lineage { here: Some(&here), elsewhere: &elsewhere, are_several: true };
    let pushed = lineage.pushed(Local::Content(&revision, hash(2)), stamp());
    assert_eq!(Some(pushed), seen(&[(1, 10), STAMP]));
    assert_eq!(kin(2, Some(&here), &elsewhere, &change(3, None)), None);
    assert_eq!(lineage.taken(&change(3, None)), None);
}

/// Rule T2: a delete that no storage has seen yet, at a storage that never had the document.
#[test]
fn t2_a_delete_is_no_absence_for_a_storage_that_is_new() {
    let elsewhere = [synced(1, seen(&[(1, 10)]))];
    assert_eq!(kin(0, None, &elsewhere, &change(1, None)), Some(Kin::Apart));
    assert_eq!(kin(0, None, &elsewhere, &change(1, seen(&[(1, 10)]))), Some(Kin::Older));
    assert_eq!(kin(0, None, &[], &change(1, seen(&[(1, 10)]))), None);
}
