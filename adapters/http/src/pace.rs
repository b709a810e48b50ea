//! How many requests run at once: fewer when the service says that it is too much, and none while it
//! asks for a pause.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Semaphore, SemaphorePermit};

use crate::pause::{Pause, Paused};

/// Bounds the requests under way. A [`Turn`] is one of them. Clients of one storage in one process share
/// it.
#[derive(Debug)]
pub struct Pace {
    permits: Semaphore,
    /// Those of creates.
    creates: Semaphore,
    pause: Pause,
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
    /// One of those that are allowed; else it came beside them.
    counted: bool,
}

/// So many creates may run beside other requests: as many as the core races to find out whether a
/// server honours conditions. Queued behind uploads they would begin one by one, and a server that
/// first looks and then writes would be taken for one that is atomic.
const CREATES: usize = 8;

/// So many rounds of requests must go well before one more may run at once.
const CALM_ROUNDS: usize = 4;

impl Pace {
    /// At most so many requests run at once.
    pub fn new(most: usize) -> Self {
        let state = State { allowed: most, most, owed: 0, calm: 0, era: 0 };
        let (permits, creates) = (Semaphore::new(most), Semaphore::new(CREATES));
        Self { permits, creates, pause: Pause::default(), state: Mutex::new(state) }
    }

    /// Waits until one more request may run. First come, first served.
    ///
    /// # Errors
    /// The service asked for a pause that lasts for more than some seconds yet.
    pub async fn turn(&self) -> Result<Turn<'_>, Paused> {
        // The semaphore is never closed; without a permit the turn is merely not counted.
        let permit = self.permits.acquire().await.ok();
        self.pause.over().await?;
        Ok(Turn { pace: self, permit, era: self.state().era, counted: true })
    }

    /// The same for a create, which does not queue behind other requests.
    ///
    /// # Errors
    /// As of [`turn`](Self::turn).
    pub async fn turn_to_create(&self) -> Result<Turn<'_>, Paused> {
        let permit = self.creates.acquire().await.ok();
        self.pause.over().await?;
        Ok(Turn { pace: self, permit, era: self.state().era, counted: false })
    }

    /// What is left of the pause that the service asked for, for requests that take no turn.
    pub fn pause_left(&self) -> Duration {
        self.pause.left()
    }

    /// No request begins for so long: the service asked for it, if not by an answer to a turn.
    pub fn pause(&self, pause: Duration) {
        self.pause.begin(pause);
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

    /// The service asked for fewer requests, and perhaps for none for a while.
    pub fn was_too_much(&self, pause: Option<Duration>) {
        pause.into_iter().for_each(|pause| self.pace.pause(pause));
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
        if self.counted
            && owed > 0
            && let Some(permit) = self.permit.take()
        {
            permit.forget();
            state.owed = owed - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[tokio::test]
    async fn a_slow_down_halves_once_and_calm_brings_it_back() {
        let pace = Pace::new(8);
        let mut turns = Vec::new();
        for _ in 0..8 {
            turns.push(pace.turn().await.unwrap());
        }
        turns.iter().for_each(|turn| turn.was_too_much(None));
        assert_eq!(pace.allowed(), 4);
        turns.truncate(4);
        assert_eq!(pace.permits.available_permits(), 0, "four were given back and vanished");
        drop(turns);
        assert_eq!(pace.permits.available_permits(), 4);
        for _ in 0..200 {
            pace.turn().await.unwrap().went_well();
        }
        assert_eq!((pace.allowed(), pace.permits.available_permits()), (8, 8));
    }

    #[tokio::test]
    async fn creates_begin_at_once_whatever_else_runs() {
        let pace = Pace::new(1);
        let upload = pace.turn().await.unwrap();
        let mut creates = Vec::new();
        for _ in 0..CREATES {
            creates.push(pace.turn_to_create().now_or_never().unwrap());
        }
        assert!(pace.turn_to_create().now_or_never().is_none(), "they have a bound, too");
        drop((creates, upload));
        assert_eq!((pace.permits.available_permits(), pace.creates.available_permits()), (1, 8));
    }

    #[tokio::test]
    async fn a_create_that_is_told_to_slow_down_slows_the_others() {
        let pace = Pace::new(2);
        let create = pace.turn_to_create().await.unwrap();
        create.was_too_much(None);
        // It came beside the others: the permit that has to vanish is not its own.
        drop(create);
        assert_eq!((pace.creates.available_permits(), pace.permits.available_permits()), (8, 2));
        drop(pace.turn().await.unwrap());
        assert_eq!((pace.allowed(), pace.permits.available_permits()), (1, 1));
    }

    #[tokio::test(start_paused = true)]
    async fn all_keep_the_pause_that_one_is_asked_for() {
        let pace = Pace::new(2);
        let (asked, other) = (pace.turn().await.unwrap(), pace.turn().await.unwrap());
        asked.was_too_much(Some(Duration::from_secs(2)));
        other.was_too_much(Some(Duration::from_secs(30)));
        drop((asked, other));
        assert!(pace.turn().await.is_err() && pace.turn_to_create().await.is_err());
        assert!(pace.pause_left() > Duration::from_secs(29));
        tokio::time::sleep(Duration::from_secs(30)).await;
        assert!(pace.turn().await.is_ok());
    }

    #[tokio::test]
    async fn one_request_always_may_run() {
        let pace = Pace::new(3);
        for _ in 0..5 {
            pace.turn().await.unwrap().was_too_much(None);
        }
        assert_eq!((pace.allowed(), pace.permits.available_permits()), (1, 1));
    }
}
