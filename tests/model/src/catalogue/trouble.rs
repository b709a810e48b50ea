//! A strong store: snapshots, garbage collection, and devices and storage that are not what they
//! were.

use super::Case;
use super::Size::{Large, Small};
use super::holds;
use super::strong::{ALL, eager, stops};
use crate::config::Answer::{KeepLocal, Merge};
use crate::config::{Configuration, Faults, RestoreWhen};

pub(super) fn cases() -> Vec<Case> {
    [checkpoints(), gc(), devices(), restores()].concat()
}

fn checkpoints() -> Vec<Case> {
    let snapshots = |checkpoints, faults| Faults { checkpoints, ..faults };
    let two = || Configuration { documents: 2, edits: 1, ..eager() };
    vec![
        holds(Small, "snapshot-small", "", Configuration { faults: snapshots(1, stops(1, 1)), edits: 1, ..eager() }),
        holds(Large, "snapshot", "", Configuration { faults: snapshots(1, stops(1, 1)), ..eager() }),
        holds(Large, "snapshot-twice", "", Configuration { faults: snapshots(2, stops(1, 1)), ..eager() }),
        holds(Large, "snapshot-twice-no-crash", "", Configuration { faults: snapshots(2, stops(0, 1)), ..eager() }),
        holds(
            Large,
            "snapshot-behind",
            "the snapshot leaves the newest entry out",
            Configuration { faults: snapshots(1, stops(1, 1)), snapshot_behind: 1, ..eager() },
        ),
        holds(
            Large,
            "snapshot-3-devices",
            "",
            Configuration { faults: snapshots(1, stops(0, 1)), clients: 3, edits: 1, ..eager() },
        ),
        holds(
            Large,
            "snapshot-2-documents-delete",
            "",
            Configuration { faults: snapshots(1, stops(1, 1)), deletes: true, ..two() },
        ),
        holds(
            Large,
            "snapshot-2-documents-defer",
            "",
            Configuration { faults: Faults { deferrals: 1, ..snapshots(1, stops(1, 0)) }, ..two() },
        ),
    ]
}

fn gc() -> Vec<Case> {
    let b = Configuration::new;
    let gc = |faults| Faults { gcs: 1, ..faults };
    let both = |faults| Faults { gcs: 1, checkpoints: 1, ..faults };
    let one = || Configuration { edits: 1, ..b() };
    let two = || Configuration { documents: 2, edits: 1, ..b() };
    vec![
        holds(Small, "gc-tiny", "gc, and time passes", Configuration { faults: gc(stops(0, 1)), ages: 3, ..one() }),
        holds(Large, "gc-small", "", Configuration { faults: gc(stops(1, 1)), ages: 3, ..one() }),
        holds(Large, "gc-edits", "", Configuration { faults: gc(stops(0, 0)), ages: 3, ..b() }),
        holds(Large, "gc", "", Configuration { faults: gc(stops(0, 1)), ages: 3, ..b() }),
        holds(Large, "gc-snapshot", "", Configuration { faults: both(stops(1, 1)), ages: 2, ..one() }),
        holds(Small, "gc-2-documents-calm", "", Configuration { faults: gc(stops(0, 0)), ages: 3, ..two() }),
        holds(Large, "gc-2-documents", "", Configuration { faults: gc(stops(0, 1)), ages: 3, ..two() }),
        holds(Large, "gc-2-documents-snapshot", "", Configuration { faults: both(stops(1, 0)), ages: 2, ..two() }),
        holds(
            Large,
            "gc-answers",
            "",
            Configuration { faults: gc(stops(0, 0)), ages: 2, answers: &[Merge, KeepLocal], ..eager() },
        ),
        holds(
            Large,
            "gc-answers-crash",
            "",
            Configuration { faults: both(stops(1, 1)), ages: 2, answers: ALL, ..one() },
        ),
        holds(
            Large,
            "everything",
            "one device, one document, all at once",
            Configuration {
                faults: both(stops(1, 1)),
                ages: 2,
                deletes: true,
                answers: ALL,
                queued_later: true,
                edits: 1,
                ..eager()
            },
        ),
    ]
}

fn devices() -> Vec<Case> {
    let one = || Configuration { edits: 1, ..eager() };
    let two = || Configuration { documents: 2, edits: 1, ..eager() };
    let rollback = |faults| Faults { rollbacks: 1, ..faults };
    let clone = |faults| Faults { clones: 1, ..faults };
    let snapshot = |faults| Faults { checkpoints: 1, ..faults };
    let b = Configuration::new;
    vec![
        holds(Small, "rollback-small", "a device is rolled back", Configuration { faults: snapshot(rollback(stops(0, 1))), ..one() }),
        holds(Large, "rollback", "", Configuration { faults: snapshot(rollback(stops(0, 1))), ..eager() }),
        holds(Large, "rollback-answers", "", Configuration { faults: snapshot(rollback(stops(0, 1))), answers: ALL, ..one() }),
        holds(Large, "rollback-2-documents", "", Configuration { faults: rollback(stops(0, 1)), ..two() }),
        holds(Large, "rollback-2-documents-snapshot", "", Configuration { faults: snapshot(rollback(stops(0, 0))), ..two() }),
        holds(Small, "clone-small", "a device becomes a copy of another", Configuration { faults: snapshot(clone(stops(0, 1))), ..one() }),
        holds(Large, "clone", "", Configuration { faults: snapshot(clone(stops(0, 1))), ..eager() }),
        holds(Large, "clone-answers", "", Configuration { faults: snapshot(clone(stops(0, 1))), answers: ALL, ..one() }),
        holds(Large, "clone-2-documents", "", Configuration { faults: clone(stops(0, 1)), ..two() }),
        holds(Large, "clone-2-documents-snapshot", "", Configuration { faults: snapshot(clone(stops(0, 0))), ..two() }),
        holds(Large, "destroyed", "a device is destroyed", Configuration { faults: Faults { destroyed: 1, ..snapshot(stops(0, 1)) }, ..b() }),
        holds(Small, "destroyed-small", "", Configuration { faults: Faults { destroyed: 1, ..stops(0, 1) }, edits: 1, ..b() }),
    ]
}

fn restores() -> Vec<Case> {
    let b = Configuration::new;
    let restored = |faults| Faults { restores: 1, ..faults };
    vec![
        holds(Small, "restored", "the storage is restored while all is calm", Configuration { faults: restored(stops(0, 0)), edits: 1, ..b() }),
        holds(Large, "restored-edits", "", Configuration { faults: restored(stops(0, 0)), ..b() }),
        holds(Large, "restored-2-documents", "", Configuration { faults: restored(stops(0, 0)), documents: 2, edits: 1, ..b() }),
        holds(
            Small,
            "restored-between-syncs",
            "the storage is restored while an attempt is left (U7)",
            Configuration { faults: restored(stops(0, 1)), edits: 1, restore_when: RestoreWhen::BetweenSyncs, ..b() },
        ),
        holds(
            Large,
            "restored-between-syncs-edits",
            "",
            Configuration { faults: restored(stops(0, 1)), restore_when: RestoreWhen::BetweenSyncs, ..b() },
        ),
    ]
}
