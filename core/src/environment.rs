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
#[derive(Clone, Copy, Debug)]
pub struct SystemEnvironment {
    start: std::time::Instant,
}

#[cfg(feature = "system")]
#[expect(clippy::disallowed_methods, reason = "the one place where the machine's own are asked")]
mod system {
    use super::*;

    impl SystemEnvironment {
        /// The machine's clock, timer and randomness.
        pub fn new() -> Self {
            Self { start: std::time::Instant::now() }
        }
    }

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
            let mut bytes = [0; 16];
            // The system's generator fails only where there is none; names must never repeat.
            getrandom::fill(&mut bytes).expect("the operating system has a random generator");
            u128::from_ne_bytes(bytes)
        }
    }
}
