//! What the prototype lacked: reinstalled devices, the hint, WebDAV's slots, the advisory lock.

use super::Size::{Large, Small};
use super::{ALL, Case, base, holds};
use crate::config::LockPolicy::AfterRaces;
use crate::config::{Pointer, Store};

pub(super) fn cases() -> Vec<Case> {
    [reinstalled(), hint(), webdav(), advisory_lock()].concat()
}

fn reinstalled() -> Vec<Case> {
    let b = || base().deletes().reinstalls(1);
    let one = || b().edits(1);
    vec![
        holds(Small, "reinstalled", one().lost(1)),
        holds(Small, "reinstalled-2-documents", one().documents(2)),
        holds(Small, "reinstalled-snapshot", one().checkpoints(1).crashes(1)),
        holds(Large, "reinstalled-edits", b()),
        holds(Large, "reinstalled-answers", b().crashes(1).lost(1).answers(ALL)),
        holds(Large, "reinstalled-edits-snapshot", b().checkpoints(1)),
        holds(Large, "reinstalled-3-devices", one().clients(3)),
    ]
}

fn hint() -> Vec<Case> {
    let b = || base().edits(1).checkpoints(2).hint_damage(1).pointer(Pointer::Hint);
    let stubs = || b().pointer(Pointer::HintAndStubs);
    vec![
        holds(Small, "hint", b().crashes(1)),
        holds(Small, "hint-stubs", stubs().crashes(1)),
        holds(Small, "hint-edits", b().edits(2)),
        holds(Small, "hint-2-documents", b().documents(2).deletes()),
        holds(Large, "hint-gc", stubs().gcs(1).ages(2)),
        holds(Large, "hint-edits-crash", b().edits(2).crashes(1)),
        holds(Large, "hint-stubs-crash", stubs().edits(2).crashes(1)),
        holds(Large, "hint-3-devices", b().clients(3)),
        holds(Large, "hint-stubs-3-devices", stubs().clients(3)),
    ]
}

fn webdav() -> Vec<Case> {
    let b = || base().on(Store::Webdav);
    let one = || b().edits(1);
    vec![
        holds(Small, "webdav", one().crashes(1).lost(1)),
        holds(Small, "webdav-sends-again", one().lost(2).sends_again()),
        holds(Small, "webdav-2-documents", one().documents(2).lost(1)),
        holds(Small, "webdav-gc", one().gcs(1).ages(2)),
        holds(Large, "webdav-edits", b().crashes(1).lost(1)),
        holds(Large, "webdav-3-devices", one().clients(3).lost(1)),
        holds(Large, "webdav-gc-lost", one().gcs(1).ages(2).lost(1)),
        holds(Large, "webdav-gc-crash", one().gcs(1).ages(3).crashes(1).lost(1)),
    ]
}

fn advisory_lock() -> Vec<Case> {
    let b = || base().lock(AfterRaces(1)).lock_breaks(1);
    let one = || b().edits(1);
    vec![
        holds(Small, "lock", one().crashes(1).lost(1)),
        holds(Small, "lock-2-races", b().lock(AfterRaces(2))),
        holds(Small, "lock-2-documents", one().documents(2).lost(1)),
        holds(Large, "lock-edits", b().crashes(1).lost(1)),
        holds(Large, "lock-3-devices", one().clients(3).crashes(1)),
    ]
}
