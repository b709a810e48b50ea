//! Each rule switched off: a counterexample is expected.

use super::Size::{Large, Small};
use super::strong::{eager, stops};
use super::{Case, Expect, Subject, case, holds};
use crate::config::Answer::{KeepLocal, Merge};
use crate::config::{Configuration, Faults, LockPolicy, Pointer, RestoreWhen, Rule, Store};
use crate::version08::Version08;

pub(super) fn cases() -> Vec<Case> {
    [of_the_table(), uploads(), new(), version08()].concat()
}

fn of_the_table() -> Vec<Case> {
    let b = Configuration::new;
    let f = Faults::default;
    let x = |name, about, property, steps, c| case(Small, name, about, Expect::Breaks(property, steps), c);
    vec![
        x("without-K2", "", "a committed edit is in the head", 18, Configuration { faults: Faults { checkpoints: 1, ..f() }, lock: LockPolicy::Always, without: &[Rule::SlotsStay, Rule::Anchor], ..eager() }),
        x("without-ages", "", "", 13, Configuration { faults: Faults { gcs: 1, ..stops(0, 1) }, ages: 1, without: &[Rule::Ages], ..b() }),
        x("without-U6", "", "", 14, Configuration { without: &[Rule::KeepNewerEdit], ..b() }),
        x("without-P7", "", "", 16, Configuration { without: &[Rule::CompareAndSet], ..b() }),
        x("without-C4", "", "", 3, Configuration { faults: stops(1, 0), queued_later: true, without: &[Rule::CompareAtStart], ..b() }),
        x("without-P7-queued-later", "", "", 18, Configuration { queued_later: true, without: &[Rule::CompareAndSet], ..b() }),
        x("without-K1", "", "", 23, Configuration { faults: Faults { checkpoints: 1, ..stops(1, 0) }, without: &[Rule::SnapshotOfLog], ..b() }),
        x("without-K1-deferred", "", "", 23, Configuration { faults: Faults { checkpoints: 1, deferrals: 1, ..f() }, without: &[Rule::SnapshotOfLog], ..b() }),
        x("without-U2", "", "", 28, Configuration { keeps_uploads: false, faults: stops(0, 1), answers: &[KeepLocal], without: &[Rule::NewNames, Rule::DurableAttempt], ..eager() }),
        x("without-P3", "", "", 10, Configuration { faults: Faults { restores: 1, ..f() }, without: &[Rule::Anchor], ..b() }),
        x("without-P8", "", "", 24, Configuration { faults: stops(1, 0), without: &[Rule::MergeAppliesFirst, Rule::Intents], ..b() }),
    ]
}

fn uploads() -> Vec<Case> {
    let b = Configuration::new;
    let two = || Configuration { documents: 2, edits: 1, ..b() };
    let old = || Configuration { edits: 1, answers: &[Merge, KeepLocal], without: &[Rule::NewNames], ..eager() };
    vec![
        holds(Large, "old-names", "without U2 alone: the recorded attempt suffices", Configuration { faults: stops(1, 1), answers: super::strong::ALL, edits: 2, ..old() }),
        holds(Large, "old-names-snapshot", "", Configuration { faults: Faults { checkpoints: 1, ..stops(0, 0) }, answers: super::strong::ALL, edits: 2, ..old() }),
        holds(Large, "old-names-rollback", "", Configuration { faults: Faults { rollbacks: 1, checkpoints: 1, ..stops(0, 1) }, ..old() }),
        holds(Large, "old-names-clone", "", Configuration { faults: Faults { clones: 1, checkpoints: 1, ..stops(0, 1) }, ..old() }),
        case(Small, "kept-whatever-age", "", Expect::Breaks("", 0), Configuration { faults: Faults { gcs: 1, ..stops(0, 0) }, ages: 3, without: &[Rule::AgeOfKept], ..two() }),
        case(Small, "kept-whatever-content", "", Expect::Breaks("", 0), Configuration { without: &[Rule::ContentOfKept], documents: 2, edits: 2, ..b() }),
    ]
}

fn new() -> Vec<Case> {
    let b = || Configuration { edits: 1, ..Configuration::new() };
    let webdav = || Configuration { store: Store::Webdav, ..b() };
    let reinstalled = || Configuration { faults: Faults { reinstalls: 1, ..stops(0, 0) }, edits: 2, deletes: true, ..b() };
    let x = |name, about, c| case(Small, name, about, Expect::Breaks("", 0), c);
    vec![
        x("without-P6-reinstalled", "", Configuration { without: &[Rule::Reinstalled], ..reinstalled() }),
        x("without-hash-of-delete", "", Configuration { faults: Faults { checkpoints: 1, ..reinstalled().faults }, without: &[Rule::HashOfDelete], ..reinstalled() }),
        x("without-U7-anchor", "", Configuration { faults: Faults { restores: 1, ..stops(0, 1) }, edits: 2, restore_when: RestoreWhen::BetweenSyncs, without: &[Rule::AnchorBeforeResend], ..b() }),
        x("restored-any-moment", "", Configuration { faults: Faults { restores: 1, ..stops(0, 0) }, edits: 2, restore_when: RestoreWhen::Always, ..b() }),
        x("hint-without-list", "", Configuration { faults: Faults { checkpoints: 1, hint_damage: 1, ..stops(0, 0) }, pointer: Pointer::HintAndStubs, without: &[Rule::ListIfHintIsBroken], ..b() }),
        x("webdav-no-read-back", "", Configuration { without: &[Rule::ReadBack], ..webdav() }),
        x("webdav-overwrites", "", Configuration { without: &[Rule::OverwriteF], ..webdav() }),
        x("webdav-empty-move", "", Configuration { without: &[Rule::PutBeforeMove], ..webdav() }),
        x("webdav-gc-no-ages", "", Configuration { faults: Faults { gcs: 1, ..stops(0, 0) }, ages: 1, without: &[Rule::Ages], ..webdav() }),
    ]
}

fn version08() -> Vec<Case> {
    let b = || Version08 { clients: 2, documents: 2, edits: 1, expiries: 0, crashes: 0, expires_only_if_abandoned: false };
    let c = |name, about, expect, v| Case { name, about, expect, size: Small, subject: Subject::Version08(v) };
    let breaks = Expect::Breaks("", 19);
    vec![
        c("0.8", "nothing goes wrong", Expect::Holds, b()),
        c("0.8-lock-expires", "", breaks, Version08 { expiries: 1, ..b() }),
        c("0.8-lock-expires-1-document", "", breaks, Version08 { documents: 1, expiries: 1, ..b() }),
        c("0.8-crash", "", breaks, Version08 { documents: 1, edits: 2, expiries: 1, crashes: 1, ..b() }),
        c("0.8-crash-kind-lock", "", Expect::Holds, Version08 { edits: 2, expiries: 2, crashes: 2, expires_only_if_abandoned: true, ..b() }),
        c("0.8-crash-kind-lock-1-document", "", Expect::Holds, Version08 { documents: 1, edits: 2, expiries: 2, crashes: 2, expires_only_if_abandoned: true, ..b() }),
    ]
}
