//! Runs of the simulator. Each seed is a run; one that fails is shown with all that happened in it.
//!
//! | variable | meaning |
//! |---|---|
//! | `DB_TO_CLOUD_SEED` | this seed alone |
//! | `DB_TO_CLOUD_RUNS` | so many seeds (`500`), or as many as fit into a time (`60s`) |
//! | `DB_TO_CLOUD_FROM` | the first of them |

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]
#![allow(clippy::print_stdout, reason = "a long run says how many runs it was")]

mod budget;

use db_to_cloud_tests::simulator::{self, Counts, Kind};

use budget::Budget;

/// How often a quick run must have seen each thing for its silence to mean something.
const SEEN: &[(Kind, &[&str])] = &[
    (
        Kind::Strong,
        &[
            "conflict",
            "days passed",
            "device cloned",
            "device lost",
            "device reinstalled",
            "device rolled back",
            "document collected",
            "document lost by the storage",
            "document missing",
            "documents excluded",
            "edit of an older revision",
            "everything included",
            "landed late",
            "lock taken",
            "lost document given up",
            "object damaged",
            "race for a slot lost",
            "rejoined a storage that went back",
            "rejoined another branch",
            "snapshot part read",
            "storage put back",
            "storage went back",
            "sync dropped half way",
            "sync said: damaged object",
            "sync said: diverged",
            "sync said: storage trouble",
        ],
    ),
    (Kind::Weak, &["conflict", "entry put again", "landed late", "snapshot part read"]),
];

/// Plays runs; answers how often what happened in them, and the number of runs.
fn play(kind: Kind, quick: u64) -> (Counts, u64) {
    let (mut counts, mut budget) = (Counts::new(), Budget::from_environment(quick));
    while let Some(seed) = budget.next_seed() {
        match simulator::run(seed, kind) {
            Ok(seen) => seen.into_iter().for_each(|(k, n)| *counts.entry(k).or_default() += n),
            Err(failure) => {
                let shown = simulator::explain(seed, kind).unwrap_or(failure);
                panic!("{kind:?} storage, DB_TO_CLOUD_SEED={seed}\n{shown}");
            }
        }
    }
    println!("{kind:?} storage: {} runs went well: {counts:#?}", budget.runs());
    if budget.is_quick() {
        for what in SEEN.iter().filter(|(k, _)| *k == kind).flat_map(|(_, all)| *all) {
            assert!(counts.contains_key(what), "never happened: {what}");
        }
    }
    (counts, budget.runs())
}

#[test]
fn on_strong_storage_no_invariant_breaks_whatever_happens() {
    let (counts, runs) = play(Kind::Strong, 1400);
    assert!(counts["sync went well"] > runs, "hardly anything went well");
}

#[test]
fn on_weak_storage_no_promise_breaks_whatever_happens() {
    let (counts, runs) = play(Kind::Weak, 500);
    assert!(counts["sync went well"] > runs, "hardly anything went well");
}

/// Invariant 12.
#[test]
fn the_same_seed_gives_the_same_trace() {
    for kind in [Kind::Strong, Kind::Weak] {
        let traces: Vec<_> = (1000..1012).map(|seed| simulator::trace(seed, kind)).collect();
        for (seed, trace) in (1000..).zip(&traces) {
            assert_eq!(*trace, simulator::trace(seed, kind), "{kind:?}, seed {seed}");
            assert!(trace.len() > 50, "hardly anything happens in seed {seed}");
        }
        assert!(traces.windows(2).all(|two| two[0] != two[1]), "all seeds are alike");
    }
}
