//! Each rule switched off: a counterexample is expected. The first list is the table at the end of
//! the protocol.

use super::Size::Large;
use super::{ALL, Case, Expect, base, breaks, holds, traps, version08};
use crate::config::Answer::{KeepLocal, Merge};
use crate::config::LockPolicy::Always;
use crate::config::RestoreWhen::{BetweenSyncs, Calm};
use crate::config::{Pointer, RestoreWhen, Rule, Store};
use crate::version08::Version08;

const COMMITTED: &str = "a committed edit is in the head";
const QUIET: &str = "when all is quiet every edit is in the head";
const MISSING: &str = "the head names no missing document";
const BACK: &str = "a deleted document comes back only by a new edit";
const EMPTY: &str = "no slot is an empty folder";

pub(super) fn cases() -> Vec<Case> {
    [of_the_table(), uploads(), reinstalled_and_restored(), branches(), storage(), of_08()].concat()
}

fn of_the_table() -> Vec<Case> {
    vec![
        breaks(
            "without-K2",
            "log slots are freed: a client offline for long commits into one, and nobody sees it",
            (COMMITTED, 19),
            base().checkpoints(1).lock(Always).eager().without(&[Rule::SlotsStay, Rule::Anchor]),
        ),
        breaks(
            "without-ages",
            "U3, G1: gc deletes a document that a commit then names",
            (MISSING, 11),
            base().lost(1).gcs(1).ages(1).without(&[Rule::Ages]),
        ),
        breaks(
            "without-U6",
            "an edit made during the push is never pushed",
            (QUIET, 14),
            base().without(&[Rule::KeepNewerEdit]),
        ),
        breaks(
            "without-P7",
            "an edit made during the pull is overwritten",
            (QUIET, 14),
            base().without(&[Rule::CompareAndSet]),
        ),
        breaks(
            "without-C4",
            "a lost QueueChange is never pushed",
            (QUIET, 2),
            base().crashes(1).queued_later().without(&[Rule::CompareAtStart]),
        ),
        breaks(
            "without-C4-P7",
            "and then overwritten",
            (QUIET, 16),
            base().queued_later().without(&[Rule::CompareAndSet]),
        ),
        breaks(
            "without-K1",
            "a snapshot of a half-applied index misleads every new client",
            ("a change replaces the version it names", 23),
            base().crashes(1).checkpoints(1).without(&[Rule::SnapshotOfLog]),
        ),
        breaks(
            "without-K1-deferred",
            "the same while a conflict is deferred",
            (COMMITTED, 15),
            base().checkpoints(1).deferrals(1).without(&[Rule::SnapshotOfLog]),
        ),
        breaks(
            "without-U2",
            "a name used again after a rebase: the head names a document that was deleted",
            (MISSING, 36),
            base()
                .lost(1)
                .answers(&[KeepLocal])
                .eager()
                .keeps_uploads(false)
                .without(&[Rule::NewNames, Rule::DurableAttempt]),
        ),
        breaks(
            "without-P3",
            "a restored storage diverges, and nobody notices",
            (QUIET, 9),
            base().restored(Calm).without(&[Rule::Anchor]),
        ),
        breaks(
            "without-P8",
            "the index before the application: half of a merge is lost",
            (COMMITTED, 21),
            base().crashes(1).without(&[Rule::MergeAppliesFirst, Rule::Intents]),
        ),
    ]
}

fn uploads() -> Vec<Case> {
    let two = || base().documents(2);
    let b = || base().eager().answers(ALL).keeps_uploads(false).without(&[Rule::NewNames]);
    let some = || b().edits(1).lost(1).answers(&[Merge, KeepLocal]).checkpoints(1);
    vec![
        breaks(
            "kept-whatever-age",
            "U2: an old upload is used again, and gc has deleted it",
            (MISSING, 14),
            two().edits(1).gcs(1).ages(3).without(&[Rule::AgeOfKept]),
        ),
        breaks(
            "kept-whatever-content",
            "U2: an upload is used again for another content",
            (MISSING, 23),
            two().without(&[Rule::ContentOfKept]),
        ),
        // With U4 kept, no counterexample is known to U2 alone.
        holds(Large, "old-names", b().crashes(1).lost(1)),
        holds(Large, "old-names-snapshot", b().checkpoints(1)),
        holds(Large, "old-names-rollback", some().rollbacks(1)),
        holds(Large, "old-names-clone", some().clones(1)),
    ]
}

fn reinstalled_and_restored() -> Vec<Case> {
    let reinstalled = || base().deletes().reinstalls(1);
    vec![
        breaks(
            "without-P6-reinstalled",
            "a reinstalled device asks about its old copy of a deleted document, and it is back",
            (BACK, 27),
            reinstalled().edits(1).without(&[Rule::Reinstalled]),
        ),
        breaks(
            "without-S5-hash",
            "the same where a snapshot has only the tombstone",
            (BACK, 28),
            reinstalled().edits(1).checkpoints(1).without(&[Rule::HashOfDelete]),
        ),
        breaks(
            "without-P9",
            "a pull is interrupted and the storage restored: what may be the only copy is forgotten",
            (QUIET, 15),
            base().edits(1).crashes(1).destroyed(1).restored(Calm).without(&[Rule::Reaching]),
        ),
        breaks(
            "without-P9-farthest",
            "the same: the next pull sets out for a nearer entry, which is still there",
            (QUIET, 30),
            base()
                .one_writer()
                .documents(2)
                .in_steps()
                .crashes(2)
                .destroyed(1)
                .restored(Calm)
                .without(&[Rule::Farthest]),
        ),
        breaks(
            "without-D1-undecided",
            "a start over is interrupted: the next change overwrites what was to be decided",
            (QUIET, 26),
            base().edits(1).crashes(1).restored(Calm).without(&[Rule::UndecidedStays]),
        ),
        breaks(
            "without-U7-anchor",
            "an attempt is sent again into a restored storage, above a gap",
            (QUIET, 18),
            base().lost(1).restored(BetweenSyncs).without(&[Rule::AnchorBeforeResend]),
        ),
        breaks(
            "restored-any-moment",
            "what no rule prevents: the storage is restored between P3 and the create",
            (QUIET, 16),
            base().restored(RestoreWhen::Always),
        ),
    ]
}

fn branches() -> Vec<Case> {
    let b = || base().rejoins();
    let one = || b().edits(1);
    let dead = || base().checkpoints(1).pointer(Pointer::Hint).snapshots_stay().cuts(1);
    vec![
        breaks(
            "without-D3-common",
            "the own version wins over one that was made on the other branch",
            (QUIET, 42),
            one().restored(Calm).without(&[Rule::CommonPart]),
        ),
        breaks(
            "without-D3-asking",
            "a version of the other branch is taken although it was not made upon the own one",
            (QUIET, 35),
            one().restored(Calm).without(&[Rule::MadeUpon]),
        ),
        large(breaks(
            "without-D3-waiting",
            "the own version wins over one that was deferred here",
            (QUIET, 46),
            b().checkpoints(1)
                .pointer(Pointer::Hint)
                .deferrals(2)
                .destroyed(1)
                .cuts(1)
                .when(BetweenSyncs)
                .without(&[Rule::NothingWaits]),
        )),
        breaks(
            "without-D3-still-there",
            "a start over is interrupted, and it goes on upon another log: the part in common is not",
            (QUIET, 41),
            b().others_edit(1)
                .crashes_joining(1)
                .cuts(2)
                .when(BetweenSyncs)
                .without(&[Rule::CommonStillThere]),
        ),
        traps(
            "without-P13",
            "the log is back and a snapshot of what it was is not: nobody can read past it",
            dead().edits(1).without(&[Rule::SnapshotOfItsLog]),
        ),
        breaks(
            "without-P13-grown",
            "the same once the log has grown: a reader takes the dead snapshot's documents for true",
            ("when all is quiet every device equals the head", 30),
            dead().others_edit(1).documents(2).without(&[Rule::SnapshotOfItsLog]),
        ),
        breaks(
            "without-D4-all",
            "only what was edited since goes into the new log",
            (QUIET, 12),
            one().emptyings(1).without(&[Rule::PutsAllBack]),
        ),
        breaks(
            "without-D4-own",
            "what waits here counts as the version that was edited",
            (QUIET, 41),
            b().others_edit(1).deferrals(1).emptyings(1).without(&[Rule::PutsUponOwn]),
        ),
    ]
}

/// Found in more than some seconds.
fn large(case: Case) -> Case {
    Case { size: Large, ..case }
}

fn storage() -> Vec<Case> {
    let webdav = || base().edits(1).on(Store::Webdav);
    let hint = || base().edits(1).checkpoints(1).hint_damage(1);
    vec![
        traps(
            "hint-without-list",
            "S1: the hint is lost, and nobody can read past the stubs",
            hint().pointer(Pointer::HintAndStubs).without(&[Rule::ListIfHintIsBroken]),
        ),
        breaks(
            "webdav-without-read-back",
            "the server answers 201 to losers, and they believe it",
            (COMMITTED, 18),
            webdav().without(&[Rule::ReadBack]),
        ),
        breaks(
            "webdav-with-overwrite",
            "`Overwrite: T`: a commit replaces another",
            ("the log is one chain", 18),
            webdav().without(&[Rule::OverwriteF]),
        ),
        breaks(
            "webdav-move-before-put",
            "an empty folder takes the slot, which nobody can read or take any more",
            (EMPTY, 8),
            webdav().without(&[Rule::PutBeforeMove]),
        ),
        breaks(
            "webdav-gc-without-ages",
            "gc empties a temporary folder that is then moved",
            (EMPTY, 14),
            webdav().gcs(1).ages(1).without(&[Rule::Ages]),
        ),
    ]
}

fn of_08() -> Vec<Case> {
    let calm = Version08 {
        clients: 2,
        documents: 2,
        edits: 1,
        expiries: 0,
        crashes: 0,
        expires_only_if_abandoned: false,
    };
    let kind = Version08 {
        edits: 2,
        expiries: 2,
        crashes: 2,
        expires_only_if_abandoned: true,
        ..calm.clone()
    };
    let equal = ("when all is quiet every device equals the storage", 19);
    let lost = ("when all is quiet every edit is in the storage", 19);
    let expiry = Version08 { expiries: 1, ..calm.clone() };
    let same = Version08 { documents: 1, ..expiry.clone() };
    let is = |(property, steps)| Expect::Breaks(property, steps);
    vec![
        version08("0.8-calm", "nothing goes wrong", Expect::Holds, calm),
        version08("0.8-kind", "a lock expires only if its holder is gone", Expect::Holds, kind),
        version08(
            "0.8-expiry",
            "both devices say \"synced\", each lacks the other's document for ever",
            is(equal),
            expiry,
        ),
        version08("0.8-expiry-same", "the same document: an edit is lost", is(lost), same),
    ]
}
