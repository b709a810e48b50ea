//! What the prototype lacks: tombstones and reinstalled devices, the hint, WebDAV's slots, the
//! advisory lock.

use super::Case;
use super::Size::{Large, Small};
use super::holds;
use super::strong::{ALL, stops};
use crate::config::{Configuration, Faults, LockPolicy, Pointer, Store};

pub(super) fn cases() -> Vec<Case> {
    [reinstalled(), hint(), webdav(), advisory_lock()].concat()
}

fn reinstalled() -> Vec<Case> {
    let b = || Configuration { edits: 1, deletes: true, ..Configuration::new() };
    let reinstalled = |faults| Faults { reinstalls: 1, ..faults };
    let snapshot = |faults| Faults { checkpoints: 1, ..faults };
    vec![
        holds(Small, "reinstalled", "a device loses its state, not its documents; users delete", Configuration { faults: reinstalled(stops(0, 0)), edits: 2, ..b() }),
        holds(Small, "reinstalled-lost", "", Configuration { faults: reinstalled(stops(0, 1)), ..b() }),
        holds(Large, "reinstalled-answers", "", Configuration { faults: reinstalled(stops(1, 1)), edits: 2, answers: ALL, ..b() }),
        holds(Large, "reinstalled-snapshot", "the entries are stubs: old copies are known by the hash of the delete only", Configuration { faults: snapshot(reinstalled(stops(0, 0))), edits: 2, ..b() }),
        holds(Small, "reinstalled-3-devices", "", Configuration { faults: reinstalled(stops(0, 0)), clients: 3, ..b() }),
        holds(Large, "reinstalled-2-documents", "", Configuration { faults: reinstalled(stops(0, 0)), documents: 2, ..b() }),
    ]
}

fn hint() -> Vec<Case> {
    let b = || Configuration { edits: 1, pointer: Pointer::Hint, ..Configuration::new() };
    let stubs = || Configuration { pointer: Pointer::HintAndStubs, ..b() };
    let hint = |checkpoints, hint_damage, faults| Faults { checkpoints, hint_damage, ..faults };
    vec![
        holds(Small, "hint", "snapshots are found by the hint, which is lost or old", Configuration { faults: hint(2, 1, stops(0, 0)), ..b() }),
        holds(Small, "hint-stubs", "and covered entries become stubs", Configuration { faults: hint(2, 1, stops(0, 0)), ..stubs() }),
        holds(Large, "hint-stubs-crash", "", Configuration { faults: hint(2, 1, stops(1, 0)), edits: 2, ..stubs() }),
        holds(Large, "hint-3-devices", "", Configuration { faults: hint(2, 1, stops(0, 0)), clients: 3, ..b() }),
        holds(Large, "hint-stubs-3-devices", "", Configuration { faults: hint(2, 1, stops(0, 0)), clients: 3, ..stubs() }),
        holds(Small, "hint-gc", "gc deletes old snapshots; the hint names one that is gone", Configuration { faults: Faults { gcs: 1, ..hint(2, 1, stops(0, 0)) }, ages: 2, ..stubs() }),
        holds(Large, "hint-2-documents-delete", "", Configuration { faults: hint(1, 1, stops(0, 0)), documents: 2, deletes: true, ..b() }),
    ]
}

fn webdav() -> Vec<Case> {
    let b = || Configuration { edits: 1, store: Store::Webdav, ..Configuration::new() };
    vec![
        holds(Small, "webdav", "slots by MKCOL, PUT, MOVE, read back; a crash, a lost or late MOVE", Configuration { faults: stops(1, 1), ..b() }),
        holds(Large, "webdav-edits", "", Configuration { faults: stops(1, 1), edits: 2, ..b() }),
        holds(Small, "webdav-resend", "a late MOVE is looked after and sent again", Configuration { faults: stops(0, 2), sends_again: true, ..b() }),
        holds(Large, "webdav-3-devices", "", Configuration { faults: stops(0, 1), clients: 3, ..b() }),
        holds(Large, "webdav-2-documents", "", Configuration { faults: stops(0, 1), documents: 2, ..b() }),
        holds(Small, "webdav-gc", "gc deletes temporary folders that were left", Configuration { faults: Faults { gcs: 1, ..stops(0, 1) }, ages: 2, ..b() }),
        holds(Large, "webdav-gc-crash", "", Configuration { faults: Faults { gcs: 1, ..stops(1, 1) }, ages: 3, ..b() }),
    ]
}

fn advisory_lock() -> Vec<Case> {
    let b = || Configuration { lock: LockPolicy::AfterRaces(1), ..Configuration::new() };
    let breaks = |faults| Faults { lock_breaks: 1, ..faults };
    vec![
        holds(Small, "lock", "after one lost race the lock, broken at any moment", Configuration { faults: breaks(stops(1, 0)), edits: 1, ..b() }),
        holds(Large, "lock-edits", "", Configuration { faults: breaks(stops(1, 1)), ..b() }),
        holds(Small, "lock-2-races", "after two lost races", Configuration { faults: breaks(stops(0, 0)), lock: LockPolicy::AfterRaces(2), ..b() }),
        holds(Large, "lock-3-devices", "", Configuration { faults: breaks(stops(1, 0)), clients: 3, edits: 1, ..b() }),
        holds(Large, "lock-2-documents", "", Configuration { faults: breaks(stops(0, 1)), documents: 2, edits: 1, ..b() }),
    ]
}
