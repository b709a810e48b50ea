//! What happened in a run, for people; and how often the things happened that a run is there for.

use std::collections::BTreeMap;

/// Lines are kept only if somebody wants to read them: a run is repeated for that.
#[derive(Debug)]
pub(super) struct Trace {
    lines: Option<Vec<String>>,
    counts: BTreeMap<&'static str, u64>,
}

impl Trace {
    pub(super) fn new(recording: bool) -> Self {
        Self { lines: recording.then(Vec::new), counts: BTreeMap::new() }
    }

    pub(super) fn note(&mut self, now: u64, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.lines {
            let (days, seconds) = (now / 86_400_000, (now % 86_400_000) as f64 / 1000.0);
            lines.push(format!("{days:>4} d {seconds:>9.3} s  {}", line()));
        }
    }

    pub(super) fn count(&mut self, what: &'static str) {
        *self.counts.entry(what).or_default() += 1;
    }

    pub(super) fn into_parts(self) -> (Vec<String>, BTreeMap<&'static str, u64>) {
        (self.lines.unwrap_or_default(), self.counts)
    }
}
