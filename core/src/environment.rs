//! The clock, the timer and the randomness, which come in from outside.

use std::fmt::{self, Debug};
use std::time::{Duration, SystemTime};

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

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

/// A time of day in milliseconds since 1970-01-01 UTC, shown as `2026-11-23T04:26:51.000Z`.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(u64);

impl Timestamp {
    /// A time this many milliseconds after 1970-01-01 UTC.
    pub fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Milliseconds since 1970-01-01 UTC.
    pub fn as_millis(self) -> u64 {
        self.0
    }

    /// Time from `earlier` until `self`; `None` if the clock went back.
    pub fn since(self, earlier: Self) -> Option<Duration> {
        self.0.checked_sub(earlier.0).map(Duration::from_millis)
    }
}

impl From<SystemTime> for Timestamp {
    fn from(time: SystemTime) -> Self {
        let since = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // humantime writes years up to 9999.
        const LAST: u64 = 253_402_300_799_000;
        let time = SystemTime::UNIX_EPOCH + Duration::from_millis(self.0.min(LAST));
        fmt::Display::fmt(&humantime::format_rfc3339_millis(time), f)
    }
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
            SystemTime::now().into()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_shown_for_people_however_wrong_it_is() {
        let shown = Timestamp::from_millis(1_795_408_011_007).to_string();
        assert_eq!(shown, "2026-11-23T04:26:51.007Z");
        assert!(Timestamp::from_millis(u64::MAX).to_string().starts_with("9999"));
    }

    #[test]
    fn a_clock_that_went_back_gives_no_age() {
        let (early, late) = (Timestamp::from_millis(5), Timestamp::from_millis(9));
        assert_eq!(late.since(early), Some(Duration::from_millis(4)));
        assert_eq!(early.since(late), None);
    }
}
