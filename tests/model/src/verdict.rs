//! What came out of a configuration, compared with what was expected.

use std::fmt;
use std::time::{Duration, Instant};

use crate::catalogue::{Case, Expect, Subject};
use crate::liveness::{Liveness, liveness};
use crate::protocol::Sight;
use crate::search::{Report, search};

/// What came out.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Every state was seen, and what must hold does.
    Holds,
    /// The expected counterexample was found.
    Found,
    /// The time was over before every state was seen: nothing is known.
    NotExhausted,
    /// It is not as expected.
    Wrong(String),
}

/// A verdict, and how it came about.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The verdict.
    pub verdict: Verdict,
    /// Different states.
    pub states: usize,
    /// The shortest way to the counterexample.
    pub steps: Vec<String>,
    /// What was come across.
    pub seen: Vec<Sight>,
    /// How long it took.
    pub took: Duration,
}

impl Case {
    /// Searches it, and compares with what is expected.
    pub fn run(&self, time: Duration) -> Outcome {
        if self.expect == Expect::Traps {
            return self.run_live(time);
        }
        let only = match self.expect {
            Expect::Breaks(property, _) => Some(property),
            Expect::Holds | Expect::Traps => None,
        };
        let report = match &self.subject {
            Subject::Protocol(configuration) => search(&**configuration, only, time),
            Subject::Version08(version) => search(version, only, time),
        };
        let verdict = self.judge(&report);
        let Report { counterexample, states, seen, took, .. } = report;
        let steps = counterexample.map(|(_, steps)| steps).unwrap_or_default();
        Outcome { verdict, states, steps, seen, took }
    }

    fn judge(&self, report: &Report) -> Verdict {
        let found = report.counterexample.as_ref().map(|(name, steps)| (*name, steps.len()));
        match (self.expect, found) {
            (Expect::Breaks(name, steps), Some(found)) if found == (name, steps) => Verdict::Found,
            (_, Some((name, steps))) => {
                Verdict::Wrong(format!("\"{name}\" does not hold, after {steps} steps"))
            }
            (_, None) if !report.exhausted => Verdict::NotExhausted,
            (Expect::Holds, None) if report.seen.contains(&Sight::Done) => Verdict::Holds,
            (Expect::Holds, None) => Verdict::Wrong("no search came to an end".to_owned()),
            (_, None) => Verdict::Wrong("no counterexample".to_owned()),
        }
    }

    /// Searches it for livelocks: states from which nothing leads to quiet.
    pub fn run_live(&self, time: Duration) -> Outcome {
        let began = Instant::now();
        let Liveness { states, trapped, exhausted, .. } = match &self.subject {
            Subject::Protocol(configuration) => liveness(&**configuration, time),
            Subject::Version08(version) => liveness(version, time),
        };
        let verdict = match (exhausted, trapped, self.expect) {
            (false, ..) => Verdict::NotExhausted,
            (true, 0, Expect::Traps) => Verdict::Wrong("no trap".to_owned()),
            (true, 0, _) => Verdict::Holds,
            (true, _, Expect::Traps) => Verdict::Found,
            (true, n, _) => Verdict::Wrong(format!("from {n} states nothing leads to quiet")),
        };
        Outcome { verdict, states, steps: Vec::new(), seen: Vec::new(), took: began.elapsed() }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Holds => f.write_str("holds in every state"),
            Self::Found => f.write_str("found, as expected"),
            Self::NotExhausted => f.write_str("NOT EXHAUSTED"),
            Self::Wrong(why) => write!(f, "WRONG: {why}"),
        }
    }
}
