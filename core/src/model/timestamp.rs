//! Times of day, informational only.

use std::fmt;
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

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
