//! A weak store: overwriting puts under a lock (W).

use super::Case;
use super::Size::{Large, Small};
use super::strong::stops;
use super::{Expect, case, holds};
use crate::config::{Configuration, Faults, LockPolicy, Rule, Store};

pub(super) fn cases() -> Vec<Case> {
    let b = || Configuration {
        store: Store::Weak,
        lock: LockPolicy::Always,
        keeps_uploads: false,
        ..Configuration::new()
    };
    let one = || Configuration { edits: 1, ..b() };
    let breaks = |faults| Faults { lock_breaks: 1, ..faults };
    let snapshot = |faults| Faults { checkpoints: 1, ..faults };
    vec![
        case(Small, "weak-no-anchor", "", Expect::Breaks("", 0), Configuration { faults: breaks(stops(0, 0)), without: &[Rule::Anchor], ..b() }),
        holds(Large, "weak-lock-holds", "", Configuration { faults: stops(1, 0), without: &[Rule::Anchor], ..b() }),
        holds(Large, "weak", "", Configuration { faults: breaks(stops(0, 0)), ..b() }),
        holds(Large, "weak-late-put", "", Configuration { faults: breaks(stops(0, 1)), ..b() }),
        holds(Large, "weak-snapshot-behind", "", Configuration { faults: snapshot(breaks(stops(0, 0))), snapshot_behind: 1, ..b() }),
        holds(Large, "weak-snapshot", "", Configuration { faults: snapshot(breaks(stops(0, 0))), ..b() }),
        holds(Large, "weak-3-devices", "", Configuration { faults: breaks(stops(0, 1)), clients: 3, ..one() }),
        holds(Large, "weak-gc", "", Configuration { faults: Faults { gcs: 1, ..breaks(stops(0, 0)) }, ages: 2, ..one() }),
        case(Small, "weak-author-destroyed", "", Expect::Breaks("", 0), Configuration { faults: Faults { destroyed: 1, ..breaks(stops(0, 0)) }, ..one() }),
        case(Large, "weak-2-documents", "", Expect::Breaks("", 37), Configuration { faults: breaks(stops(0, 1)), documents: 2, ..one() }),
    ]
}
