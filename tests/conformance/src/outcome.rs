//! What came out.

use std::fmt;

/// What the cases said.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use = "call `assert_passed`"]
pub struct Outcome {
    pub(crate) verdicts: Vec<(&'static str, Verdict)>,
}

/// What one case said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The adapter keeps the promise.
    Passed,
    /// The promise could not be tested, and why.
    Skipped(String),
    /// The adapter breaks the promise, and how.
    Failed(String),
}

impl Outcome {
    /// The name of each case and what it said, in the order they ran.
    pub fn verdicts(&self) -> &[(&'static str, Verdict)] {
        &self.verdicts
    }

    /// The names of the cases that passed.
    pub fn passed(&self) -> Vec<&'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Passed))
    }

    /// The names of the cases that could not run.
    pub fn skipped(&self) -> Vec<&'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Skipped(_)))
    }

    /// The names of the cases that failed.
    pub fn failed(&self) -> Vec<&'static str> {
        self.names(|verdict| matches!(verdict, Verdict::Failed(_)))
    }

    /// Ends the test if a case failed.
    ///
    /// # Panics
    /// If a case failed; the message names every one.
    #[track_caller]
    #[expect(clippy::panic, reason = "this is the assertion of the test that calls it")]
    pub fn assert_passed(&self) {
        let failed = self.failed();
        if !failed.is_empty() {
            panic!("{} of {} cases failed: {failed:?}\n{self}", failed.len(), self.verdicts.len());
        }
    }

    fn names(&self, want: impl Fn(&Verdict) -> bool) -> Vec<&'static str> {
        self.verdicts.iter().filter(|(_, verdict)| want(verdict)).map(|(name, _)| *name).collect()
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, verdict) in &self.verdicts {
            writeln!(f, "{name}: {verdict}")?;
        }
        Ok(())
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passed => write!(f, "ok"),
            Self::Skipped(why) => write!(f, "skipped: {why}"),
            Self::Failed(why) => write!(f, "FAILED: {why}"),
        }
    }
}
