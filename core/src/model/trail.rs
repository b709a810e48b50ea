//! Commits of the log that a client remembers: enough to find where two branches parted.

use serde::{Deserialize, Serialize};

use crate::model::CommitId;

/// Numbers of entries and their commits, in order: the newest 64, and fewer and fewer of the older ones.
/// Of a million entries some 500 are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Trail(Vec<(u64, CommitId)>);

/// The newest entries are all kept.
const NEWEST: u64 = 64;

impl Trail {
    /// Entry `n` was read or committed. What was kept of `n` and later entries is of a branch that is gone.
    pub(crate) fn push(&mut self, n: u64, commit: CommitId) {
        self.0.retain(|(kept, _)| *kept < n && is_kept(*kept, n));
        self.0.push((n, commit));
    }

    /// Entries with greater numbers are not part of the log any more.
    pub(crate) fn cut(&mut self, last: u64) {
        self.0.retain(|(n, _)| *n <= last);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn entries(&self) -> &[(u64, CommitId)] {
        &self.0
    }
}

/// An entry is kept the longer, the more often its number can be halved.
fn is_kept(n: u64, newest: u64) -> bool {
    let reach = NEWEST.checked_shl(n.trailing_zeros()).filter(|reach| *reach >= NEWEST);
    reach.is_none_or(|reach| newest - n < reach)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_ever_fewer_of_the_others() {
        let mut trail = Trail::default();
        for n in 1..=100_000 {
            trail.push(n, u128::from(n).into());
        }
        let numbers: Vec<_> = trail.entries().iter().map(|(n, _)| *n).collect();
        assert!(numbers.is_sorted() && numbers.len() < 500, "{}", numbers.len());
        assert!((100_000 - 63..=100_000).all(|n| numbers.contains(&n)));
        // The gap before an entry is never more than a thirtieth of its age.
        for pair in numbers.windows(2) {
            let (gap, age) = (pair[1] - pair[0], 100_000 - pair[0]);
            assert!(gap <= 1 + age / 30, "{gap} at the age of {age}");
        }
    }

    #[test]
    fn another_branch_takes_the_place_of_what_was_kept() {
        let mut trail = Trail::default();
        (1..=5).for_each(|n| trail.push(n, u128::from(n).into()));
        trail.push(3, 30.into());
        assert_eq!(trail.entries(), [(1, 1.into()), (2, 2.into()), (3, 30.into())]);
        trail.cut(1);
        assert_eq!(trail.entries(), [(1, 1.into())]);
    }
}
