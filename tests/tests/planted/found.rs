//! The simulator finds the loss without a rule by itself, in a run that nobody wrote. The bounds are
//! generous: they were set when the first such seed was at most two thirds of them.
//!
//! It does not find what is missing in the list; there only the stories stand for the rule:
//!
//! | rule | why |
//! |---|---|
//! | `Edits` | without it a decision waits for the next sync: a run loses nothing by that |
//! | `U2`, `U3`, `G1` | days or weeks must pass in one order, and the author, who puts a missing document again (rule D2), must not look first |
//! | `U5Lost`, `U7Kept`, `U7Flight` | a device is in conflict with its own edit: the resolver of a run merges, and so loses nothing |
//! | `D1` | for the same reason starting over unasked loses nothing that a run counts |
//! | `U2Content` | an upload of before a pull names the version that it was made upon: the other devices ask (rule P14) |
//! | `P1` | each sync finds its anchor before it reads on (rule P3): only two branches mixed in one log pass that, and no run copies files |
//! | `L1` | on strong storage nothing depends on the lock, on weak storage rule W4 mends what it does |

use db_to_cloud::planted::{Rule, without};
use db_to_cloud_tests::simulator::{Kind, run};

/// Plays runs without the rule: one of them must fail.
#[track_caller]
fn finds(rule: Rule, kind: Kind, below: u64) {
    let _off = without(rule);
    let failure = (0..below).find_map(|seed| run(seed, kind).err());
    let failure = failure.unwrap_or_else(|| panic!("{below} runs go well without {rule:?}"));
    println!("without {rule:?}, seed {}: {}", failure.seed, failure.invariant);
}

macro_rules! rules {
    ($($name:ident: $rule:ident, $kind:ident, $below:literal;)*) => {
        $(
            #[test]
            fn $name() {
                finds(Rule::$rule, Kind::$kind, $below);
            }
        )*
    };
}

rules! {
    without_c4: C4, Strong, 100;
    without_p3: P3, Strong, 50;
    without_p7: P7, Strong, 50;
    without_p8: P8, Strong, 600;
    without_u5_unknown_is_won: U5Won, Strong, 50;
    without_u6: U6, Strong, 250;
    without_u7_nothing_is_settled: U7Settled, Strong, 350;
    without_u7_nothing_is_dropped: U7Dropped, Strong, 600;
    without_w4: W4, Weak, 150;
    without_s9: S9, Strong, 50;
    without_k1: K1, Strong, 700;
    without_k2: K2, Strong, 50;
}
