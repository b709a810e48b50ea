//! Hostile bytes: what the fuzzers found worth keeping, and properties of any damage to any object
//! and of any id. More cases than usual: `PROPTEST_CASES=100000`.

#![allow(clippy::unwrap_used, clippy::panic, reason = "tests fail by panicking")]

mod bounds;
mod corpus;
mod ids;
mod objects;
mod parts;

use proptest::test_runner::{Config, RngSeed};

/// So many cases, always the same ones; other ones with `PROPTEST_CASES` and `PROPTEST_RNG_SEED`.
fn cases(count: u32) -> Config {
    let usual = Config { failure_persistence: None, ..Config::default() };
    match std::env::var_os("PROPTEST_CASES") {
        Some(_) => usual,
        None => Config { cases: count, rng_seed: RngSeed::Fixed(4), ..usual },
    }
}
