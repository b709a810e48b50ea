//! The clock, the timer and the randomness, which come in from outside.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use crate::model::Timestamp;

/// What the core asks of the machine besides the storage, the database and the client state. A test
/// that owns it owns time and chance.
#[async_trait]
pub trait Environment: Send + Sync + Debug {
    /// The time of day, for people to read and for ages measured in hours. It may be wrong or jump:
    /// no decision that could lose data rests on it.
    fn now(&self) -> Timestamp;

    /// Time since some fixed moment of this process, never going back.
    fn monotonic(&self) -> Duration;

    /// Returns after this long.
    async fn sleep(&self, duration: Duration);

    /// 128 random bits, never the same twice on any device.
    fn random(&self) -> u128;
}

/// The clock, timer and randomness of this machine. Sleeping needs a tokio runtime.
#[cfg(feature = "system")]
///
/// Random numbers come from the operating system, some at a time: a name for each of many documents
/// would be a system call for each. A process that forks must make another one in the child.
#[derive(Clone)]
pub struct SystemEnvironment {
    start: std::time::Instant,
    numbers: std::sync::Arc<std::sync::Mutex<Vec<u128>>>,
}

#[cfg(feature = "system")]
#[expect(clippy::disallowed_methods, reason = "the one place where the machine's own are asked")]
mod system {
    use std::sync::{Arc, PoisonError};

    use super::*;

    impl SystemEnvironment {
        /// The machine's clock, timer and randomness.
        pub fn new() -> Self {
            Self { start: std::time::Instant::now(), numbers: Arc::default() }
        }
    }

    /// Shows no number that is not used yet.
    impl Debug for SystemEnvironment {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.debug_struct("SystemEnvironment").finish_non_exhaustive()
        }
    }

    /// Numbers that are taken from the operating system at a time.
    const NUMBERS: usize = 64;

    impl Default for SystemEnvironment {
        fn default() -> Self {
            Self::new()
        }
    }

    #[async_trait]
    impl Environment for SystemEnvironment {
        fn now(&self) -> Timestamp {
            std::time::SystemTime::now().into()
        }

        fn monotonic(&self) -> Duration {
            self.start.elapsed()
        }

        async fn sleep(&self, duration: Duration) {
            tokio::time::sleep(duration).await;
        }

        fn random(&self) -> u128 {
            let mut numbers = self.numbers.lock().unwrap_or_else(PoisonError::into_inner);
            if numbers.is_empty() {
                let mut bytes = [0; 16 * NUMBERS];
                // The system's generator fails only where there is none; names must never repeat.
                getrandom::fill(&mut bytes).expect("the operating system has a random generator");
                let (each, _) = bytes.as_chunks::<16>();
                numbers.extend(each.iter().map(|bytes| u128::from_ne_bytes(*bytes)));
            }
            numbers.pop().unwrap_or_default()
        }
    }
}

#[cfg(all(test, feature = "system"))]
mod tests {
    use super::*;

    #[test]
    fn no_random_number_comes_twice_and_none_is_shown() {
        let environment = SystemEnvironment::new();
        let clone = environment.clone();
        let numbers = (0..200).map(|i| if i % 2 == 0 { &environment } else { &clone }.random());
        let mut numbers: Vec<_> = numbers.collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), 200);
        assert!(!format!("{environment:?}").contains("numbers"));
    }
}
