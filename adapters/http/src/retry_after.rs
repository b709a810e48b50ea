//! The header `Retry-After`.

use std::time::{Duration, SystemTime};

/// Reads a `Retry-After`: seconds, or a date (RFC 9110, 10.2.3) that is compared with the `Date` of
/// the same answer, so that the clock of this device does not matter. A day at most; `None` if it
/// says nothing that makes sense.
pub fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    const LONGEST: Duration = Duration::from_secs(24 * 3600);
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok().map(|pause| pause.min(LONGEST));
    }
    let until = httpdate::parse_http_date(value).ok()?;
    let now = date.and_then(|date| httpdate::parse_http_date(date.trim()).ok());
    // A server that gives dates gives its own; without one this clock is the only one there is.
    #[allow(clippy::disallowed_methods, reason = "adapters may look at the clock")]
    let now = now.unwrap_or_else(SystemTime::now);
    Some(until.duration_since(now).unwrap_or_default().min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_dates_are_read() {
        let seconds = |n| Some(Duration::from_secs(n));
        assert_eq!(retry_after("120", None), seconds(120));
        assert_eq!(retry_after(" 1.5 ", None), Some(Duration::from_millis(1500)));
        let (until, now) = ("Wed, 21 Oct 2026 07:28:30 GMT", "Wed, 21 Oct 2026 07:28:00 GMT");
        assert_eq!(retry_after(until, Some(now)), seconds(30));
        assert_eq!(retry_after(now, Some(until)), seconds(0), "a date that has passed");
        assert_eq!(retry_after("9999999999", None), seconds(24 * 3600));
        for nonsense in ["", "soon", "-3", "inf", "NaN"] {
            assert_eq!(retry_after(nonsense, None), None, "{nonsense}");
        }
    }
}
