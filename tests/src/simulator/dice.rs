//! Chance that can be repeated.

/// Everything that is left to chance in one run comes from here, or from the plan.
#[derive(Debug)]
pub(super) struct Dice(fastrand::Rng);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(fastrand::Rng::with_seed(seed))
    }

    pub(super) fn below(&mut self, n: u64) -> u64 {
        self.0.u64(..n.max(1))
    }

    /// True this often of a hundred.
    pub(super) fn percent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    pub(super) fn one_of<T: Clone>(&mut self, things: &[T]) -> T {
        things[self.below(things.len() as u64) as usize].clone()
    }

    pub(super) fn bits(&mut self) -> u128 {
        self.0.u128(..)
    }
}
