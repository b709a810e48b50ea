//! When the kills struck: a test that kills only what has not begun, or has ended, shows nothing.

use std::collections::BTreeMap;
use std::fmt;

/// How far a sync had come, by the lines of `-v`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Moment {
    /// The process had just begun.
    Start,
    /// It looked for edits and for news, or it was at its end without having found any.
    Looking,
    /// Another device's edits were being applied.
    Pull,
    /// Documents were being uploaded, or were uploaded and no commit named them yet.
    Push,
    /// A commit was made, and the sync was not at its end.
    Committed,
    /// Somebody else held the lock.
    Waiting,
}

impl Moment {
    pub(crate) fn of(told: &str) -> Self {
        let of_line = |line: &str| match line.split(' ').collect::<Vec<_>>()[..] {
            ["waiting", ..] => Some(Self::Waiting),
            ["uploaded", ..] | [_, "changes", "to", "push"] => Some(Self::Push),
            ["pulled" | "deleted" | "conflict", ..] | [_, "changes", "to", "pull"] => {
                Some(Self::Pull)
            }
            ["committed", ..] => Some(Self::Committed),
            ["looking", ..] => Some(Self::Looking),
            _ => None,
        };
        told.lines().rev().find_map(of_line).unwrap_or(Self::Start)
    }
}

/// How many kills struck when.
#[derive(Debug, Default)]
pub(crate) struct Moments(BTreeMap<Moment, usize>);

impl Moments {
    pub(crate) fn add(&mut self, moment: Moment) {
        *self.0.entry(moment).or_default() += 1;
    }

    fn count(&self, moment: Moment) -> usize {
        self.0.get(&moment).copied().unwrap_or_default()
    }

    /// Some struck in the first milliseconds, many while the sync was at work, and a good share in
    /// the push.
    pub(crate) fn assert_hit(&self) {
        let kills: usize = self.0.values().sum();
        let start = self.count(Moment::Start);
        let push = self.count(Moment::Push) + self.count(Moment::Committed);
        let work = push + self.count(Moment::Pull) + self.count(Moment::Looking);
        assert!(start * 20 >= kills, "{self}");
        assert!(work * 10 >= kills * 3, "{self}");
        assert!(push * 10 >= kills, "{self}");
    }
}

impl fmt::Display for Moments {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "kills by what the sync was at: {:?}", self.0)
    }
}
