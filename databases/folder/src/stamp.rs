//! What the file system says about a file without reading it.

const SECOND: i64 = 1_000_000_000;
const DAY: i64 = 86_400 * SECOND;

/// What changes when the content of a file changes. Times are in nanoseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) size: u64,
    pub(crate) mtime: i64,
    /// Unlike `mtime` no program can set it back.
    pub(crate) ctime: i64,
    pub(crate) inode: u64,
}

/// What is found under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Look {
    File { stamp: Stamp, mode: u32 },
    Folder,
    Link,
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

/// Wraps around outside the years 1677 to 2262: all that matters is that it differs.
pub(crate) fn nanos(seconds: i64, nanos: i64) -> i64 {
    seconds.wrapping_mul(SECOND).wrapping_add(nanos)
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
}
