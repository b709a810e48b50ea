//! How long a request may take.

use std::time::Duration;

/// The slowest line that the time limit of a large request allows for, in bytes a second.
const SLOWEST_LINE: usize = 16 * 1024;

/// The time limit of a request that moves so many bytes, beside as many others as run at once:
/// `least`, and the time its bytes take on a slow line that all of them share.
pub fn time_limit(least: Duration, bytes: usize, at_once: usize) -> Duration {
    let seconds = bytes.saturating_mul(at_once) / SLOWEST_LINE;
    least + Duration::from_secs(seconds as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_requests_may_take_longer() {
        let least = Duration::from_secs(15);
        assert_eq!(time_limit(least, 300, 16), least);
        assert_eq!(time_limit(least, 1 << 20, 16), least + Duration::from_secs(1024));
    }
}
