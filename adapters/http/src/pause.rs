//! A pause that the service asked for, kept by all requests of a client.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// The service asked to be left alone for so much longer: nothing was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Paused {
    /// The rest of the pause.
    pub left: Duration,
}

/// Until when nothing is to be sent.
#[derive(Debug, Default)]
pub(crate) struct Pause(Mutex<Option<Instant>>);

/// A pause up to this is waited out by the request; of a longer one its caller is told, who may have
/// a time limit to keep.
const PATIENCE: Duration = Duration::from_secs(5);

/// What asks for a longer pause is asked again after this, by the request that comes next: it may have
/// been a machine on the way.
const LONGEST: Duration = Duration::from_secs(600);

impl Pause {
    /// From now on, unless a longer one is kept already.
    pub(crate) fn begin(&self, pause: Duration) {
        let until = Instant::now() + pause.min(LONGEST);
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        *kept = (*kept).max(Some(until));
    }

    /// What is left of it.
    pub(crate) fn left(&self) -> Duration {
        let until = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        until.map(|until| until.saturating_duration_since(Instant::now())).unwrap_or_default()
    }

    /// Waits until it is over, and a little longer: not all who wait begin in the same moment.
    pub(crate) async fn over(&self) -> Result<(), Paused> {
        let mut patience = PATIENCE;
        loop {
            let left = self.left();
            match patience.checked_sub(left) {
                _ if left.is_zero() => return Ok(()),
                None => return Err(Paused { left }),
                Some(rest) => patience = rest,
            }
            tokio::time::sleep(left + left.mul_f64(fastrand::f64() / 4.0)).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn the_longest_pause_counts() {
        let pause = Pause::default();
        assert_eq!(pause.over().await, Ok(()));
        pause.begin(3 * SECOND);
        pause.begin(SECOND);
        let began = Instant::now();
        assert_eq!(pause.over().await, Ok(()));
        let waited = began.elapsed();
        assert!((3 * SECOND..4 * SECOND).contains(&waited), "{waited:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn of_a_long_one_the_caller_is_told_at_once() {
        let pause = Pause::default();
        pause.begin(60 * SECOND);
        let began = Instant::now();
        assert_eq!(pause.over().await, Err(Paused { left: 60 * SECOND }));
        assert_eq!(began.elapsed(), Duration::ZERO);
        pause.begin(24 * 3600 * SECOND);
        assert_eq!(pause.left(), LONGEST);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_grows_while_it_is_waited_for_is_not_waited_for_ever() {
        let pause = Pause::default();
        pause.begin(2 * SECOND);
        let again = async {
            for _ in 0..100 {
                tokio::time::sleep(SECOND).await;
                pause.begin(2 * SECOND);
            }
        };
        let told = async {
            let told = pause.over().await;
            assert!(matches!(told, Err(Paused { .. })), "{told:?}");
        };
        tokio::select! { () = again => panic!("never told"), () = told => {} }
    }
}
