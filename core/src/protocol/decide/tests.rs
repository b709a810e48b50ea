//! The tables of `decide` once more, as data, and what must hold of every combination of facts.

use super::*;
use crate::model::DocumentId;
use crate::model::format::Change;
use crate::model::{DeferredChange, QueuedEdit, SyncedVersion};
use crate::model::{Revision, VersionId};

/// Versions and contents: the synced one, the remote one, one that the remote replaced, and another.
const SYNCED: u8 = 1;
const REMOTE: u8 = 2;
const OLDER: u8 = 3;
const OTHER: u8 = 4;

fn vid(name: u8) -> VersionId {
    u128::from(name).into()
}

fn rev(name: u8) -> Revision {
    u64::from(name).into()
}

fn hash(name: u8) -> ContentHash {
    ContentHash::of(&[name])
}

/// The facts with what they borrow.
#[derive(Clone, Debug)]
struct Case {
    synced: Option<SyncedVersion>,
    edit: Option<QueuedEdit>,
    local: Here,
    remote: Option<DeferredChange>,
    refused: bool,
    older: Option<bool>,
    scanned: bool,
}

/// What the application has: the names of its revision and of its content, if that was read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Here {
    Unreadable,
    Absent,
    There(u8, Option<u8>),
}

impl Case {
    fn decide(&self) -> Decision {
        let revision = match self.local {
            Here::There(revision, _) => rev(revision),
            _ => rev(0),
        };
        let local = match self.local {
            Here::Unreadable => Local::Unreadable,
            Here::Absent => Local::Absent,
            Here::There(_, None) => Local::Revision(&revision),
            Here::There(_, Some(content)) => Local::Content(&revision, hash(content)),
        };
        decide(&Facts {
            synced: self.synced.as_ref(),
            elsewhere: &[],
            edit: self.edit.as_ref(),
            local,
            remote: self.remote.as_ref(),
            refused: self.refused,
            older: self.older,
            scanned: self.scanned,
        })
    }

    fn live(&self) -> Option<&SyncedVersion> {
        self.synced.as_ref().filter(|synced| !synced.deleted)
    }

    /// The application has the synced version, as far as is known.
    fn is_as_synced(&self) -> bool {
        match (self.local, self.live()) {
            (Here::Unreadable, _) => false,
            (Here::Absent, live) => live.is_none(),
            (Here::There(..), None) => false,
            (Here::There(revision, content), Some(live)) => {
                let inexact = live.local.is_some();
                rev(revision) == *live.local_rev()
                    && content.is_none_or(|content| inexact || hash(content) == live.hash)
            }
        }
    }

    fn is_unedited(&self) -> bool {
        self.edit.is_none() && self.is_as_synced()
    }

    fn change(&self) -> Option<&Change> {
        self.remote.as_ref().and_then(|remote| remote.change.as_ref())
    }

    fn apart(&self) -> bool {
        self.remote.as_ref().is_some_and(|remote| remote.diverged)
    }

    fn is(&self, action: Action) -> bool {
        self.change().is_some_and(|change| change.action == action)
    }

    fn has_content(&self, of: ContentHash) -> bool {
        matches!(self.local, Here::There(_, Some(content)) if hash(content) == of)
    }

    fn same_bytes(&self) -> bool {
        self.change().is_some_and(|change| self.has_content(change.hash))
    }

    fn is_read(&self) -> bool {
        matches!(self.local, Here::There(_, Some(_)))
    }
}

type Line = (&'static str, fn(&Case) -> bool, Decision);

const WITH_REMOTE: &[Line] = &[
    (
        "1",
        |c| !c.apart() && c.change().zip(c.synced.as_ref()).is_some_and(|(c, s)| c.vid == s.vid),
        Decision::InSync,
    ),
    ("2", |c| c.local == Here::Unreadable, Decision::Wait(Wait::Unreadable)),
    ("3a", |c| c.change().is_none() && c.local == Here::Absent, Decision::Forget),
    ("3b", |c| c.change().is_none(), Decision::Conflict),
    ("4", |c| c.is(Action::Delete) && c.local == Here::Absent, Decision::MarkSynced),
    ("5", |c| c.is_unedited() && !c.apart(), Decision::Write),
    ("6", |c| c.local == Here::Absent, Decision::Conflict),
    ("7", |c| !c.is_read(), Decision::Need(Fact::Content)),
    ("8", |c| c.is_as_synced() && !c.apart(), Decision::Write),
    (
        "9",
        |c| {
            let same_rev = |r| c.change().is_some_and(|change| change.rev == rev(r));
            c.is(Action::Put)
                && c.same_bytes()
                && matches!(c.local, Here::There(r, _) if same_rev(r))
        },
        Decision::MarkSynced,
    ),
    ("10", |c| c.is(Action::Put) && c.same_bytes(), Decision::Write),
    (
        "11",
        |c| {
            let older = c.remote.iter().flat_map(|remote| &remote.older);
            let is_older = older.into_iter().any(|older| c.has_content(*older));
            c.synced.is_none() && (is_older || c.is(Action::Delete) && c.same_bytes())
        },
        Decision::Write,
    ),
    ("12", |c| c.synced.is_none() && c.older.is_none(), Decision::Need(Fact::History)),
    ("12a", |c| c.synced.is_none() && c.older == Some(true), Decision::Write),
    ("13", |_| true, Decision::Conflict),
];

const WITHOUT_REMOTE: &[Line] = &[
    ("14", |c| c.local == Here::Unreadable, Decision::Wait(Wait::Unreadable)),
    ("15", |c| c.is_unedited(), Decision::InSync),
    (
        "16",
        |c| {
            let (base, synced) = (c.edit.map(|edit| edit.base), c.synced.as_ref());
            base.zip(synced).is_some_and(|(base, synced)| base != Some(synced.vid))
        },
        Decision::Conflict,
    ),
    ("17", |c| c.local == Here::Absent && c.live().is_none(), Decision::InSync),
    (
        "18",
        |c| c.local == Here::Absent && c.scanned && c.edit.is_some_and(|edit| edit.found),
        Decision::Wait(Wait::Scan),
    ),
    ("19", |c| c.local == Here::Absent, Decision::Push(Action::Delete)),
    ("20", |c| !c.is_read(), Decision::Need(Fact::Content)),
    ("21", |c| c.is_as_synced(), Decision::InSync),
    ("22", |_| true, Decision::Push(Action::Put)),
];

/// Line 10 needs no download, so that a refusal does not matter.
fn expected(case: &Case) -> (&'static str, Decision) {
    let lines = if case.remote.is_some() { WITH_REMOTE } else { WITHOUT_REMOTE };
    let line = lines.iter().find(|(_, fits, _)| fits(case)).expect("the last line fits always");
    match (line.0, line.2) {
        ("10", decision) => ("10", decision),
        (_, Decision::Write) if case.refused => ("refused", Decision::Wait(Wait::Refused)),
        (name, decision) => (name, decision),
    }
}

fn synced() -> Vec<Option<SyncedVersion>> {
    let version = |deleted, local| SyncedVersion {
        vid: vid(SYNCED),
        rev: rev(SYNCED),
        hash: hash(SYNCED),
        len: 1,
        deleted,
        generation: 0,
        local,
        seen: None,
        kept: None,
        older: Vec::new(),
        attr: Default::default(),
    };
    let inexact = version(false, Some(rev(OTHER)));
    vec![None, Some(version(true, None)), Some(version(false, None)), Some(inexact)]
}

fn edits() -> Vec<Option<QueuedEdit>> {
    let on = |base| QueuedEdit::queued(base, 1);
    let bases = [Some(vid(SYNCED)), Some(vid(OTHER)), None];
    let queued = bases.map(|base| Some(on(base)));
    let found = Some(QueuedEdit::found(Some(vid(SYNCED))));
    queued.into_iter().chain([None, found]).collect()
}

fn locals() -> Vec<Here> {
    let names = [SYNCED, REMOTE, OLDER, OTHER];
    let contents = [None, Some(SYNCED), Some(REMOTE), Some(OLDER), Some(OTHER)];
    let there = names.iter().flat_map(|r| contents.map(|content| Here::There(*r, content)));
    [Here::Unreadable, Here::Absent].into_iter().chain(there).collect()
}

fn remotes() -> Vec<Option<DeferredChange>> {
    let change = |name, action, content| Change {
        id: DocumentId::from("x"),
        rev: rev(name),
        action,
        vid: vid(name),
        base: None,
        len: 1,
        hash: hash(content),
        body: None,
        seen: None,
        attr: Default::default(),
        other: Default::default(),
    };
    let changes = [
        change(SYNCED, Action::Put, SYNCED),
        change(SYNCED, Action::Delete, SYNCED),
        change(REMOTE, Action::Put, REMOTE),
        change(REMOTE, Action::Put, SYNCED),
        change(REMOTE, Action::Delete, REMOTE),
        change(REMOTE, Action::Delete, SYNCED),
    ];
    let mut remotes = vec![None, Some(DeferredChange::absent())];
    for change in changes {
        for (diverged, older) in [(false, false), (true, false), (false, true), (true, true)] {
            let older = if older { vec![hash(OLDER)] } else { Vec::new() };
            remotes.push(Some(DeferredChange {
                diverged,
                older,
                ..DeferredChange::of(change.clone())
            }));
        }
    }
    remotes
}

/// Every combination of the facts.
fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for synced in synced() {
        for edit in edits() {
            for local in locals() {
                for remote in remotes() {
                    for (refused, scanned) in [(false, false), (true, false), (false, true)] {
                        for older in [None, Some(false), Some(true)] {
                            let (synced, remote) = (synced.clone(), remote.clone());
                            cases.push(Case {
                                synced,
                                edit,
                                local,
                                remote,
                                refused,
                                older,
                                scanned,
                            });
                        }
                    }
                }
            }
        }
    }
    cases
}

#[test]
fn every_combination_is_decided_by_the_first_line_that_fits() {
    let mut met = std::collections::BTreeSet::new();
    let cases = cases();
    for case in &cases {
        let (line, expected) = expected(case);
        assert_eq!(case.decide(), expected, "line {line}: {case:?}");
        met.insert(line);
    }
    let lines = WITH_REMOTE.iter().chain(WITHOUT_REMOTE).map(|(name, ..)| *name);
    assert!(lines.chain(["refused"]).all(|line| met.contains(line)), "{met:?}");
    assert_eq!(cases.len(), 4 * 5 * 22 * 26 * 9);
}

#[test]
fn p6_no_edit_is_overwritten_that_nobody_saw() {
    for case in cases().iter().filter(|case| case.decide() == Decision::Write) {
        let remote = case.remote.as_ref().expect("there is something to write");
        let known_older = case.synced.is_none()
            && (case.older == Some(true)
                || case.same_bytes()
                || remote.older.iter().any(|older| case.has_content(*older)));
        let nothing_lost = case.is_as_synced() || case.same_bytes() || known_older;
        assert!(nothing_lost, "{case:?}");
    }
}

#[test]
fn u1_nothing_is_pushed_over_a_version_that_was_not_seen() {
    for case in cases().iter().filter(|case| matches!(case.decide(), Decision::Push(_))) {
        assert!(case.remote.is_none(), "{case:?}");
        let upon = case.edit.map(|edit| edit.base);
        let synced = case.synced.as_ref().map(|synced| synced.vid);
        assert!(upon.is_none() || synced.is_none() || upon == Some(synced), "{case:?}");
    }
}

#[test]
fn p6_equal_bytes_are_no_conflict() {
    let equal = |case: &&Case| case.is(Action::Put) && case.same_bytes();
    for case in cases().iter().filter(equal) {
        assert_ne!(case.decide(), Decision::Conflict, "{case:?}");
    }
}

#[test]
fn what_was_marked_as_synced_is_in_sync() {
    for case in cases() {
        let Some(change) = case.change().filter(|_| case.decide() == Decision::MarkSynced) else {
            continue;
        };
        let after = Case {
            synced: Some(SyncedVersion::of(change, 0)),
            edit: None,
            remote: None,
            ..case.clone()
        };
        assert_eq!(after.decide(), Decision::InSync, "{case:?}");
    }
}

/// At most two facts are asked for, one after the other.
#[test]
fn a_fact_that_is_known_is_not_asked_for() {
    for case in cases() {
        match case.decide() {
            Decision::Need(Fact::Content) => assert!(!case.is_read(), "{case:?}"),
            Decision::Need(Fact::History) => assert_eq!(case.older, None, "{case:?}"),
            _ => {}
        }
    }
}
