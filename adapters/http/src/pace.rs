//! How many requests run at once: fewer when the service says that it is too much.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// Bounds the requests under way. A [`Turn`] is one of them. Clients of one storage in one process share
/// it.
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// How many may run now, and at most.
    allowed: usize,
    most: usize,
    /// Permits that are to vanish as soon as they come back.
    owed: usize,
    /// Requests that went well since `allowed` last changed.
    calm: usize,
    /// Counts the slow-downs: all requests under way are told at once, and one halving is enough.
    era: u64,
}

/// The right to make one request.
#[derive(Debug)]
pub struct Turn<'a> {
    pace: &'a Pace,
    permit: Option<SemaphorePermit<'a>>,
    era: u64,
}

/// So many rounds of requests must go well before one more may run at once.
const CALM_ROUNDS: usize = 4;

impl Pace {
    /// At most so many requests run at once.
    pub fn new(most: usize) -> Self {
        let state = State { allowed: most, most, owed: 0, calm: 0, era: 0 };
        Self { permits: Semaphore::new(most), state: Mutex::new(state) }
    }

    /// Waits until one more request may run. First come, first served.
    pub async fn turn(&self) -> Turn<'_> {
        // The semaphore is never closed; without a permit the turn is merely not counted.
        let permit = self.permits.acquire().await.ok();
        Turn { pace: self, permit, era: self.state().era }
    }

    /// How many requests may run now.
    pub fn allowed(&self) -> usize {
        self.state().allowed
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn<'_> {
    /// The request went well.
    pub fn went_well(&self) {
        let mut state = self.pace.state();
        state.calm += 1;
        if state.allowed == state.most || state.calm < CALM_ROUNDS * state.allowed {
            return;
        }
        state.calm = 0;
        state.allowed += 1;
        match state.owed.checked_sub(1) {
            Some(owed) => state.owed = owed,
            None => self.pace.permits.add_permits(1),
        }
    }

    /// The service asked for fewer requests.
    pub fn was_too_much(&self) {
        let mut state = self.pace.state();
        if self.era != state.era {
            return;
        }
        let fewer = (state.allowed / 2).max(1);
        state.owed += state.allowed - fewer;
        state.allowed = fewer;
        state.calm = 0;
        state.era += 1;
        tracing::debug!(requests = fewer, "the service asks for fewer requests at once");
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.pace.state();
        let owed = state.owed;
        if owed > 0
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
            state.owed = owed - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_slow_down_halves_once_and_calm_brings_it_back() {
        let pace = Pace::new(8);
        let mut turns = Vec::new();
        for _ in 0..8 {
            turns.push(pace.turn().await);
        }
        turns.iter().for_each(Turn::was_too_much);
        assert_eq!(pace.allowed(), 4);
        turns.truncate(4);
        assert_eq!(pace.permits.available_permits(), 0, "four were given back and vanished");
        drop(turns);
        assert_eq!(pace.permits.available_permits(), 4);
        for _ in 0..200 {
            pace.turn().await.went_well();
        }
        assert_eq!((pace.allowed(), pace.permits.available_permits()), (8, 8));
    }

    #[tokio::test]
    async fn one_request_always_may_run() {
        let pace = Pace::new(3);
        for _ in 0..5 {
            pace.turn().await.was_too_much();
        }
        assert_eq!((pace.allowed(), pace.permits.available_permits()), (1, 1));
    }
}
