//! Conflicts: when the application is asked, and that its decision is carried out (rules P6 and P8).

use db_to_cloud::{
    Conflict, ConflictCopy, DeferReason, Document, Environment, ErrorKind, KeepBoth, LocalWins,
    NewestWins, RemoteWins, Report, Resolution, Resolver,
};
use db_to_cloud_tests::{Device, Fault, Judge, World};

/// What one device did to the document.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Did {
    Edit,
    Delete,
}
use Did::{Delete, Edit};

/// Bob did this to the document and synced; Alice did that meanwhile, and has not synced.
pub(super) fn clash(alices: Did, bobs: Did) -> (World, Device, Device) {
    let world = World::new();
    let (alice, bob) = (world.device("alice"), world.device("bob"));
    alice.edit("note", "old");
    alice.sync();
    bob.sync();
    for (device, did) in [(&bob, bobs), (&alice, alices)] {
        match did {
            Edit => device.edit("note", &format!("{}'s", device.name)),
            Delete => device.delete("note"),
        }
    }
    bob.sync();
    (world, alice, bob)
}

pub(super) const CLASHES: [(Did, Did); 3] = [(Edit, Edit), (Edit, Delete), (Delete, Edit)];

pub(super) fn left_by(device: &str, did: Did) -> Option<String> {
    (did == Edit).then(|| format!("{device}'s"))
}

/// Alice decides; then all devices, also a fresh one, have these documents and are at rest.
#[track_caller]
fn settles(
    (world, alice, bob): (World, Device, Device),
    resolver: impl Resolver + 'static,
    end: &[(&str, &str)],
) -> Report {
    let alice = alice.resolving_by(resolver);
    let report = alice.sync();
    bob.sync();
    let carol = world.device("carol");
    carol.sync();
    let end: Vec<_> = end.iter().map(|(id, text)| ((*id).into(), (*text).to_owned())).collect();
    for device in [&alice, &bob, &carol] {
        assert_eq!(device.all(), end, "{}", device.name);
        let report = device.sync();
        assert_eq!((report.conflicts, report.requests.total()), (0, 2), "{}", device.name);
    }
    report
}

#[test]
fn the_application_sees_both_sides_and_what_they_had_in_common() {
    for (alices, bobs) in CLASHES {
        let (world, alice, bob) = clash(alices, bobs);
        let judge = Judge::always(Resolution::Defer);
        let alice = alice.resolving_by(judge.clone());
        alice.sync();
        let [asked] = &judge.asked()[..] else { panic!("asked {} times", judge.count()) };
        let text = |d: &Document| String::from_utf8_lossy(&d.bytes).into_owned();
        assert_eq!(asked.local.as_ref().map(text), left_by("alice", alices));
        assert_eq!(asked.remote.as_ref().map(text), left_by("bob", bobs));
        assert_eq!(asked.base_revision, Some(Document::of_content("old").revision));
        assert_eq!(asked.remote_device.as_deref(), Some("bob"));
        assert!(asked.base.is_some());
        assert_eq!(asked.remote_time, Some(world.time.now()));
        assert_eq!(alice.read("note"), left_by("alice", alices));
        assert_eq!(bob.read("note"), left_by("bob", bobs));
    }
}

#[test]
fn keep_local_pushes_the_local_side() {
    for (alices, bobs) in CLASHES {
        let end = left_by("alice", alices);
        let end: Vec<_> = end.iter().map(|text| ("note", text.as_str())).collect();
        let report = settles(clash(alices, bobs), LocalWins, &end);
        assert_eq!((report.conflicts, report.pushed), (1, 1));
    }
}

#[test]
fn take_remote_makes_the_local_side_like_the_storage() {
    for (alices, bobs) in CLASHES {
        let end = left_by("bob", bobs);
        let end: Vec<_> = end.iter().map(|text| ("note", text.as_str())).collect();
        let report = settles(clash(alices, bobs), RemoteWins, &end);
        assert_eq!((report.conflicts, report.pushed), (1, 0));
        let counted = if bobs == Edit { (1, 0) } else { (0, 1) };
        assert_eq!((report.pulled, report.deleted), counted, "{alices:?}, {bobs:?}");
    }
}

#[test]
fn merged_replaces_both_sides() {
    for (alices, bobs) in CLASHES {
        let merge = Resolution::Merged(Document::of_content("both"));
        let report = settles(clash(alices, bobs), Judge::always(merge), &[("note", "both")]);
        assert_eq!((report.conflicts, report.pushed), (1, 1));
    }
}

#[test]
fn merged_into_exactly_the_remote_side_pushes_nothing() {
    let merge = Resolution::Merged(Document::of_content("bob's"));
    let report = settles(clash(Edit, Edit), Judge::always(merge), &[("note", "bob's")]);
    assert_eq!((report.conflicts, report.pushed), (1, 0));
}

#[test]
fn keep_both_makes_a_copy_of_the_local_edit() {
    let both = || Judge::always(Resolution::KeepBoth { copy: "copy".into() });
    let end = [("copy", "alice's"), ("note", "bob's")];
    let report = settles(clash(Edit, Edit), both(), &end);
    let copy = ConflictCopy { id: "note".into(), copy: "copy".into() };
    assert_eq!((report.conflicts, report.pushed, report.copies), (1, 1, vec![copy]));
    // With a delete on one side there is but one version to keep.
    settles(clash(Edit, Delete), both(), &[("note", "alice's")]);
    settles(clash(Delete, Edit), both(), &[("note", "bob's")]);
}

#[test]
fn keep_both_does_not_overwrite_another_document_with_the_copy() {
    for id in ["taken", "note"] {
        let (_, alice, _) = clash(Edit, Edit);
        alice.edit("taken", "something else");
        let judge = Judge::always(Resolution::KeepBoth { copy: id.into() });
        let alice = alice.resolving_by(judge);
        let report = alice.sync();
        assert_eq!(report.deferred[0].reason, DeferReason::Refused);
        assert_eq!(alice.read("taken").as_deref(), Some("something else"));
        assert_eq!(alice.read("note").as_deref(), Some("alice's"));
    }
}

#[test]
fn a_resolver_that_fails_puts_the_decision_off_and_the_others_sync() {
    let (world, alice, bob) = clash(Edit, Edit);
    alice.edit("mine", "text");
    bob.edit("yours", "text");
    bob.sync();
    let alice = alice.resolving_by(Judge::failing(|_| Err("the user closed the window".into())));
    let report = alice.sync();
    assert_eq!((report.pulled, report.pushed, report.deferred.len()), (1, 1, 1));
    assert!(report.deferred[0].detail.contains("closed the window"));
    settles(
        (world, alice, bob),
        RemoteWins,
        &[("mine", "text"), ("note", "bob's"), ("yours", "text")],
    );
}

#[test]
fn equal_content_is_no_conflict_and_writes_nothing() {
    let (world, alice, _) = clash(Edit, Edit);
    alice.edit("note", "bob's");
    let judge = Judge::always(Resolution::Defer);
    let alice = alice.resolving_by(judge.clone());
    let report = alice.sync();
    assert_eq!((judge.count(), report.pushed, world.commits()), (0, 0, 2));
    assert_eq!(alice.sync().requests.total(), 2);
}

#[test]
fn equal_content_under_another_revision_takes_the_revision_of_the_storage() {
    let (world, alice, bob) = clash(Edit, Edit);
    let own = Document::new("alice's own revision", "bob's");
    alice.documents.documents().insert("note".into(), own);
    let judge = Judge::always(Resolution::Defer);
    let mut alice = alice.resolving_by(judge.clone());
    assert_eq!(alice.sync().pushed, 0);
    alice.restart();
    assert_eq!((alice.sync().pushed, judge.count(), world.commits()), (0, 0, 2));
    assert_eq!(alice.revision("note"), bob.revision("note"));
}

#[test]
fn a_document_deleted_on_both_sides_is_no_conflict() {
    let judge = Judge::always(Resolution::Defer);
    let report = settles(clash(Delete, Delete), judge.clone(), &[]);
    assert_eq!((judge.count(), report.pushed), (0, 0));
}

#[test]
fn the_ready_resolvers_do_as_they_say() {
    let longest = |local: &Document, remote: &Document| local.bytes.len().cmp(&remote.bytes.len());
    let newest = || NewestWins::new(longest);
    settles(clash(Edit, Edit), newest(), &[("note", "alice's")]);
    settles(clash(Edit, Delete), newest(), &[("note", "alice's")]);
    settles(clash(Delete, Edit), newest(), &[("note", "bob's")]);
    let both = || KeepBoth::new(|conflict: &Conflict| format!("{}-copy", conflict.id).into());
    settles(clash(Edit, Edit), both(), &[("note", "bob's"), ("note-copy", "alice's")]);
    settles(clash(Edit, Delete), both(), &[("note", "alice's")]);
    settles(clash(Delete, Edit), both(), &[("note", "bob's")]);
}

#[test]
fn a_remote_side_that_cannot_be_fetched_is_put_off_unless_nothing_can() {
    let large = "x".repeat(5000);
    for (kind, everybodys) in [(ErrorKind::Forbidden, false), (ErrorKind::Unauthorized, true)] {
        let (_, alice, bob) = clash(Edit, Edit);
        bob.edit("note", &large);
        bob.sync();
        let judge = Judge::always(Resolution::TakeRemote);
        let alice = alice.resolving_by(judge.clone());
        alice.storage.fail("get", "docs/", Fault::Refused(kind));
        match alice.try_sync() {
            Ok(report) => {
                let reason = report.deferred[0].reason;
                assert_eq!((reason, everybodys), (DeferReason::NotFetched, false));
            }
            Err(error) => assert_eq!((error.kind(), everybodys), (kind, true)),
        }
        assert_eq!((judge.count(), alice.status().pending), (0, 1), "{kind:?}");
        alice.sync();
        assert_eq!(alice.read("note").as_ref(), Some(&large));
    }
}
