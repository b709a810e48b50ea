//! What the file system says about a file without reading it.

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What changes when the content of a file changes. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) mtime: i64,
    /// Unlike `mtime` no program can set it back. On Windows, where that time is not to be had, the one at which the
    /// file was made.
    pub(crate) ctime: i64,
    pub(crate) inode: u64,
}

/// What is found under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    File {
        stamp: Stamp,
        mode: u32,
    },
    Folder,
    Link,
    #[cfg_attr(windows, allow(dead_code, reason = "there is none"))]
    Special,
}

impl Stamp {
    /// Whether any edit made at or after `now` gives the file another stamp.
    ///
    /// An edit in the same tick of the file system's clock as the one before leaves the times as
    /// they were; the coarsest clock (FAT) ticks every 2 s. `now` is by that same clock. Times far
    /// in the future are those of a clock that was wrong, and are not met again by chance.
    pub(crate) fn is_settled(&self, now: i64) -> bool {
        let settled = |time: i64| {
            let age = now.saturating_sub(time);
            age >= 2 * SECOND || age <= -DAY
        };
        settled(self.mtime) && settled(self.ctime)
    }
}

/// A time as milliseconds since 1970. One before that counts as 1970, so that it is not taken for a later one.
pub(crate) fn millis(seconds: i64, nanos: i64) -> u64 {
    let millis = i128::from(seconds) * 1000 + i128::from(nanos / 1_000_000);
    u64::try_from(millis.max(0)).unwrap_or(u64::MAX)
}

/// A time as nanoseconds since 1970. What lies outside the years 1677 to 2262 is put into the first or
/// last second of them: there it still differs from most other times.
pub(crate) fn nanos(seconds: i64, nanos: i64) -> i64 {
    let exact = seconds.checked_mul(SECOND).and_then(|time| time.checked_add(nanos));
    exact.unwrap_or_else(|| {
        let place = seconds.wrapping_add(nanos).rem_euclid(SECOND);
        if seconds < 0 { i64::MIN + place } else { i64::MAX - place }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_trusted_only_when_a_later_edit_must_change_it() {
        let stamp = |mtime, ctime| Stamp { size: 1, mtime, ctime, inode: 1 };
        let now = 1_000 * DAY;
        assert!(stamp(now - 2 * SECOND, now - 2 * SECOND).is_settled(now));
        assert!(stamp(0, now - 3 * SECOND).is_settled(now));
        assert!(stamp(now + 300 * DAY, now - 3 * SECOND).is_settled(now), "mtime set by a program");
        assert!(!stamp(now, now).is_settled(now));
        assert!(!stamp(0, now - SECOND).is_settled(now), "mtime set back by a program");
        assert!(!stamp(now + SECOND, now + SECOND).is_settled(now), "a clock set back a little");
    }

    #[test]
    fn times_that_no_number_can_hold_are_the_first_or_last_and_still_differ() {
        let year = 366 * 86_400;
        for seconds in [400 * year, 8000 * year, i64::MAX] {
            assert!(nanos(seconds, 1) > 290 * DAY * 365, "{seconds}");
            assert_ne!(nanos(seconds, 1), nanos(seconds, 2));
            assert_ne!(nanos(seconds, 1), nanos(seconds - 1, 1));
            assert!(nanos(-seconds, 1) < -290 * DAY * 365, "{seconds}");
            assert_ne!(nanos(-seconds, 1), nanos(-seconds, 2));
        }
        assert_eq!(nanos(-2, 5), -2 * SECOND + 5);
        let far = Stamp { size: 1, mtime: nanos(400 * year, 0), ctime: 0, inode: 1 };
        assert!(far.is_settled(20_000 * DAY));
    }
}
