//! Rules C8 and C9, record by record.

use super::*;
use crate::model::{ContentHash, Revision};

const OTHER: u128 = 99;

fn change(vid: u128, action: Action) -> Change {
    let text = format!("text {vid}");
    Change {
        id: "x".into(),
        rev: Revision::new(&text),
        action,
        vid: vid.into(),
        base: None,
        len: 0,
        hash: ContentHash::of(text.as_bytes()),
        body: Some(crate::model::format::Body(text.into())),
        seen: None,
        attr: Default::default(),
        other: Default::default(),
    }
}

fn version(vid: u128) -> SyncedVersion {
    SyncedVersion::of(&change(vid, Action::Put), 0)
}

fn put(vid: u128) -> DeferredChange {
    DeferredChange::of(change(vid, Action::Put))
}

/// A document of which version 1 was synced, whose newest one is this, and that the application has at `local`.
fn included(newest: u128, local: u128, queued: Option<QueuedEdit>) -> Included {
    let record = put(newest).excluded(Some(version(1)), None);
    let local = Revision::new(format!("text {local}"));
    include(record, Local::Revision(&local), queued, None)
}

#[test]
fn an_excluded_document_keeps_its_version_and_no_bytes() {
    let record = put(1).excluded(Some(version(1)), Some(QueuedEdit::on(Some(1.into()))));
    assert_eq!(record.synced_before(), Some(&version(1)));
    assert!(record.change.as_ref().is_some_and(|change| change.body.is_none()));
    assert!(record.is_of_excluded() && !record.diverged);
    let again = record.clone().excluded(None, Some(QueuedEdit::on(None)));
    assert_eq!(again, record, "an edit without an index says nothing of its base");
}

#[test]
fn an_edit_on_another_version_stays_apart() {
    let on_another = QueuedEdit::on(Some(OTHER.into()));
    assert!(put(1).excluded(Some(version(1)), Some(on_another)).diverged);
    let declared = QueuedEdit::declared(None, 1, &Revision::new("another"));
    let record = put(1).excluded(Some(version(1)), None);
    assert!(record.clone().excluded(None, Some(declared)).diverged);
    let declared = QueuedEdit::declared(None, 1, &version(1).rev);
    assert!(!record.excluded(None, Some(declared)).diverged);
}

#[test]
fn what_is_not_there_comes_again_whatever_was_known_of_it() {
    let queued = Some(QueuedEdit::queued(None, 1));
    for (synced, diverged) in [(None, false), (Some(version(1)), false), (Some(version(1)), true)] {
        let record = DeferredChange { diverged, ..put(2).excluded(synced, None) };
        let all = include(record, Local::Absent, queued, None);
        let change = Some(DeferredChange {
            change: Some(Change { body: None, ..change(2, Action::Put) }),
            ..put(2)
        });
        assert_eq!(all, Included { change, ..Included::default() });
    }
}

#[test]
fn what_is_as_it_was_is_in_the_index_again() {
    let synced = Some(version(1));
    let none = Included { version: synced.clone(), ..Included::default() };
    assert_eq!(included(1, 1, None), none);
    let edit = Some(QueuedEdit::found(Some(1.into())));
    assert_eq!(included(1, OTHER, None), Included { edit, ..none.clone() });
    let edit = Some(QueuedEdit::queued(Some(1.into()), 7));
    assert_eq!(included(1, OTHER, Some(QueuedEdit::queued(None, 7))), Included { edit, ..none });
}

#[test]
fn what_changed_elsewhere_is_decided_upon_the_version_that_was_synced() {
    let all = included(2, OTHER, Some(QueuedEdit::queued(None, 7)));
    assert_eq!(all.version, Some(version(1)));
    assert_eq!(all.edit, Some(QueuedEdit::queued(Some(1.into()), 7)));
    assert_eq!(all.change.and_then(|c| c.change).map(|c| c.vid), Some(2.into()));
}

#[test]
fn what_cannot_be_read_does_not_count_as_synced() {
    let record = put(1).excluded(Some(version(1)), None);
    let all = include(record, Local::Unreadable, None, None);
    assert_eq!((all.version, all.edit), (None, None));
    assert!(all.change.is_some_and(|waiting| waiting.set_aside.is_none()));
}

#[test]
fn a_document_that_the_storage_lacks_is_a_new_one() {
    let record = DeferredChange { diverged: false, ..DeferredChange::absent() };
    let record = record.excluded(None, None);
    assert!(!record.is_of_excluded());
    let local = Revision::new("text");
    let all = include(record.clone(), Local::Revision(&local), None, Some(3.into()));
    assert_eq!(all.edit, Some(QueuedEdit::found(Some(3.into()))));
    assert_eq!(include(record, Local::Absent, None, None), Included::default());
}

#[test]
fn another_log_has_none_of_its_versions() {
    let other = put(1).excluded(Some(version(1)), None).in_another_log();
    assert_eq!((other.change.is_none(), other.synced_before()), (true, None));
    assert!(other.set_aside.is_some());
}
