//! A strong store: snapshots, garbage collection, and devices and storage that are not what they
//! were.

use super::Size::{Large, Small};
use super::{ALL, Case, base, holds};
use crate::config::Answer::{KeepLocal, Merge};
use crate::config::RestoreWhen::{BetweenSyncs, Calm};

pub(super) fn cases() -> Vec<Case> {
    [checkpoints(), gc(), devices(), restores()].concat()
}

fn checkpoints() -> Vec<Case> {
    let b = || base().eager().checkpoints(1);
    let two = || b().edits(1).documents(2).crashes(1);
    vec![
        holds(Small, "snapshot", b().edits(1).crashes(1).lost(1)),
        holds(Small, "snapshot-defer", two().deferrals(1)),
        holds(Large, "snapshot-edits", b().crashes(1).lost(1)),
        holds(Large, "snapshot-twice", b().checkpoints(2).crashes(1).lost(1)),
        holds(Large, "snapshot-twice-lost", b().checkpoints(2).lost(1)),
        holds(Large, "snapshot-behind", b().crashes(1).lost(1).behind(1)),
        holds(Large, "snapshot-3-devices", b().edits(1).clients(3).lost(1)),
        holds(Large, "snapshot-delete", two().lost(1).deletes()),
    ]
}

fn gc() -> Vec<Case> {
    let b = || base().gcs(1).ages(3);
    let one = || b().edits(1);
    let two = || one().documents(2);
    let short = || b().ages(2);
    vec![
        holds(Small, "gc", one().ages(2)),
        holds(Large, "gc-2-documents", two().ages(2)),
        holds(Large, "gc-lost", one().lost(1)),
        holds(Large, "gc-crash", one().crashes(1).lost(1)),
        holds(Large, "gc-edits", b()),
        holds(Large, "gc-edits-lost", b().lost(1)),
        holds(Large, "gc-snapshot", short().edits(1).checkpoints(1).crashes(1).lost(1)),
        holds(Large, "gc-2-documents-lost", two().lost(1)),
        holds(Large, "gc-2-documents-snapshot", two().ages(2).checkpoints(1).crashes(1)),
        holds(Large, "gc-answers", short().answers(&[Merge, KeepLocal]).eager()),
        holds(
            Large,
            "everything",
            short().edits(1).checkpoints(1).crashes(1).lost(1).answers(ALL).deletes().eager(),
        ),
    ]
}

fn devices() -> Vec<Case> {
    let b = || base().eager().lost(1);
    let one = || b().edits(1);
    let two = || one().documents(2);
    vec![
        holds(Small, "rollback", one().lost(0).rollbacks(1)),
        holds(Small, "clone", one().clones(1)),
        holds(Small, "destroyed", one().destroyed(1)),
        holds(Large, "rollback-snapshot", one().rollbacks(1).checkpoints(1)),
        holds(Large, "rollback-edits", b().rollbacks(1).checkpoints(1)),
        holds(Large, "rollback-answers", one().rollbacks(1).checkpoints(1).answers(ALL)),
        holds(Large, "rollback-2-documents", two().rollbacks(1)),
        holds(Large, "rollback-2-documents-snapshot", two().lost(0).rollbacks(1).checkpoints(1)),
        holds(Large, "clone-snapshot", one().clones(1).checkpoints(1)),
        holds(Large, "clone-edits", b().clones(1).checkpoints(1)),
        holds(Large, "clone-answers", one().clones(1).checkpoints(1).answers(ALL)),
        holds(Large, "clone-2-documents", two().clones(1)),
        holds(Large, "clone-2-documents-snapshot", two().lost(0).clones(1).checkpoints(1)),
        holds(Large, "destroyed-snapshot", base().lost(1).destroyed(1).checkpoints(1)),
    ]
}

fn restores() -> Vec<Case> {
    let one = || base().edits(1);
    vec![
        holds(Small, "restored", one().restored(Calm)),
        holds(Small, "restored-2-documents", one().documents(2).restored(Calm)),
        holds(Small, "restored-crash", one().crashes(1).restored(Calm)),
        holds(Small, "restored-crash-destroyed", one().crashes(1).destroyed(1).restored(Calm)),
        holds(
            Small,
            "restored-crash-steps",
            base().one_writer().documents(2).in_steps().crashes(2).destroyed(1).restored(Calm),
        ),
        holds(Large, "restored-crash-lost", one().crashes(1).lost(1).restored(BetweenSyncs)),
        holds(Large, "restored-crash-delete", one().crashes(1).restored(Calm).deletes()),
        holds(Large, "restored-2-documents-crash", one().documents(2).crashes(1).restored(Calm)),
        holds(Large, "restored-crash-edits", base().crashes(1).restored(Calm)),
        holds(Large, "emptied-crash", base().crashes(1).destroyed(1).emptied(Calm)),
        holds(
            Large,
            "emptied-crash-steps",
            base().crashes(1).destroyed(1).emptied(Calm).in_steps(),
        ),
        holds(Large, "emptied-crashes", one().crashes(2).destroyed(1).emptied(Calm)),
        holds(Small, "restored-attempt", one().lost(1).restored(BetweenSyncs)),
        holds(Large, "restored-edits", base().restored(Calm)),
        holds(Large, "restored-attempt-edits", base().lost(1).restored(BetweenSyncs)),
    ]
}
