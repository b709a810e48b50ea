//! D3, D4: a storage that was restored, forked or emptied, and clients that join its branches.

use super::Size::{Large, Small};
use super::{ALL, Case, base, holds};
use crate::config::Pointer;
use crate::config::RestoreWhen::{BetweenSyncs, Calm};

pub(super) fn cases() -> Vec<Case> {
    let b = || base().rejoins();
    let one = || b().edits(1);
    let dead = || base().checkpoints(1).pointer(Pointer::Hint).snapshots_stay().cuts(1);
    let cut = || b().checkpoints(1).pointer(Pointer::Hint).cuts(1);
    vec![
        holds(Small, "rejoin", one().crashes_joining(1).restored(Calm)),
        holds(Small, "rejoin-2-documents", one().documents(2).restored(Calm)),
        holds(Small, "rejoin-delete", one().crashes_joining(1).deletes().restored(Calm)),
        holds(Small, "rejoin-put-back", one().crashes_joining(1).destroyed(1).cuts(2)),
        holds(Small, "put-back", one().crashes(1).emptyings(1)),
        holds(Small, "put-back-destroyed", one().crashes_joining(1).destroyed(1).emptyings(1)),
        holds(Small, "put-back-2-documents", one().documents(2).emptyings(1)),
        holds(Small, "put-back-delete", one().crashes(1).deletes().emptyings(1)),
        holds(Small, "dead-snapshot", dead().edits(1)),
        holds(Small, "dead-snapshot-rejoin", dead().edits(1).rejoins()),
        holds(Large, "rejoin-crash", one().crashes(1).restored(Calm)),
        holds(Large, "rejoin-destroyed", one().crashes(1).destroyed(1).restored(Calm)),
        holds(Large, "rejoin-edits", b().restored(Calm)),
        holds(Large, "rejoin-edits-crash", b().crashes_joining(1).restored(Calm)),
        holds(Large, "rejoin-steps", b().in_steps().restored(Calm)),
        holds(Large, "rejoin-attempt", one().crashes(1).lost(1).restored(BetweenSyncs)),
        holds(Large, "rejoin-defer", b().others_edit(1).deferrals(1).restored(Calm)),
        holds(Large, "rejoin-answers", one().crashes(1).answers(ALL).deletes().restored(Calm)),
        holds(Large, "rejoin-3-devices", one().clients(3).cuts(1)),
        holds(Large, "rejoin-emptied", one().crashes_joining(1).restored(Calm).emptyings(1)),
        holds(Large, "cut-edits", b().crashes(1).cuts(1)),
        holds(Large, "cut-twice", b().others_edit(1).crashes_joining(1).cuts(2)),
        holds(Large, "cut-snapshot", cut().crashes_joining(1)),
        holds(Large, "cut-defer", cut().deferrals(2).destroyed(1).when(BetweenSyncs)),
        holds(Large, "cut-steps", b().crashes_joining(1).cuts(1).in_steps()),
        holds(Large, "cut-documents", b().documents(2).cuts(1)),
        holds(Large, "put-back-edits", b().crashes_joining(1).emptyings(1)),
        holds(Large, "put-back-defer", b().deferrals(1).emptyings(1)),
        holds(Large, "put-back-twice", one().crashes(1).emptyings(2)),
        holds(Large, "put-back-3-devices", one().clients(3).emptyings(1)),
        holds(Large, "dead-snapshot-edits", dead().others_edit(1).crashes(1)),
        holds(Large, "dead-snapshot-documents", dead().others_edit(1).documents(2)),
        holds(Large, "dead-snapshot-rejoin-edits", dead().crashes_joining(1)),
    ]
}
