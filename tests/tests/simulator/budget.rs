//! Which seeds are played, and when it is enough.

use std::env::var;
use std::str::FromStr;
use std::time::{Duration, Instant};

/// Seeds, until their number or the time is used up.
pub(crate) struct Budget {
    first: u64,
    next: u64,
    end: u64,
    until: Option<Instant>,
    quick: bool,
}

impl Budget {
    /// What the environment asks for, or so many from 0 on.
    pub(crate) fn from_environment(quick: u64) -> Self {
        let first = number("DB_TO_CLOUD_FROM").unwrap_or(0);
        let all = Self { first, next: first, end: first + quick, until: None, quick: false };
        if let Some(seed) = number::<u64>("DB_TO_CLOUD_SEED") {
            return Self { first: seed, next: seed, end: seed + 1, ..all };
        }
        let Ok(runs) = var("DB_TO_CLOUD_RUNS") else { return Self { quick: first == 0, ..all } };
        match runs.strip_suffix('s') {
            Some(seconds) => {
                let seconds = seconds.parse().expect("DB_TO_CLOUD_RUNS is like 500 or 60s");
                // Both kinds of storage are played at once.
                Self {
                    end: u64::MAX,
                    until: Some(Instant::now() + Duration::from_secs(seconds)),
                    ..all
                }
            }
            None => {
                let runs: u64 = runs.parse().expect("DB_TO_CLOUD_RUNS is like 500 or 60s");
                Self { end: first + runs, ..all }
            }
        }
    }

    pub(crate) fn next_seed(&mut self) -> Option<u64> {
        let over = self.until.is_some_and(|until| Instant::now() >= until);
        if over || self.next >= self.end {
            return None;
        }
        self.next += 1;
        Some(self.next - 1)
    }

    pub(crate) fn runs(&self) -> u64 {
        self.next - self.first
    }

    /// Whether this is the run of the test suite.
    pub(crate) fn is_quick(&self) -> bool {
        self.quick
    }
}

fn number<T: FromStr>(name: &str) -> Option<T> {
    let text = var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}
